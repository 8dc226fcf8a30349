//! `PATTERN '<ip> - - [<ts>] "<method> <path> <_>" <status> <bytes>'`: literals and captures.
//!
//! The syntax is that of Grafana Loki's `pattern` parser
//! (<https://grafana.com/docs/loki/latest/query/log_queries/#pattern>): a capture takes everything
//! up to the next literal, `<_>` is skipped, and what stands behind the last part is left alone.

use std::sync::Arc;

use memchr::memmem::Finder;

use crate::column::ColumnSpec;
use crate::scan::{Fields, Mismatch, Scanner};
use crate::spec::FormatError;

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
    /// Empty where the capture takes the rest of the line.
    literal: String,
    finder: Finder<'static>,
}

/// The columns that the captures name.
pub(crate) fn columns(text: &str) -> Result<Vec<ColumnSpec>, FormatError> {
    let (_, captures) = parts(text)?;
    let named = captures.iter().filter(|(name, _)| *name != "_");
    Ok(named.map(|(name, _)| ColumnSpec::text(*name)).collect())
}

/// A scanner that fills `columns`.
pub(crate) fn scanner(text: &str, columns: &[ColumnSpec]) -> Result<Arc<dyn Scanner>, FormatError> {
    Ok(Arc::new(Pattern::try_new(text, columns)?))
}

impl Pattern {
    fn try_new(text: &str, columns: &[ColumnSpec]) -> Result<Self, FormatError> {
        let (prefix, captures) = parts(text)?;
        let names: Vec<&str> = captures.iter().map(|(name, _)| *name).collect();
        for column in columns {
            if column.name == "_" || !names.contains(&column.name.as_str()) {
                let fields: Vec<&str> = names.into_iter().filter(|name| *name != "_").collect();
                return Err(FormatError::no_field(&column.name, &fields));
            }
        }
        let capture = |(name, literal): &(&str, &str)| Capture {
            slot: columns.iter().position(|column| column.name == *name),
            literal: (*literal).to_string(),
            finder: Finder::new(literal.as_bytes()).into_owned(),
        };
        Ok(Self { prefix: prefix.to_string(), captures: captures.iter().map(capture).collect() })
    }
}

impl Scanner for Pattern {
    fn scan(&self, line: &str, fields: &mut Fields) -> Result<(), Mismatch> {
        if !line.starts_with(&self.prefix) {
            return Err(Mismatch { offset: 0, part: 0 });
        }
        let mut at = self.prefix.len();
        for (part, capture) in self.captures.iter().enumerate() {
            let end = if capture.literal.is_empty() {
                line.len()
            } else {
                let found = capture.finder.find(&line.as_bytes()[at..]);
                at + found.ok_or(Mismatch { offset: at, part: part + 1 })?
            };
            if let Some(slot) = capture.slot {
                fields.set(slot, at..end);
            }
            at = end + capture.literal.len();
        }
        Ok(())
    }

    fn describe(&self, _line: &str, mismatch: Mismatch) -> String {
        let literal = match mismatch.part.checked_sub(1) {
            None => &self.prefix,
            Some(capture) => &self.captures[capture].literal,
        };
        format!("no `{literal}` from byte {} on", mismatch.offset + 1)
    }
}

/// What the pattern begins with, and each capture with the literal behind it.
fn parts(text: &str) -> Result<(&str, Vec<(&str, &str)>), FormatError> {
    let mut captures: Vec<(&str, &str)> = Vec::new();
    let mut rest = text;
    let mut prefix = None;
    // Where the literal in front of the next capture starts.
    let mut literal = text;
    let mut searched = 0;
    while let Some(open) = rest[searched..].find('<').map(|at| at + searched) {
        let inside = &rest[open + 1..];
        let Some(name) = inside.split('>').next().filter(|name| is_name(name, inside)) else {
            searched = open + 1;
            continue;
        };
        let before = &literal[..literal.len() - (rest.len() - open)];
        if before.is_empty() && prefix.is_some() {
            let offset = text.len() - rest.len() + open;
            return Err(FormatError::new("nothing stands between two captures")
                .at(offset)
                .with_hint("a capture ends where the text behind it begins"));
        }
        match captures.last_mut() {
            None => prefix = Some(before),
            Some(last) => last.1 = before,
        }
        if name != "_" && captures.iter().any(|(other, _)| *other == name) {
            let offset = text.len() - rest.len() + open;
            return Err(FormatError::new(format!("two captures are named `{name}`")).at(offset));
        }
        captures.push((name, ""));
        rest = &inside[name.len() + 1..];
        literal = rest;
        searched = 0;
    }
    let Some(prefix) = prefix else {
        return Err(FormatError::new("the pattern has no capture")
            .with_hint("write <name> for what becomes a column, <_> for what is skipped"));
    };
    if let Some(last) = captures.last_mut() {
        last.1 = literal;
    }
    Ok((prefix, captures))
}

/// Whether `name` is a name with a `>` behind it.
fn is_name(name: &str, inside: &str) -> bool {
    let mut letters = name.bytes();
    inside.len() > name.len()
        && letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == b'_')
}
