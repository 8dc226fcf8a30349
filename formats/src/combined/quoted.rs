//! Text in quotes.
//!
//! Apache writes `\"` and `\\`, nginx `\x22` and `\x5C`: these become a quote and a backslash again.
//! All other escapes stay as they stand, such as `\x16`: their bytes need not be text, and nobody
//! wants control characters in a table.

use memchr::{memchr, memchr2};

/// How many bytes stand in front of the quote that ends the text, and whether there is a backslash
/// among them. A quote behind a backslash is part of the text.
pub(super) fn length(text: &[u8]) -> Option<(usize, bool)> {
    let mut at = 0;
    loop {
        let found = at + memchr2(b'"', b'\\', text.get(at..)?)?;
        if text[found] == b'"' {
            return Some((found, at > 0));
        }
        at = found + 2;
    }
}

/// Whether [`unescape`] would change anything.
pub(super) fn has_escape(text: &str) -> bool {
    memchr::memchr_iter(b'\\', text.as_bytes()).any(|at| escape(&text.as_bytes()[at..]).is_some())
}

/// Appends `text` with quotes and backslashes in the place of their escapes.
pub(super) fn unescape(mut text: &str, output: &mut String) {
    while let Some(at) = memchr(b'\\', text.as_bytes()) {
        output.push_str(&text[..at]);
        let (letter, length) = escape(&text.as_bytes()[at..]).unwrap_or(('\\', 1));
        output.push(letter);
        text = &text[at + length..];
    }
    output.push_str(text);
}

/// The letter that is escaped at the start of `text`, and the length of the escape.
fn escape(text: &[u8]) -> Option<(char, usize)> {
    match text {
        [b'\\', b'"', ..] => Some(('"', 2)),
        [b'\\', b'\\', ..] => Some(('\\', 2)),
        [b'\\', b'x', b'2', b'2', ..] => Some(('"', 4)),
        [b'\\', b'x', b'5', b'C' | b'c', ..] => Some(('\\', 4)),
        _ => None,
    }
}
