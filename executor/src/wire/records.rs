//! Bytes to records, in any format.

use thiserror::Error;

use super::WireFormat;
use super::csv_records::{CsvBatcher, CsvRecords};
use crate::text::{Arrival, LineBatcher, LineTooLong, Lines};

/// Cuts the output of a program into batches of records. Without I/O: the reader appends to
/// [`room`](Self::room), and takes batches from [`next_records`](Self::next_records) until that asks
/// for more by giving `None`.
#[derive(Debug)]
pub struct RecordBatcher(Batcher);

#[derive(Debug)]
enum Batcher {
    Lines(LineBatcher),
    Csv(CsvBatcher),
}

/// Some records, at least one.
#[derive(Debug)]
pub enum Records {
    /// A line each.
    Lines(Lines),
    /// They may span lines.
    Csv(CsvRecords),
}

/// Output that cannot be cut into records.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BrokenOutput {
    /// A record that no string can hold.
    #[error("output record {record} is longer than {max_bytes} bytes")]
    RecordTooLong {
        /// The record, from 1.
        record: u64,
        /// The longest possible one.
        max_bytes: usize,
    },
    /// The output ended inside a quoted value.
    #[error("output record {record} has a quote that is not closed before the output ends")]
    OpenQuote {
        /// The record, from 1.
        record: u64,
    },
    /// The same for a line.
    #[error("output {0}")]
    Line(#[from] LineTooLong),
}

impl RecordBatcher {
    /// For batches of at most `max_rows` records and about `max_bytes` bytes.
    pub fn new(format: WireFormat, max_rows: usize, max_bytes: usize) -> Self {
        Self(match format {
            WireFormat::Csv => Batcher::Csv(CsvBatcher::new(max_rows, max_bytes)),
            // A `\r` that the program wrote belongs to its line.
            _ => Batcher::Lines(LineBatcher::new(max_rows, max_bytes).keeping_cr()),
        })
    }

    /// The vector to append to, with spare capacity. What it holds already must stay.
    pub fn room(&mut self) -> &mut Vec<u8> {
        match &mut self.0 {
            Batcher::Lines(lines) => lines.room(),
            Batcher::Csv(records) => records.room(),
        }
    }

    /// The next batch, or `None` when it takes more bytes to make one (and at the end).
    ///
    /// # Errors
    /// After which the batcher is of no use.
    pub fn next_records(&mut self, arrival: Arrival) -> Result<Option<Records>, BrokenOutput> {
        Ok(match &mut self.0 {
            Batcher::Lines(lines) => lines.next_lines(arrival)?.map(Records::Lines),
            Batcher::Csv(records) => records.next_records(arrival)?.map(Records::Csv),
        })
    }
}

impl Records {
    /// How many there are.
    pub fn rows(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.rows(),
            Self::Csv(records) => records.rows(),
        }
    }
}
