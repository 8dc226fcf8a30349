//! What a format does with one line: it finds the fields.

use std::fmt::Debug;
use std::ops::Range;

use crate::parser::Batch;

/// Finds the fields of lines of one format.
///
/// It is made for a list of columns, whose positions are the slots of [`Fields`].
pub trait Scanner: Debug + Send + Sync {
    /// Finds the fields of `line`, which has no line ending, and puts them into the slots.
    ///
    /// A slot that is left alone is NULL. Fields of slots that are not
    /// [needed](Fields::is_needed) may be left out, but the line must be judged all the same.
    ///
    /// # Errors
    /// When the line does not have this format. What is in the slots is then not looked at.
    fn scan(&self, line: &str, fields: &mut Fields) -> Result<(), Mismatch>;

    /// What the line lacks, as a phrase such as ``expected `] "` ``.
    fn describe(&self, line: &str, mismatch: Mismatch) -> String;

    /// Scans the lines of a batch. It stands here so that each format has a loop of its own, into
    /// which its [`scan`](Self::scan) is compiled; nobody needs to write another one.
    #[doc(hidden)]
    fn scan_batch(&self, batch: &mut Batch<'_>) {
        batch.run(self);
    }
}

/// Where a line stops to have its format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mismatch {
    /// Bytes from the start of the line.
    pub offset: usize,
    /// Which part of the format is missing there; only its scanner knows what the number means.
    pub part: usize,
}

/// The fields of one line, a slot for each column.
#[derive(Debug)]
pub struct Fields {
    slots: Vec<Slot>,
    needed: Vec<bool>,
    /// Text of fields that do not stand in the line as they are.
    rewritten: String,
    /// See [`Fields::rank`]; empty while no slot has one.
    ranks: Vec<u8>,
}

/// The rank of a slot without one: behind all others.
pub(crate) const NO_RANK: u8 = u8::MAX;

/// What is in a slot. The lengths of lines have 32 bits in Arrow's views.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Null,
    /// Bytes of the line.
    Line {
        start: u32,
        end: u32,
    },
    /// Bytes of [`Fields::rewritten`].
    Rewritten {
        start: u32,
        end: u32,
    },
}

impl Fields {
    /// Slots for as many columns as `needed` says something of.
    pub(crate) fn new(needed: Vec<bool>) -> Self {
        let slots = vec![Slot::Null; needed.len()];
        Self { slots, needed, rewritten: String::new(), ranks: Vec::new() }
    }

    /// How many slots there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether anybody will look at a slot.
    #[inline]
    pub fn is_needed(&self, slot: usize) -> bool {
        self.needed[slot]
    }

    /// Puts bytes `range` of the line into a slot.
    #[inline]
    pub fn set(&mut self, slot: usize, range: Range<usize>) {
        self.slots[slot] = Slot::Line { start: range.start as u32, end: range.end as u32 };
    }

    /// Puts text into a slot that does not stand in the line as it is: `write` appends it.
    pub fn set_rewritten(&mut self, slot: usize, write: impl FnOnce(&mut String)) {
        let start = self.rewritten.len();
        write(&mut self.rewritten);
        let end = self.rewritten.len();
        self.slots[slot] = Slot::Rewritten { start: start as u32, end: end as u32 };
    }

    /// Empties a slot.
    pub fn set_null(&mut self, slot: usize) {
        self.slots[slot] = Slot::Null;
    }

    /// Of a slot that different fields could fill: the rank of the one that did, the best being 0.
    pub(crate) fn rank(&self, slot: usize) -> u8 {
        self.ranks.get(slot).copied().unwrap_or(NO_RANK)
    }

    /// Remembers the rank of what fills a slot until the next line.
    pub(crate) fn set_rank(&mut self, slot: usize, rank: u8) {
        if self.ranks.is_empty() {
            self.ranks.resize(self.slots.len(), NO_RANK);
        }
        self.ranks[slot] = rank;
    }

    pub(crate) fn clear(&mut self) {
        self.slots.fill(Slot::Null);
        self.rewritten.clear();
        self.ranks.clear();
    }

    pub(crate) fn slot(&self, slot: usize) -> Slot {
        self.slots[slot]
    }

    /// The text of a slot.
    pub(crate) fn text<'a>(&'a self, line: &'a str, slot: usize) -> Option<&'a str> {
        match self.slots[slot] {
            Slot::Null => None,
            Slot::Line { start, end } => Some(&line[start as usize..end as usize]),
            Slot::Rewritten { start, end } => Some(&self.rewritten[start as usize..end as usize]),
        }
    }
}
