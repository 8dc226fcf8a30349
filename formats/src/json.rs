//! An object of JSON on each line, as RFC 8259 has it.
//!
//! A column's name is a key, or a path such as `a.b` or `a.0` into nested objects and arrays. Where a
//! key has dots itself it wins over a path; where a key comes twice, the last one counts. Strings
//! lose their escapes, a surrogate without its other half becoming U+FFFD; objects and arrays are
//! text as they stand. The whole line is checked, whatever is looked at.

mod discover;
mod paths;
mod reader;
mod strings;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub(crate) use discover::discover;
pub(crate) use reader::is_number;
pub(crate) use strings::unescape;

use self::paths::{Edge, Node, Target};
use self::reader::{Missing, Reader, Value};
use crate::column::ColumnSpec;
use crate::scan::{Fields, Mismatch, NO_RANK, Scanner};
use crate::spec::FormatError;

/// A scanner that fills `columns`.
pub(crate) fn scanner(columns: &[ColumnSpec]) -> Result<Arc<dyn Scanner>, FormatError> {
    let mut root = Node::default();
    for (slot, column) in columns.iter().enumerate() {
        root.add_path(&column.name, slot);
    }
    root.finish();
    Ok(Arc::new(Json { root }))
}

/// Finds the values of keys.
#[derive(Debug)]
struct Json {
    root: Node,
}

impl Scanner for Json {
    fn scan(&self, line: &str, fields: &mut Fields) -> Result<(), Mismatch> {
        let mut reader = Reader::new(line);
        if reader.peek() != Some(b'{') {
            return Err(reader.missing(Missing::Object));
        }
        object(&mut reader, &self.root, 0, fields)?;
        match reader.peek() {
            None => Ok(()),
            Some(_) => Err(reader.missing(Missing::End)),
        }
    }

    fn describe(&self, _line: &str, mismatch: Mismatch) -> String {
        reader::describe(mismatch)
    }
}

/// Reads an object and fills slots with what its keys hold. `depth` objects and arrays are around it.
fn object(
    reader: &mut Reader<'_>,
    node: &Node,
    depth: usize,
    fields: &mut Fields,
) -> Result<(), Mismatch> {
    if !reader.open(b'}') {
        return Ok(());
    }
    let mut next = 0;
    loop {
        let key = reader.key()?;
        let found = if key.is_escaped {
            let mut plain = String::new();
            strings::unescape(reader.text(&key.range), &mut plain);
            node.keys.find(&plain, &mut next)
        } else {
            node.keys.find(reader.text(&key.range), &mut next)
        };
        match found {
            Some(position) => value(reader, &node.edges[position], depth + 1, fields)?,
            None => reader.skip(depth + 1)?,
        }
        if !reader.next_member(b'}', Missing::CommaOrBrace)? {
            return Ok(());
        }
    }
}

/// Reads an array whose elements are wanted by their index.
fn array(
    reader: &mut Reader<'_>,
    node: &Node,
    depth: usize,
    fields: &mut Fields,
) -> Result<(), Mismatch> {
    if !reader.open(b']') {
        return Ok(());
    }
    let mut index = 0;
    loop {
        match node.edge_of_index(index) {
            Some(edge) => value(reader, edge, depth + 1, fields)?,
            None => reader.skip(depth + 1)?,
        }
        index += 1;
        if !reader.next_member(b']', Missing::CommaOrBracket)? {
            return Ok(());
        }
    }
}

/// Reads the value behind a key that is wanted, or that leads to what is.
fn value(
    reader: &mut Reader<'_>,
    edge: &Edge,
    depth: usize,
    fields: &mut Fields,
) -> Result<(), Mismatch> {
    let Some(node) = &edge.node else {
        let value = reader.value(depth)?;
        edge.targets.iter().for_each(|target| set(reader, fields, target, &value));
        return Ok(());
    };
    // If the key came before, what was in it does not count any more.
    for target in &edge.below {
        if fields.rank(target.slot) == target.rank {
            fields.set_null(target.slot);
            fields.set_rank(target.slot, NO_RANK);
        }
    }
    let value = match reader.peek() {
        Some(first @ (b'{' | b'[')) => {
            reader.check_depth(depth)?;
            let start = reader.position();
            match first {
                b'{' => object(reader, node, depth, fields)?,
                _ => array(reader, node, depth, fields)?,
            }
            Value::Plain(start..reader.position())
        }
        _ => reader.value(depth)?,
    };
    edge.targets.iter().for_each(|target| set(reader, fields, target, &value));
    Ok(())
}

fn set(reader: &Reader<'_>, fields: &mut Fields, target: &Target, value: &Value) {
    let slot = target.slot;
    if !fields.is_needed(slot) {
        return;
    }
    if target.has_rivals {
        if fields.rank(slot) < target.rank {
            return;
        }
        fields.set_rank(slot, target.rank);
    }
    match value {
        Value::Null => fields.set_null(slot),
        Value::Plain(range) => fields.set(slot, range.clone()),
        Value::Escaped(range) => {
            let text = reader.text(range);
            fields.set_rewritten(slot, |plain| strings::unescape(text, plain));
        }
    }
}
