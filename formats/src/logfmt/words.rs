//! The words of one line.

use std::ops::Range;

use crate::scan::Mismatch;
use crate::swar;

/// Goes through the keys of a line.
#[derive(Debug)]
pub(super) struct Words<'a> {
    line: &'a str,
    at: usize,
    has_pair: bool,
}

/// What stands behind a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing, not even `=`.
    Missing,
    /// Bytes that are the value as they stand.
    Plain(Range<usize>),
    /// Bytes between quotes, with escapes.
    Escaped(Range<usize>),
}

/// What is missing, by its number in [`Mismatch::part`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Missing {
    Key,
    Quote,
    Space,
    Pair,
}

/// Says what is missing.
pub(super) fn describe(mismatch: Mismatch) -> String {
    let description = match mismatch.part {
        part if part == Missing::Key as usize => "no key in front of `=`",
        part if part == Missing::Quote as usize => "no quote ends the value that starts",
        part if part == Missing::Space as usize => "no space behind the quote",
        _ => return "no `key=value`".into(),
    };
    format!("{description} at byte {}", mismatch.offset + 1)
}

impl<'a> Words<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { line, at: 0, has_pair: false }
    }

    /// The next key and its value.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<(&'a str, Value)>, Mismatch> {
        let bytes = self.line.as_bytes();
        while bytes.get(self.at).is_some_and(|byte| *byte <= b' ') {
            self.at += 1;
        }
        let start = self.at;
        let end = swar::find(bytes, start, |word| swar::equal(word, b'=') | is_space(word));
        self.at = end;
        if bytes.get(end) != Some(&b'=') {
            return Ok((end > start).then(|| (&self.line[start..end], Value::Missing)));
        }
        if end == start {
            return Err(Missing::Key.at(start));
        }
        self.has_pair = true;
        let value = self.value(end + 1)?;
        Ok(Some((&self.line[start..end], value)))
    }

    #[inline]
    fn value(&mut self, start: usize) -> Result<Value, Mismatch> {
        let bytes = self.line.as_bytes();
        if bytes.get(start) == Some(&b'"') {
            return self.quoted(start);
        }
        self.at = swar::find(bytes, start, is_space);
        Ok(Value::Plain(start..self.at))
    }

    fn quoted(&mut self, quote: usize) -> Result<Value, Mismatch> {
        let bytes = self.line.as_bytes();
        let start = quote + 1;
        let mut end = start;
        let mut is_escaped = false;
        loop {
            end = swar::find(bytes, end, |word| swar::equal(word, b'"') | swar::equal(word, b'\\'));
            match bytes.get(end) {
                Some(b'"') => break,
                Some(_) => {
                    is_escaped = true;
                    // Whatever is escaped, it does not end the value.
                    end = (end + 2).min(bytes.len());
                }
                None => return Err(Missing::Quote.at(quote)),
            }
        }
        self.at = end + 1;
        if bytes.get(self.at).is_some_and(|byte| *byte > b' ') {
            return Err(Missing::Space.at(self.at));
        }
        let range = start..end;
        Ok(if is_escaped { Value::Escaped(range) } else { Value::Plain(range) })
    }

    /// An error if no word was a pair.
    pub(super) fn finish(&self) -> Result<(), Mismatch> {
        if self.has_pair { Ok(()) } else { Err(Missing::Pair.at(0)) }
    }
}

impl Missing {
    const fn at(self, offset: usize) -> Mismatch {
        Mismatch { offset, part: self as usize }
    }
}

#[inline(always)]
fn is_space(word: u64) -> u64 {
    swar::below(word, b' ' + 1)
}
