//! Text without the colours of terminals.

use std::borrow::Cow;

use memchr::memchr2;

const ESCAPE: char = '\u{1b}';

/// CSI as a single character.
const CSI: char = '\u{9b}';

/// `text` without the escape sequences of ECMA-48
/// (<https://ecma-international.org/publications-and-standards/standards/ecma-48/>): colours, moves
/// of the cursor, titles of windows and links. A sequence that does not end loses only what makes
/// it one.
pub fn strip_ansi(text: &str) -> Cow<'_, str> {
    // U+009B is written C2 9B.
    if memchr2(0x1b, 0x9b, text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find([ESCAPE, CSI]) {
        plain.push_str(&rest[..at]);
        rest = after_sequence(&rest[at..]);
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// What stands behind the sequence that `text` begins with.
fn after_sequence(text: &str) -> &str {
    if let Some(rest) = text.strip_prefix(CSI) {
        return after_control(rest);
    }
    let rest = &text[ESCAPE.len_utf8()..];
    match rest.bytes().next() {
        Some(b'[') => after_control(&rest[1..]),
        Some(b']' | b'P' | b'X' | b'^' | b'_') => after_string(&rest[1..]),
        Some(0x20..=0x7e) => {
            let rest = rest.trim_start_matches(|letter| matches!(letter, ' '..='/'));
            rest.strip_prefix(|letter| matches!(letter, '0'..='~')).unwrap_or(rest)
        }
        _ => rest,
    }
}

/// Behind parameters, intermediate characters and the final one of a control sequence.
fn after_control(text: &str) -> &str {
    let rest = text.trim_start_matches(|letter| matches!(letter, '0'..='?'));
    let rest = rest.trim_start_matches(|letter| matches!(letter, ' '..='/'));
    rest.strip_prefix(|letter| matches!(letter, '@'..='~')).unwrap_or(rest)
}

/// Behind a string that BEL or `ESC \` ends.
fn after_string(text: &str) -> &str {
    match text.find(['\u{7}', ESCAPE, '\u{9c}']) {
        Some(end) if text[end..].starts_with("\u{1b}\\") => &text[end + 2..],
        Some(end) if !text[end..].starts_with(ESCAPE) => {
            &text[end + text[end..].chars().next().map_or(0, char::len_utf8)..]
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(strip_ansi(text), expected, "{text:?}");
    }

    #[test]
    fn sequences_are_taken_out() {
        check("plain ü", "plain ü");
        check("\u{1b}[31mred\u{1b}[0m ü", "red ü");
        check("\u{1b}[38;5;196;1mx\u{1b}[K", "x");
        check("\u{9b}1mx", "x");
        check("\u{1b}]0;title\u{7}x", "x");
        check("\u{1b}]8;;http://a/\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link");
        check("\u{1b}(Bx\u{1b}7y\u{1b}=z", "xyz");
    }

    #[test]
    fn broken_sequences_lose_little() {
        check("a\u{1b}", "a");
        check("a\u{1b}[", "a");
        check("a\u{1b}[31", "a");
        check("a\u{1b}]0;title", "a0;title");
        check("a\u{1b}ü", "aü");
        check("a\u{1b}\u{1b}[1mb", "ab");
    }

    proptest! {
        #[test]
        fn nothing_is_left_of_them(text in "([ -~é\u{1b}\u{9b}\u{7}]|\u{1b}\\[|\\PC){0,40}") {
            let plain = strip_ansi(&text);
            prop_assert!(!plain.contains([ESCAPE, CSI]));
            prop_assert_eq!(strip_ansi(&plain), &*plain);
        }

        #[test]
        fn other_text_stays(text in "\\PC{0,40}") {
            prop_assert_eq!(&*strip_ansi(&text), &*text);
        }
    }
}
