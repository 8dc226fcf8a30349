//! A line, read from its start to its end.

use std::ops::Range;

use memchr::memmem;

use super::{TIME, USER, quoted};
use crate::scan::Mismatch;
use crate::timestamp::clf;

/// What stands between quotes.
pub(super) struct Quoted {
    pub(super) range: Range<usize>,
    /// Whether there is a backslash in it.
    pub(super) is_escaped: bool,
}

/// The part of a line that is still to be read.
pub(super) struct Rest<'a> {
    pub(super) line: &'a [u8],
    pub(super) at: usize,
}

impl Rest<'_> {
    #[cold]
    pub(super) fn mismatch(&self, part: usize) -> Mismatch {
        Mismatch { offset: self.at, part }
    }

    #[inline(always)]
    pub(super) fn literal(&mut self, literal: &[u8], part: usize) -> Result<(), Mismatch> {
        if !self.line[self.at..].starts_with(literal) {
            return Err(self.mismatch(part));
        }
        self.at += literal.len();
        Ok(())
    }

    /// Something up to a space. These words are short, so that a plain loop is the fastest.
    #[inline]
    pub(super) fn word(&mut self, part: usize) -> Result<Range<usize>, Mismatch> {
        let start = self.at;
        match self.line[start..].iter().position(|letter| *letter == b' ') {
            Some(length) if length > 0 => {
                self.at = start + length + 1;
                Ok(start..start + length)
            }
            _ => Err(self.mismatch(part)),
        }
    }

    /// Something without a space up to the end of the line.
    pub(super) fn last_word(&mut self, part: usize) -> Result<Range<usize>, Mismatch> {
        let word = &self.line[self.at..];
        if word.is_empty() || word.contains(&b' ') {
            return Err(self.mismatch(part));
        }
        Ok(self.at..self.line.len())
    }

    /// Everything up to ` [`.
    #[inline]
    pub(super) fn user(&mut self) -> Result<Range<usize>, Mismatch> {
        let start = self.at;
        let rest = &self.line[start..];
        let length = if rest.starts_with(b"- [") { Some(1) } else { memmem::find(rest, b" [") };
        // Another user behind `- ` is that of a line with a host in front.
        let is_user = |length: &usize| *length == 1 || !rest.starts_with(b"- ");
        let length = length.filter(is_user).ok_or_else(|| self.mismatch(USER))?;
        self.at = start + length + 2;
        if rest[..length] == *b"\"\"" {
            return Ok(start..start);
        }
        Ok(start..start + length)
    }

    /// Everything up to `] "`, which is where a time has its end, or the first one.
    #[inline]
    pub(super) fn time(&mut self) -> Result<Range<usize>, Mismatch> {
        const END: &[u8] = b"] \"";
        let start = self.at;
        let rest = &self.line[start..];
        let is_end = rest.get(clf::LENGTH..).is_some_and(|behind| behind.starts_with(END));
        let length = if is_end { Some(clf::LENGTH) } else { memmem::find(rest, END) };
        let length = length.ok_or_else(|| self.mismatch(TIME))?;
        self.at = start + length + END.len();
        Ok(start..start + length)
    }

    /// Everything up to a quote.
    #[inline]
    pub(super) fn quoted(&mut self, part: usize) -> Result<Quoted, Mismatch> {
        let start = self.at;
        let Some((length, is_escaped)) = quoted::length(&self.line[start..]) else {
            return Err(self.mismatch(part));
        };
        self.at = start + length + 1;
        Ok(Quoted { range: start..start + length, is_escaped })
    }
}
