//! Bytes to CSV records, without I/O.

use std::ops::Range;

use memchr::memchr2_iter;

use super::{BrokenOutput, MAX_RECORD_BYTES};
use crate::text::Arrival;

/// How much is read at a time.
const READ_BYTES: usize = 128 * 1024;

/// Cuts a stream of bytes into batches of CSV records: at newlines that are not inside quotes.
#[derive(Debug)]
pub(super) struct CsvBatcher {
    max_rows: usize,
    max_bytes: usize,
    max_record_bytes: usize,
    /// Read, and not yet handed out.
    fill: Vec<u8>,
    /// How much of `fill` has been looked through.
    searched: usize,
    is_quoted: bool,
    /// Where the complete records of `fill` end, their newlines included.
    ends: Vec<usize>,
    /// Records handed out so far.
    records: u64,
}

/// Some records, at least one.
#[derive(Debug)]
pub struct CsvRecords {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl CsvBatcher {
    pub(super) fn new(max_rows: usize, max_bytes: usize) -> Self {
        Self {
            max_rows: max_rows.max(1),
            max_bytes: max_bytes.max(1),
            max_record_bytes: MAX_RECORD_BYTES,
            fill: Vec::new(),
            searched: 0,
            is_quoted: false,
            ends: Vec::new(),
            records: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn with_max_record_bytes(self, max_record_bytes: usize) -> Self {
        Self { max_record_bytes, ..self }
    }

    pub(super) fn room(&mut self) -> &mut Vec<u8> {
        self.fill.reserve(READ_BYTES);
        &mut self.fill
    }

    /// The next batch, or `None` when it takes more bytes to make one (and at the end).
    pub(super) fn next_records(
        &mut self,
        arrival: Arrival,
    ) -> Result<Option<CsvRecords>, BrokenOutput> {
        self.search();
        let complete = self.ends.last().copied().unwrap_or_default();
        let next_record = self.records + self.ends.len() as u64 + 1;
        if self.fill.len() - complete > self.max_record_bytes {
            let max_bytes = self.max_record_bytes;
            return Err(BrokenOutput::RecordTooLong { record: next_record, max_bytes });
        }
        if arrival == Arrival::Ended && self.fill.len() > complete {
            if !self.is_quoted {
                self.ends.push(self.fill.len());
            } else if self.ends.is_empty() {
                return Err(BrokenOutput::OpenQuote { record: next_record });
            }
        }
        let is_full = self.ends.len() >= self.max_rows || complete >= self.max_bytes;
        if self.ends.is_empty() || (arrival == Arrival::Flowing && !is_full) {
            return Ok(None);
        }
        Ok(Some(self.take_records()))
    }

    fn search(&mut self) {
        for found in memchr2_iter(b'"', b'\n', &self.fill[self.searched..]) {
            let place = self.searched + found;
            if self.fill[place] == b'"' {
                // A doubled quote inside quotes ends them and begins them again.
                self.is_quoted = !self.is_quoted;
            } else if !self.is_quoted {
                self.ends.push(place + 1);
            }
        }
        self.searched = self.fill.len();
    }

    fn take_records(&mut self) -> CsvRecords {
        let fitting = self.ends.partition_point(|end| *end <= self.max_bytes);
        let rows = fitting.clamp(1, self.max_rows).min(self.ends.len());
        let end = self.ends[rows - 1];
        let rest = self.ends.split_off(rows).into_iter().map(|later| later - end).collect();
        let ends = std::mem::replace(&mut self.ends, rest);
        let rest = self.fill.split_off(end);
        let bytes = std::mem::replace(&mut self.fill, rest);
        self.searched -= end;
        self.records += rows as u64;
        CsvRecords { bytes, ends }
    }
}

impl CsvRecords {
    /// How many there are.
    pub(super) fn rows(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of each, without its line end.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.spans().map(|span| match &self.bytes[span] {
            [record @ .., b'\r', b'\n'] | [record @ .., b'\n'] | record => record,
        })
    }

    fn spans(&self) -> impl Iterator<Item = Range<usize>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| start..*end)
    }
}
