//! Strings and keys of JSON.

use std::collections::HashSet;
use std::fmt::Write;

/// The JSON of a key, with its colon.
pub(super) fn key(name: &str) -> String {
    let mut key = String::new();
    write_string(name, &mut key);
    key.push(':');
    key
}

/// Gives a name that comes again a number, `a`, `a_2`, `a_3`, for a reader of JSON keeps only one
/// of two values under the same key.
pub(super) fn unique_names<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Vec<String> {
    let mut taken: HashSet<String> = names.clone().map(str::to_owned).collect();
    let mut seen = HashSet::new();
    names
        .map(|name| {
            if seen.insert(name) {
                return name.to_owned();
            }
            let mut number = 2;
            while !taken.insert(format!("{name}_{number}")) {
                number += 1;
            }
            format!("{name}_{number}")
        })
        .collect()
}

/// Appends `text` as a JSON string.
pub(super) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| b < 0x20 || b == b'"' || b == b'\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => {
                let _ = write!(out, "\\u{control:04x}"); // a String takes everything
            }
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}
