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
}

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
        Self { slots: vec![Slot::Null; needed.len()], needed, rewritten: String::new() }
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

    pub(crate) fn clear(&mut self) {
        self.slots.fill(Slot::Null);
        self.rewritten.clear();
    }

    pub(crate) fn slot(&self, slot: usize) -> &Slot {
        &self.slots[slot]
    }

    pub(crate) fn rewritten(&self, range: &Range<usize>) -> &str {
        &self.rewritten[range.clone()]
    }

    /// The text of a slot.
    #[cfg(test)]
    pub(crate) fn text<'a>(&'a self, line: &'a str, slot: usize) -> Option<&'a str> {
        match self.slot(slot) {
            Slot::Null => None,
            Slot::Line(range) => Some(&line[range.clone()]),
            Slot::Rewritten(range) => Some(self.rewritten(range)),
        }
    }
}
