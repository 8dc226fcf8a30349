//! What a format does with one line: it finds the fields.

use std::fmt::Debug;
use std::ops::Range;

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

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    Null,
    /// Bytes of the line.
    Line(Range<usize>),
    /// Bytes of [`Fields::rewritten`].
    Rewritten(Range<usize>),
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
    pub fn is_needed(&self, slot: usize) -> bool {
        self.needed[slot]
    }

    /// Puts bytes `range` of the line into a slot.
    pub fn set(&mut self, slot: usize, range: Range<usize>) {
        self.slots[slot] = Slot::Line(range);
    }

    /// Puts text into a slot that does not stand in the line as it is: `write` appends it.
    pub fn set_rewritten(&mut self, slot: usize, write: impl FnOnce(&mut String)) {
        let start = self.rewritten.len();
        write(&mut self.rewritten);
        self.slots[slot] = Slot::Rewritten(start..self.rewritten.len());
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

    pub(crate) fn slot(&self, slot: usize) -> &Slot {
        &self.slots[slot]
    }

    pub(crate) fn rewritten(&self, range: &Range<usize>) -> &str {
        &self.rewritten[range.clone()]
    }

    /// The text of a slot.
    pub(crate) fn text<'a>(&'a self, line: &'a str, slot: usize) -> Option<&'a str> {
        match self.slot(slot) {
            Slot::Null => None,
            Slot::Line(range) => Some(&line[range.clone()]),
            Slot::Rewritten(range) => Some(self.rewritten(range)),
        }
    }
}
