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
            let _ = found.object(&mut Reader::new(line), &Path::default());
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
    /// Where the keys in its name end.
    ends: Vec<usize>,
    /// Other keys, or an element of an array, have the same name: `a.b` in an object, and `b` in the
    /// object `a`.
    is_ambiguous: bool,
}

/// The keys that lead to an object.
#[derive(Debug, Clone, Default)]
struct Path {
    /// With a dot behind each.
    prefix: String,
    /// Where they end in it.
    ends: Vec<usize>,
}

impl Path {
    /// How deep what stands behind them is.
    fn depth(&self) -> usize {
        self.ends.len() + 1
    }

    /// Whether `a.0` may be an element of an array as well.
    fn may_lead_into_array(&self) -> bool {
        let is_index = |key: &str| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
        self.prefix.split('.').skip(1).any(is_index)
    }

    /// The path of a key, by its whole name.
    fn with(&self, name: &str) -> Self {
        let mut ends = self.ends.clone();
        ends.push(name.len());
        Self { prefix: format!("{name}."), ends }
    }
}

impl Found {
    /// Goes through the object at `path` of a valid line.
    fn object(&mut self, reader: &mut Reader<'_>, path: &Path) -> Result<(), Mismatch> {
        reader.peek();
        if !reader.open(b'}') {
            return Ok(());
        }
        loop {
            let key = reader.key()?;
            let mut name = path.prefix.clone();
            strings::unescape(reader.text(&key.range), &mut name);
            let path = path.with(&name);
            match self.position(&name, &path) {
                Some(position) => self.value(reader, &path, position)?,
                // It has no column, but what is in it has.
                None if name.is_empty() && reader.peek() == Some(b'{') => {
                    self.object(reader, &path)?;
                }
                None => reader.skip(path.depth() - 1)?,
            }
            if !reader.next_member(b'}', Missing::CommaOrBrace)? {
                return Ok(());
            }
        }
    }

    /// The position of a column, which is added if there is room.
    fn position(&mut self, name: &str, path: &Path) -> Option<usize> {
        if let Some(known) = self.keys.find(name, &mut 0) {
            self.seen[known].is_ambiguous |= self.seen[known].ends != path.ends;
            return Some(known);
        }
        if self.seen.len() == MAX_COLUMNS || name.is_empty() {
            return None;
        }
        let (ends, is_ambiguous) = (path.ends.clone(), path.may_lead_into_array());
        self.seen.push(Key { ends, is_ambiguous, ..Key::default() });
        Some(self.keys.add(name))
    }

    fn value(
        &mut self,
        reader: &mut Reader<'_>,
        path: &Path,
        position: usize,
    ) -> Result<(), Mismatch> {
        let depth = path.depth() - 1;
        let first = reader.peek();
        let start = reader.position();
        if first == Some(b'{') && depth < MAX_FLAT_DEPTH {
            self.object(reader, path)?;
            let is_empty = reader.text(&(start + 1..reader.position() - 1)).trim().is_empty();
            self.seen[position].is_flattened |= !is_empty;
            // It is text like other objects where it has values beside it.
            self.seen[position].is_ambiguous |= is_empty;
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
                // Which of the keys a line is read by is not what was seen here.
                (false, _) if key.is_ambiguous => columns.push(ColumnSpec::text(name)),
                (false, _) => columns.push(key.values.column(name)),
            }
        }
        columns
    }
}
