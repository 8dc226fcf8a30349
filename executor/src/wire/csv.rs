//! CSV as PostgreSQL's COPY has it.

use std::borrow::Cow;

use arrow::array::{Array, StringViewArray};
use memchr::{memchr, memchr2, memchr3};

/// A NULL is nothing, and an empty string `""`.
pub(super) fn write(columns: &[StringViewArray]) -> Vec<u8> {
    let rows = columns.first().map_or(0, Array::len);
    let bytes: usize = columns.iter().map(|column| column.total_bytes_len() + rows).sum();
    let mut text = Vec::with_capacity(bytes);
    for row in 0..rows {
        for (position, column) in columns.iter().enumerate() {
            if position > 0 {
                text.push(b',');
            }
            if column.is_valid(row) {
                write_value(&mut text, column.value(row).as_bytes());
            }
        }
        text.push(b'\n');
    }
    text
}

fn write_value(text: &mut Vec<u8>, mut value: &[u8]) {
    if !needs_quotes(value) {
        text.extend_from_slice(value);
        return;
    }
    text.push(b'"');
    while let Some(quote) = memchr(b'"', value) {
        text.extend_from_slice(&value[..=quote]);
        text.push(b'"');
        value = &value[quote + 1..];
    }
    text.extend_from_slice(value);
    text.push(b'"');
}

fn needs_quotes(value: &[u8]) -> bool {
    let (Some(first), Some(last)) = (value.first(), value.last()) else { return true };
    first.is_ascii_whitespace()
        || last.is_ascii_whitespace()
        || memchr3(b'"', b',', b'\n', value).is_some()
        || memchr(b'\r', value).is_some()
}

/// Hands each field of a record to `take`: `None` for NULL. As in PostgreSQL, quotes may begin and
/// end anywhere in a field.
pub(super) fn read_record<'a>(record: &'a str, mut take: impl FnMut(Option<Cow<'a, str>>)) {
    let mut rest = Some(record);
    while let Some(text) = rest {
        let special = memchr2(b',', b'"', text.as_bytes());
        if special.is_some_and(|special| text.as_bytes()[special] == b'"') {
            let (value, after) = read_quoted(text);
            take(Some(Cow::Owned(value)));
            rest = after;
            continue;
        }
        let field = &text[..special.unwrap_or(text.len())];
        take((!field.is_empty()).then_some(Cow::Borrowed(field)));
        rest = special.map(|comma| &text[comma + 1..]);
    }
}

/// The value of the first field, which has quotes in it, and what comes after its comma.
fn read_quoted(text: &str) -> (String, Option<&str>) {
    let mut value = String::new();
    let mut rest = text;
    let mut is_quoted = false;
    loop {
        let special = if is_quoted {
            memchr(b'"', rest.as_bytes())
        } else {
            memchr2(b',', b'"', rest.as_bytes())
        };
        let Some(special) = special else {
            value.push_str(rest);
            return (value, None);
        };
        value.push_str(&rest[..special]);
        let after = &rest[special + 1..];
        if rest.as_bytes()[special] == b',' {
            return (value, Some(after));
        }
        rest = match after.strip_prefix('"') {
            Some(after) if is_quoted => {
                value.push('"');
                after
            }
            _ => {
                is_quoted = !is_quoted;
                after
            }
        };
    }
}
