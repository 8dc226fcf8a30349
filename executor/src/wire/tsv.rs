//! TSV: tabs between fields, with escapes; `\N` is NULL.

use std::borrow::Cow;

use arrow::array::{Array, StringViewArray};

pub(super) fn write(columns: &[StringViewArray]) -> Vec<u8> {
    let rows = columns.first().map_or(0, Array::len);
    let bytes: usize = columns.iter().map(|column| column.total_bytes_len() + rows).sum();
    let mut text = Vec::with_capacity(bytes);
    for row in 0..rows {
        for (position, column) in columns.iter().enumerate() {
            if position > 0 {
                text.push(b'\t');
            }
            if column.is_null(row) {
                text.extend_from_slice(br"\N");
            } else {
                escape_into(&mut text, column.value(row).as_bytes());
            }
        }
        text.push(b'\n');
    }
    text
}

fn escape_into(text: &mut Vec<u8>, mut value: &[u8]) {
    let special = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b'\\');
    while let Some(at) = value.iter().position(special) {
        text.extend_from_slice(&value[..at]);
        text.push(b'\\');
        text.push(match value[at] {
            b'\t' => b't',
            b'\n' => b'n',
            b'\r' => b'r',
            _ => b'\\',
        });
        value = &value[at + 1..];
    }
    text.extend_from_slice(value);
}

/// The value of a field: escapes undone, `None` for NULL. A backslash before anything else is a
/// backslash.
pub(super) fn unescape(field: &str) -> Option<Cow<'_, str>> {
    if field == r"\N" {
        return None;
    }
    if !field.contains('\\') {
        return Some(Cow::Borrowed(field));
    }
    let mut value = String::with_capacity(field.len());
    let mut characters = field.chars().peekable();
    while let Some(character) = characters.next() {
        let meant = match (character, characters.peek()) {
            ('\\', Some('t')) => '\t',
            ('\\', Some('n')) => '\n',
            ('\\', Some('r')) => '\r',
            ('\\', Some('\\')) => '\\',
            _ => {
                value.push(character);
                continue;
            }
        };
        characters.next();
        value.push(meant);
    }
    Some(Cow::Owned(value))
}
