//! `PATTERN '<ip> - - [<ts>] "<method> <path> <_>" <status> <bytes>'`: literals and captures.
//!
//! The syntax is that of Grafana Loki's `pattern` parser
//! (<https://grafana.com/docs/loki/latest/query/log_queries/#pattern>): a capture takes everything
//! up to the first place of the literal behind it, or the rest of the line where nothing is behind
//! it; `<_>` is skipped; and what stands behind the last literal is left alone. Other than in Loki, a
//! line that lacks a literal does not match, and shows nothing of what was found in front of it.

mod parts;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use memchr::memchr;
use memchr::memmem::Finder;

use crate::column::ColumnSpec;
use crate::scan::{Fields, Mismatch, Scanner};
use crate::spec::FormatError;
use parts::Parts;

/// The columns that the captures name.
pub(crate) fn columns(text: &str) -> Result<Vec<ColumnSpec>, FormatError> {
    Ok(Parts::parse(text)?.names().map(ColumnSpec::text).collect())
}

/// A scanner that fills `columns`.
pub(crate) fn scanner(text: &str, columns: &[ColumnSpec]) -> Result<Arc<dyn Scanner>, FormatError> {
    Ok(Arc::new(Pattern::try_new(text, columns)?))
}

/// Finds fields between literals.
#[derive(Debug)]
struct Pattern {
    /// What the line begins with.
    prefix: String,
    captures: Vec<Capture>,
}

/// A capture and the literal that ends it.
#[derive(Debug)]
struct Capture {
    slot: Option<usize>,
    literal: String,
    end: End,
}

/// How the end of a capture is found.
#[derive(Debug)]
enum End {
    Line,
    Byte(u8),
    Text(Box<Finder<'static>>),
}

impl Pattern {
    fn try_new(text: &str, columns: &[ColumnSpec]) -> Result<Self, FormatError> {
        let parts = Parts::parse(text)?;
        let names: Vec<&str> = parts.names().collect();
        if let Some(column) = columns.iter().find(|column| !names.contains(&column.name.as_str())) {
            return Err(FormatError::no_field(&column.name, &names));
        }
        let capture = |capture: &parts::Capture<'_>| Capture {
            slot: columns.iter().position(|column| column.name == capture.name),
            literal: capture.literal.to_string(),
            end: End::new(capture.literal),
        };
        let captures = parts.captures.iter().map(capture).collect();
        Ok(Self { prefix: parts.prefix.to_string(), captures })
    }
}

impl Scanner for Pattern {
    fn scan(&self, line: &str, fields: &mut Fields) -> Result<(), Mismatch> {
        if !line.starts_with(&self.prefix) {
            return Err(Mismatch { offset: 0, part: 0 });
        }
        let mut at = self.prefix.len();
        for (part, capture) in self.captures.iter().enumerate() {
            let length = capture.end.find(&line.as_bytes()[at..]);
            let end = at + length.ok_or(Mismatch { offset: at, part: part + 1 })?;
            if let Some(slot) = capture.slot {
                fields.set(slot, at..end);
            }
            at = end + capture.literal.len();
        }
        Ok(())
    }

    fn describe(&self, _line: &str, mismatch: Mismatch) -> String {
        match mismatch.part.checked_sub(1) {
            None => format!("expected `{}` at the start", self.prefix),
            Some(capture) => {
                let literal = &self.captures[capture].literal;
                format!("expected `{literal}` from byte {} on", mismatch.offset + 1)
            }
        }
    }
}

impl End {
    fn new(literal: &str) -> Self {
        match literal.as_bytes() {
            [] => Self::Line,
            [byte] => Self::Byte(*byte),
            text => Self::Text(Box::new(Finder::new(text).into_owned())),
        }
    }

    /// The length of the capture at the start of `rest`.
    fn find(&self, rest: &[u8]) -> Option<usize> {
        match self {
            Self::Line => Some(rest.len()),
            Self::Byte(byte) => memchr(*byte, rest),
            Self::Text(finder) => finder.find(rest),
        }
    }
}
