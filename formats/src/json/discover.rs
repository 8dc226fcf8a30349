//! The columns that lines of JSON show.

use arrow_array::StringViewArray;

use super::reader::{Missing, Reader};
use super::strings;
use crate::column::ColumnSpec;
use crate::keys::Keys;
use crate::narrow::Seen;
use crate::scan::Mismatch;

/// More columns are not discovered; `AS` can name any key.
const MAX_COLUMNS: usize = 1000;

/// Objects in each other whose keys become columns; deeper ones are text.
const MAX_FLAT_DEPTH: usize = 5;

/// The columns that the lines show. The keys of nested objects are columns `a.b`, arrays are text;
/// a key without a name is left out.
pub(crate) fn discover(sample: &StringViewArray) -> Vec<ColumnSpec> {
    let mut found = Found::default();
    for line in sample.iter().flatten() {
        // A line that does not match shows nothing.
        if is_object(line) {
            let _ = found.object(&mut Reader::new(line), "", 1);
        }
    }
    found.columns()
}

fn is_object(line: &str) -> bool {
    let mut reader = Reader::new(line);
    reader.peek() == Some(b'{') && reader.skip(0).is_ok() && reader.peek().is_none()
}

/// Keys in the order of their first appearance.
#[derive(Debug, Default)]
struct Found {
    keys: Keys,
    seen: Vec<Key>,
}

/// What was seen of a key.
#[derive(Debug, Default)]
struct Key {
    values: Seen,
    /// It had an object in it whose keys are columns themselves.
    is_flattened: bool,
}

impl Found {
    /// Goes through an object of a valid line; its keys' names begin with `prefix`.
    fn object(
        &mut self,
        reader: &mut Reader<'_>,
        prefix: &str,
        depth: usize,
    ) -> Result<(), Mismatch> {
        reader.peek();
        if !reader.open(b'}') {
            return Ok(());
        }
        loop {
            let key = reader.key()?;
            let mut name = prefix.to_string();
            strings::unescape(reader.text(&key.range), &mut name);
            match self.position(&name) {
                Some(position) => self.value(reader, &name, position, depth)?,
                None => reader.skip(depth)?,
            }
            if !reader.next_member(b'}', Missing::CommaOrBrace)? {
                return Ok(());
            }
        }
    }

    /// The position of a column, which is added if there is room.
    fn position(&mut self, name: &str) -> Option<usize> {
        let known = self.keys.find(name, &mut 0);
        if known.is_some() || self.seen.len() == MAX_COLUMNS || name.is_empty() {
            return known;
        }
        self.seen.push(Key::default());
        Some(self.keys.add(name))
    }

    fn value(
        &mut self,
        reader: &mut Reader<'_>,
        name: &str,
        position: usize,
        depth: usize,
    ) -> Result<(), Mismatch> {
        let first = reader.peek();
        let start = reader.position();
        if first == Some(b'{') && depth < MAX_FLAT_DEPTH {
            self.object(reader, &format!("{name}."), depth + 1)?;
            let is_empty = reader.text(&(start + 1..reader.position() - 1)).trim().is_empty();
            self.seen[position].is_flattened |= !is_empty;
            return Ok(());
        }
        reader.skip(depth)?;
        let text = reader.text(&(start..reader.position()));
        let values = &mut self.seen[position].values;
        match first {
            Some(b'n') => {}
            Some(b't' | b'f') => values.boolean(),
            Some(b'"') => {
                let mut plain = String::new();
                strings::unescape(&text[1..text.len() - 1], &mut plain);
                values.string(&plain);
            }
            Some(b'-' | b'0'..=b'9') => values.number(text),
            _ => values.text(),
        }
        Ok(())
    }

    fn columns(self) -> Vec<ColumnSpec> {
        let mut columns = Vec::with_capacity(self.seen.len());
        for (position, key) in self.seen.into_iter().enumerate() {
            let name = self.keys.key(position);
            match (key.is_flattened, key.values.is_empty()) {
                (true, true) => {}
                // Where it is an object it is text, so that nothing is lost.
                (true, false) => columns.push(ColumnSpec::text(name)),
                (false, _) => columns.push(key.values.column(name)),
            }
        }
        columns
    }
}
