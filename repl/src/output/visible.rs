//! Text that a person reads: escaped where it could not be seen, or could give orders to the
//! terminal, and cut to a width.

use std::borrow::Cow;
use std::fmt::Write;

use arrow::datatypes::Schema;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// How NULL looks in a table: unlike the empty text, and unlike the text `NULL`.
pub(crate) const NULL: &str = "∅";

/// Stands at the end of a text that was cut.
const CUT: char = '…';

/// Replaces what cannot be seen: control characters (`\n`, `\x1b`), and invisible ones that turn
/// the direction of text or break lines (`\u{202e}`). A backslash stays single, so this is for
/// reading and cannot be undone.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push(character, &mut escaped);
    }
    Cow::Owned(escaped)
}

/// Appends one character, escaped if need be.
pub(super) fn push(character: char, out: &mut String) {
    if !is_hidden(character) {
        out.push(character);
        return;
    }
    let _ = match character {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\0'..='\x7f' => write!(out, "\\x{:02x}", u32::from(character)),
        _ => write!(out, "\\u{{{:x}}}", u32::from(character)),
    }; // a String takes everything
}

fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' // Arabic letter mark
            | '\u{200b}' // zero width space
            | '\u{200e}'..='\u{200f}' // marks of direction
            | '\u{2028}'..='\u{202e}' // separators of lines, embeddings and overrides
            | '\u{2060}'..='\u{206f}' // invisible operators, isolates
            | '\u{feff}' // byte order mark
            | '\u{fff9}'..='\u{fffb}' // interlinear annotations
        )
}

/// Columns that `text` takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Cuts escaped text to `columns` of a terminal, between characters as a reader knows them; a cut
/// is marked by `…`.
pub(crate) fn shorten(text: &str, columns: usize) -> Cow<'_, str> {
    // A byte never takes more than one column, so short texts need no measuring.
    if text.len() <= columns || width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() {
        return Cow::Owned(format!("{}{CUT}", &text[..columns.saturating_sub(1)]));
    }
    let mut shortened = String::new();
    let mut free = columns.saturating_sub(1);
    for grapheme in text.graphemes(true) {
        let Some(left) = free.checked_sub(width(grapheme)) else { break };
        free = left;
        shortened.push_str(grapheme);
    }
    shortened.push(CUT);
    Cow::Owned(shortened)
}

/// Which columns hold numbers, and are aligned to the right.
pub(super) fn numeric_columns(schema: &Schema) -> Vec<bool> {
    schema.fields().iter().map(|field| field.data_type().is_numeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_cannot_be_seen() {
        fn check(text: &str, expected: &str) {
            assert_eq!(escape(text), expected);
        }
        check("plain, \\ and ünïcödé 日本 👩‍👩‍👧", "plain, \\ and ünïcödé 日本 👩‍👩‍👧");
        check("a\nb\r\n\tc", "a\\nb\\r\\n\\tc");
        check("\0\x07\x1b[31m\x7f", "\\x00\\x07\\x1b[31m\\x7f");
        check("\u{9b}31m\u{85}", "\\u{9b}31m\\u{85}");
        check("\u{202e}gnp.exe\u{2066}\u{200f}", "\\u{202e}gnp.exe\\u{2066}\\u{200f}");
        check("\u{feff}a\u{200b}\u{2028}", "\\u{feff}a\\u{200b}\\u{2028}");
    }

    #[test]
    fn shortens_between_graphemes() {
        fn check(text: &str, columns: usize, expected: &str) {
            let shortened = shorten(text, columns);
            assert_eq!(shortened, expected, "{text:?} in {columns}");
            assert!(width(&shortened) <= columns.max(1), "{shortened:?}");
        }
        check("abc", 3, "abc");
        check("abcd", 3, "ab…");
        check("abcd", 1, "…");
        check("abcd", 0, "…");
        check("日本語", 6, "日本語");
        check("日本語", 5, "日本…");
        check("日本語", 4, "日…");
        check("ab\u{301}cd", 4, "ab\u{301}cd");
        check("ab\u{301}cd", 3, "ab\u{301}…");
        check("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 5, "👩‍👩‍👧👩‍👩‍👧…");
        check("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 4, "👩‍👩‍👧…");
        check("🇩🇪🇫🇷🇮🇹", 5, "🇩🇪🇫🇷…");
    }
}
