//! `level=info msg="two words" flag`, as go-kit and Heroku write it.
//!
//! Words stand between spaces. A word with `=` is a key and its value; all behind the first `=` is
//! the value, more `=` and quotes inside of it too. A value that begins with a quote ends with one,
//! and loses its escapes, those of JSON; what is none stands for itself. A word without `=` is a key
//! whose value is `true`. Where a key comes twice, the last one counts. A line without any
//! `key=value` does not match.

mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::StringViewArray;

use self::words::{Value, Words};
use crate::column::ColumnSpec;
use crate::json::unescape;
use crate::keys::Keys;
use crate::narrow::Seen;
use crate::scan::{Fields, Mismatch, Scanner};
use crate::spec::FormatError;

/// More columns are not discovered; `AS` can name any key.
const MAX_COLUMNS: usize = 1000;

const TRUE: &str = "true";

/// A scanner that fills `columns`.
pub(crate) fn scanner(columns: &[ColumnSpec]) -> Result<Arc<dyn Scanner>, FormatError> {
    let mut logfmt = Logfmt { keys: Keys::default(), slots: Vec::new() };
    for (slot, column) in columns.iter().enumerate() {
        let position = logfmt.keys.add(&column.name);
        logfmt.slots.resize_with(logfmt.keys.len(), Vec::new);
        logfmt.slots[position].push(slot);
    }
    Ok(Arc::new(logfmt))
}

/// Finds the values of keys.
#[derive(Debug)]
struct Logfmt {
    keys: Keys,
    /// For each key the slots of its columns.
    slots: Vec<Vec<usize>>,
}

impl Scanner for Logfmt {
    fn scan(&self, line: &str, fields: &mut Fields) -> Result<(), Mismatch> {
        let mut words = Words::new(line);
        let mut next = 0;
        while let Some((key, value)) = words.next()? {
            let Some(position) = self.keys.find(key, &mut next) else { continue };
            for slot in &self.slots[position] {
                if fields.is_needed(*slot) {
                    set(line, *slot, &value, fields);
                }
            }
        }
        words.finish()
    }

    fn describe(&self, _line: &str, mismatch: Mismatch) -> String {
        words::describe(mismatch)
    }
}

fn set(line: &str, slot: usize, value: &Value, fields: &mut Fields) {
    match value {
        Value::Missing => fields.set_rewritten(slot, |plain| plain.push_str(TRUE)),
        Value::Plain(range) => fields.set(slot, range.clone()),
        Value::Escaped(range) => {
            let text = &line[range.clone()];
            fields.set_rewritten(slot, |plain| unescape(text, plain));
        }
    }
}

/// The columns that the lines show.
pub(crate) fn discover(sample: &StringViewArray) -> Vec<ColumnSpec> {
    let mut keys = Keys::default();
    let mut seen: Vec<Seen> = Vec::new();
    for line in sample.iter().flatten() {
        // A line that does not match shows nothing.
        let Ok(pairs) = pairs(line) else { continue };
        for (key, value) in pairs {
            if keys.find(key, &mut 0).is_none() && keys.len() == MAX_COLUMNS {
                continue;
            }
            let position = keys.add(key);
            seen.resize(keys.len(), Seen::default());
            see(line, &value, &mut seen[position]);
        }
    }
    seen.iter().enumerate().map(|(position, seen)| seen.column(keys.key(position))).collect()
}

fn pairs(line: &str) -> Result<Vec<(&str, Value)>, Mismatch> {
    let mut words = Words::new(line);
    let mut pairs = Vec::new();
    while let Some(pair) = words.next()? {
        pairs.push(pair);
    }
    words.finish().map(|()| pairs)
}

fn see(line: &str, value: &Value, seen: &mut Seen) {
    let mut plain = String::new();
    let text = match value {
        Value::Missing => TRUE,
        Value::Plain(range) => &line[range.clone()],
        Value::Escaped(range) => {
            unescape(&line[range.clone()], &mut plain);
            &plain
        }
    };
    seen.word(text);
}
