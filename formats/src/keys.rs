//! Finds the wanted among the keys of a line.

use std::collections::HashMap;

/// Up to so many keys are compared one after the other.
const MAX_COMPARED: usize = 8;

/// A list of different keys.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    keys: Vec<Box<str>>,
    /// Positions by key, where there are too many to compare.
    positions: HashMap<Box<str>, usize>,
    /// A bit for each length of a key that is there; the last one is for all longer ones.
    lengths: u64,
}

impl Keys {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn key(&self, position: usize) -> &str {
        &self.keys[position]
    }

    /// The position of a key, which is added behind the others if it is new.
    pub(crate) fn add(&mut self, key: &str) -> usize {
        if let Some(position) = self.position(key) {
            return position;
        }
        let position = self.keys.len();
        self.keys.push(key.into());
        self.positions.insert(key.into(), position);
        self.lengths |= length_bit(key);
        position
    }

    /// The position of a key. `next` is where to look first, and becomes the position behind the
    /// key: in most logs the keys come in the same order on all lines.
    #[inline]
    pub(crate) fn find(&self, key: &str, next: &mut usize) -> Option<usize> {
        if self.lengths & length_bit(key) == 0 {
            return None;
        }
        let is_next = self.keys.get(*next).is_some_and(|expected| **expected == *key);
        let position = if is_next { *next } else { self.position(key)? };
        *next = position + 1;
        Some(position)
    }

    fn position(&self, key: &str) -> Option<usize> {
        if self.keys.len() <= MAX_COMPARED {
            return self.keys.iter().position(|other| **other == *key);
        }
        self.positions.get(key).copied()
    }
}

fn length_bit(key: &str) -> u64 {
    1 << key.len().min(63)
}
