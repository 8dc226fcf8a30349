//! Bytes to lines, without I/O and without copying.

use std::ops::Range;

use arrow::buffer::Buffer;
use memchr::memmem::Finder;

/// Bytes to ask for at least, however short the lines are.
const MIN_READ_BYTES: usize = 16 * 1024;
/// What to have before the first batch, when nothing is known about the lines.
const FIRST_BLOCK_BYTES: usize = 128 * 1024;
/// A string view counts bytes in 31 bits, and a byte that is not UTF-8 becomes three.
const MAX_LINE_BYTES: usize = i32::MAX as usize / 3;
/// What to read at once where most lines are passed over: it should stay in the cache.
const SIEVE_BYTES: usize = 512 * 1024;
/// After how many bytes a sieve that lets through a quarter of them or more is given up: to look
/// for the lines of each match is then more work than to cut all of them.
const SIEVE_TRIAL_BYTES: u64 = 1024 * 1024;
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// How the bytes are coming, which decides what can be handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// More will come soon: wait for full batches.
    Flowing,
    /// Nothing is there at the moment: hand out every complete line.
    Idle,
    /// There is no more: hand out everything, a last line without a newline included.
    Ended,
}

/// A line that a string view cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line_no} is longer than {max_bytes} bytes")]
pub struct LineTooLong {
    /// The line, from 1, counted from where the batcher began.
    pub line_no: u64,
    /// Where the line begins.
    pub offset: u64,
    /// The longest possible line.
    pub max_bytes: usize,
}

/// Lets only lines through that hold a literal.
#[derive(Debug)]
struct Sieve {
    finder: Finder<'static>,
    scanned: u64,
    kept: u64,
}

/// How many lines are not UTF-8.
fn invalid_lines(text: &[u8]) -> usize {
    if simdutf8::basic::from_utf8(text).is_ok() {
        return 0;
    }
    let lines = text.split(|&byte| byte == b'\n');
    lines.filter(|line| simdutf8::basic::from_utf8(line).is_err()).count()
}

/// Cuts a stream of bytes into batches of lines.
///
/// The reader appends to [`room`](Self::room), in reads of any size, and takes batches from
/// [`next_lines`](Self::next_lines) until that asks for more by giving `None`. The vector that
/// was read into becomes the buffer of the batches, uncopied. It is sized so that it mostly
/// makes one batch, and grows only for a line that is longer.
#[derive(Debug)]
pub struct LineBatcher {
    max_rows: usize,
    max_bytes: usize,
    max_line_bytes: usize,
    keeps_cr: bool,
    skips_bom: bool,
    sieve: Option<Box<Sieve>>,
    /// Lines that did not pass the sieve, and are not UTF-8.
    invalid_lines: usize,
    /// Read, and not yet cut. `fill[..searched]` holds no newline.
    fill: Vec<u8>,
    searched: usize,
    /// Cut at a line's end; `block[taken..]` is still to be handed out.
    block: Buffer,
    taken: usize,
    /// Of the next line to hand out.
    offset: u64,
    line_no: u64,
    /// How much to have before a block is cut.
    target_bytes: usize,
}

impl LineBatcher {
    /// A batcher for batches of at most `max_rows` lines and about `max_bytes` bytes.
    pub fn new(max_rows: usize, max_bytes: usize) -> Self {
        let max_bytes = max_bytes.max(1);
        Self {
            max_rows: max_rows.max(1),
            max_bytes,
            max_line_bytes: MAX_LINE_BYTES,
            keeps_cr: false,
            skips_bom: false,
            sieve: None,
            invalid_lines: 0,
            fill: Vec::new(),
            searched: 0,
            block: Buffer::from_vec(Vec::<u8>::new()),
            taken: 0,
            offset: 0,
            line_no: 1,
            target_bytes: FIRST_BLOCK_BYTES.min(max_bytes),
        }
    }

    /// Leaves a `\r` before the `\n` where it is; otherwise it belongs to the line's end.
    pub fn keeping_cr(mut self) -> Self {
        self.keeps_cr = true;
        self
    }

    /// Leaves out a UTF-8 byte order mark at the very beginning.
    pub fn skipping_bom(mut self) -> Self {
        self.skips_bom = true;
        self
    }

    /// Passes over lines without `literal`, which holds no newline. Some may be left all the same, and
    /// lines are not numbered.
    pub fn sieving(mut self, literal: &str) -> Self {
        let finder = Finder::new(literal).into_owned();
        self.sieve = Some(Box::new(Sieve { finder, scanned: 0, kept: 0 }));
        self.target_bytes = SIEVE_BYTES.min(self.max_bytes);
        self
    }

    /// Starts counting at a place inside a text: the offset and number of the first line.
    pub fn starting_at(mut self, offset: u64, line_no: u64) -> Self {
        self.offset = offset;
        self.line_no = line_no;
        self
    }

    #[cfg(test)]
    pub(crate) fn with_max_line_bytes(mut self, max_line_bytes: usize) -> Self {
        self.max_line_bytes = max_line_bytes;
        self
    }

    /// How many bytes a reader should read now; never 0.
    pub fn room_bytes(&self) -> usize {
        match self.target_bytes.checked_sub(self.fill.len()) {
            None | Some(0) => self.max_bytes,
            Some(missing) => missing,
        }
    }

    /// The vector to append to, with spare capacity for [`room_bytes`](Self::room_bytes) at
    /// least. What it holds already must stay.
    pub fn room(&mut self) -> &mut Vec<u8> {
        let bytes = self.room_bytes();
        self.fill.reserve(bytes);
        &mut self.fill
    }

    /// The next batch, or `None` when it takes more bytes to make one (and at the end).
    ///
    /// # Errors
    /// [`LineTooLong`], after which the batcher is of no use.
    pub fn next_lines(&mut self, arrival: Arrival) -> Result<Option<Lines>, LineTooLong> {
        loop {
            if self.taken == self.block.len() && !self.cut(arrival)? {
                return Ok(None);
            }
            if self.sieve.is_some() {
                match self.sift_lines()? {
                    Some(lines) => return Ok(Some(lines)),
                    None => continue,
                }
            }
            let lines = self.take_lines()?;
            self.target_bytes =
                target_bytes(lines.bytes.len() / lines.rows(), self.max_rows, self.max_bytes);
            return Ok(Some(lines));
        }
    }

    /// How many lines that are not UTF-8 were passed over since it was asked last.
    pub(crate) fn take_invalid_lines(&mut self) -> usize {
        std::mem::take(&mut self.invalid_lines)
    }

    /// Freezes the complete lines of `fill` into `block`. False when there are none, or when
    /// it is too early.
    fn cut(&mut self, arrival: Arrival) -> Result<bool, LineTooLong> {
        if arrival == Arrival::Flowing && self.fill.len() < self.target_bytes {
            return Ok(false);
        }
        let end = match memchr::memrchr(b'\n', &self.fill[self.searched..]) {
            _ if arrival == Arrival::Ended => self.fill.len(),
            Some(newline) => self.searched + newline + 1,
            None => {
                self.searched = self.fill.len();
                self.check_length(self.searched)?;
                return Ok(false);
            }
        };
        self.freeze(end);
        Ok(self.taken < self.block.len())
    }

    fn freeze(&mut self, end: usize) {
        let rest = self.fill.len() - end;
        let mut next = Vec::new();
        if rest > 0 {
            next.reserve_exact(self.target_bytes.max(rest));
            next.extend_from_slice(&self.fill[end..]);
        }
        let mut block = std::mem::replace(&mut self.fill, next);
        self.searched = rest;
        block.truncate(end);
        // A batch answers for the memory that it keeps alive.
        if end < block.capacity() / 2 {
            block.shrink_to_fit();
        }
        self.taken = 0;
        if std::mem::take(&mut self.skips_bom) && block.starts_with(BYTE_ORDER_MARK) {
            self.taken = BYTE_ORDER_MARK.len();
            self.offset += BYTE_ORDER_MARK.len() as u64;
        }
        self.block = Buffer::from_vec(block);
    }

    /// The first lines of `block`, which is not empty.
    fn take_lines(&mut self) -> Result<Lines, LineTooLong> {
        let rest = &self.block[self.taken..];
        let mut ends = Vec::with_capacity(self.max_rows.min(rest.len()));
        let (mut bytes, mut is_full) = (0, false);
        for newline in memchr::memchr_iter(b'\n', rest) {
            if ends.len() == self.max_rows || (newline >= self.max_bytes && bytes > 0) {
                is_full = true;
                break;
            }
            ends.push(newline as u32);
            bytes = newline + 1;
        }
        let has_open_end = !is_full && bytes < rest.len() && ends.len() < self.max_rows;
        if has_open_end && (bytes == 0 || rest.len() <= self.max_bytes) {
            ends.push(rest.len() as u32);
            bytes = rest.len();
        }
        if ends.len() == 1 {
            // Only a line that is alone in its batch can be longer than `max_bytes`.
            self.check_length(bytes)?;
        }
        let lines = Lines {
            bytes: self.block.slice_with_length(self.taken, bytes),
            offset: self.offset,
            line_no: self.line_no,
            keeps_cr: self.keeps_cr,
            ends,
            offsets: None,
        };
        self.taken += bytes;
        self.offset += bytes as u64;
        self.line_no += lines.rows() as u64;
        Ok(lines)
    }

    /// Those of the next lines of `block` that pass the sieve, copied together.
    fn sift_lines(&mut self) -> Result<Option<Lines>, LineTooLong> {
        let Some(sieve) = &mut self.sieve else { return Ok(None) };
        let rest = &self.block[self.taken..];
        let (mut kept, mut ends, mut offsets) = (Vec::new(), Vec::new(), Vec::new());
        let mut at = 0;
        while ends.len() < self.max_rows && kept.len() < self.max_bytes {
            let Some(found) = sieve.finder.find(&rest[at..]) else {
                at = rest.len();
                break;
            };
            let start = memchr::memrchr(b'\n', &rest[at..at + found]).map_or(at, |n| at + n + 1);
            let newline = memchr::memchr(b'\n', &rest[at + found..]).map(|n| at + found + n);
            let end = newline.unwrap_or(rest.len());
            if end - start > self.max_line_bytes {
                if ends.is_empty() {
                    let offset = self.offset + start as u64;
                    let max_bytes = self.max_line_bytes;
                    return Err(LineTooLong { line_no: self.line_no, offset, max_bytes });
                }
                at = start;
                break;
            }
            ends.push((kept.len() + end - start) as u32);
            offsets.push(self.offset + start as u64);
            at = newline.map_or(end, |newline| newline + 1);
            kept.extend_from_slice(&rest[start..at]);
        }
        let invalid = invalid_lines(&rest[..at]);
        if invalid > 0 {
            self.invalid_lines += invalid - invalid_lines(&kept);
        }
        sieve.scanned += at as u64;
        sieve.kept += kept.len() as u64;
        let lets_through_many =
            sieve.scanned >= SIEVE_TRIAL_BYTES && sieve.kept * 4 >= sieve.scanned;
        self.taken += at;
        self.offset += at as u64;
        if lets_through_many {
            self.sieve = None;
        }
        if ends.is_empty() {
            return Ok(None);
        }
        let bytes = Buffer::from_vec(kept);
        let (offset, line_no) = (offsets[0], self.line_no);
        let offsets = Some(offsets);
        Ok(Some(Lines { bytes, ends, offset, line_no, keeps_cr: self.keeps_cr, offsets }))
    }

    fn check_length(&self, bytes: usize) -> Result<(), LineTooLong> {
        if bytes <= self.max_line_bytes {
            return Ok(());
        }
        Err(LineTooLong {
            line_no: self.line_no,
            offset: self.offset,
            max_bytes: self.max_line_bytes,
        })
    }
}

/// Bytes that mostly hold one batch of lines of a length. A little less than a full batch: a
/// few rows over would make a second, tiny one.
fn target_bytes(line_bytes: usize, max_rows: usize, max_bytes: usize) -> usize {
    let batch_bytes = line_bytes.saturating_mul(max_rows - max_rows / 8);
    batch_bytes.clamp(MIN_READ_BYTES.min(max_bytes), max_bytes)
}

/// Some lines, at least one, one after the other in a buffer that is theirs alone.
#[derive(Debug, Clone)]
pub struct Lines {
    bytes: Buffer,
    /// Where each line ends: the place of its `\n`, or the length of `bytes`.
    ends: Vec<u32>,
    offset: u64,
    line_no: u64,
    keeps_cr: bool,
    /// Where each line begins in the text, where they do not follow each other there.
    offsets: Option<Vec<u64>>,
}

impl Lines {
    /// How many lines there are.
    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// All the bytes, line ends included.
    pub fn bytes(&self) -> &Buffer {
        &self.bytes
    }

    /// Where the first line begins in the text.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The number of the first line, from 1.
    pub fn line_no(&self) -> u64 {
        self.line_no
    }

    /// Where each line is in [`bytes`](Self::bytes), without its end.
    pub fn spans(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let strips_cr = !self.keeps_cr;
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let end = end as usize;
            let mut span = start..end;
            start = end + 1;
            let ends_in_newline = end < self.bytes.len();
            if strips_cr && ends_in_newline && self.bytes[span.clone()].last() == Some(&b'\r') {
                span.end -= 1;
            }
            span
        })
    }

    /// Where each line begins in the text.
    pub fn offsets(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.rows()).map(|row| match (&self.offsets, row) {
            (Some(offsets), _) => offsets[row],
            (None, 0) => self.offset,
            (None, _) => self.offset + u64::from(self.ends[row - 1]) + 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines as plainly as can be: (offset, text).
    fn naive_lines(text: &[u8]) -> Vec<(u64, Vec<u8>)> {
        let mut offset = 0;
        let pieces = text.split_inclusive(|&byte| byte == b'\n');
        pieces
            .map(|piece| {
                let start = offset;
                offset += piece.len() as u64;
                let line = match piece {
                    [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] | line => line,
                };
                (start, line.to_vec())
            })
            .collect()
    }

    fn batched(text: &[u8], batcher: LineBatcher, reads: &[usize], idle: bool) -> Vec<Lines> {
        let mut batcher = batcher;
        let mut batches = Vec::new();
        let mut rest = text;
        let mut reads = reads.iter().cycle();
        loop {
            let arrival = match (rest.is_empty(), idle) {
                (true, _) => Arrival::Ended,
                (false, true) => Arrival::Idle,
                (false, false) => Arrival::Flowing,
            };
            if let Some(lines) = batcher.next_lines(arrival).unwrap() {
                batches.push(lines);
                continue;
            }
            if rest.is_empty() {
                return batches;
            }
            let read = rest.len().min(*reads.next().unwrap()).min(batcher.room_bytes());
            batcher.room().extend_from_slice(&rest[..read]);
            rest = &rest[read..];
        }
    }

    fn flat(batches: &[Lines]) -> Vec<(u64, Vec<u8>)> {
        let of = |lines: &Lines| {
            let texts = lines.spans().map(|span| lines.bytes()[span].to_vec());
            lines.offsets().zip(texts).collect::<Vec<_>>()
        };
        batches.iter().flat_map(of).collect()
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_text(
            text in prop::collection::vec(prop::sample::select(b"ab\r\n\n\0\xff".to_vec()), 0..300),
            max_rows in 1..10usize,
            max_bytes in 1..40usize,
            reads in prop::collection::vec(1..50usize, 1..5),
            idle: bool,
        ) {
            let batcher = LineBatcher::new(max_rows, max_bytes);
            let batches = batched(&text, batcher, &reads, idle);
            prop_assert_eq!(flat(&batches), naive_lines(&text));
            let mut line_no = 1;
            for lines in &batches {
                prop_assert!(lines.rows() >= 1 && lines.rows() <= max_rows);
                prop_assert!(lines.bytes().len() <= max_bytes || lines.rows() == 1);
                prop_assert_eq!(lines.line_no(), line_no);
                line_no += lines.rows() as u64;
            }
        }
    }

    #[test]
    fn a_batch_keeps_alive_about_as_much_as_it_holds() {
        let text = b"thirteen bytes of text, and more\n".repeat(100_000);
        let batches = batched(&text, LineBatcher::new(8192, 2 << 20), &[usize::MAX], false);
        assert_eq!(flat(&batches).len(), 100_000);
        for lines in &batches[1..batches.len() - 1] {
            assert!(lines.rows() >= 6000, "{} rows", lines.rows());
            assert!(lines.bytes().capacity() < lines.bytes().len() * 5 / 4);
        }
    }

    #[test]
    fn short_lines_do_not_make_tiny_batches() {
        let text = b"a\n".repeat(1_000_000);
        let batches = batched(&text, LineBatcher::new(8192, 2 << 20), &[usize::MAX], false);
        assert!(batches.len() < 160, "{} batches", batches.len());
    }

    #[test]
    fn the_byte_order_mark_is_left_out_once() {
        let batcher = || LineBatcher::new(10, 100).skipping_bom();
        let lines = |text: &[u8]| flat(&batched(text, batcher(), &[1], false));
        assert_eq!(lines(b"\xEF\xBB\xBFa\n\xEF\xBB\xBF").len(), 2);
        assert_eq!(lines(b"\xEF\xBB\xBFa\n")[0], (3, b"a".to_vec()));
        assert_eq!(lines(b"\xEF\xBB\xBF"), []);
        assert_eq!(lines(b"\xEF\xBB").len(), 1);
    }

    #[test]
    fn a_line_over_the_limit_is_named() {
        let mut batcher = LineBatcher::new(10, 4).with_max_line_bytes(8);
        batcher.room().extend_from_slice(b"one\ntwo\n123456789");
        assert_eq!(batcher.next_lines(Arrival::Flowing).unwrap().unwrap().rows(), 1);
        assert_eq!(batcher.next_lines(Arrival::Flowing).unwrap().unwrap().rows(), 1);
        let error = batcher.next_lines(Arrival::Flowing).unwrap_err();
        assert_eq!(error, LineTooLong { line_no: 3, offset: 8, max_bytes: 8 });
    }
}
