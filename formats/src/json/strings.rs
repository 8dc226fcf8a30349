//! Strings without their escapes.

/// Appends `text`, the inside of a string of JSON, without its escapes. What is no escape of JSON
/// stands for itself.
pub(crate) fn unescape(text: &str, plain: &mut String) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        plain.push_str(&rest[..at]);
        let (character, length) = escape(&rest.as_bytes()[at + 1..]);
        plain.push(character);
        rest = &rest[at + 1 + length..];
    }
    plain.push_str(rest);
}

/// The character of the escape behind a backslash, and how long it is. Behind what is no escape the
/// backslash is a character itself.
fn escape(text: &[u8]) -> (char, usize) {
    let character = match text.first() {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(byte @ (b'"' | b'\\' | b'/')) => char::from(*byte),
        Some(b'u') => return unicode(text),
        _ => return ('\\', 0),
    };
    (character, 1)
}

/// The character of `uXXXX`, or of two of them with a backslash between, which are halves of one.
fn unicode(text: &[u8]) -> (char, usize) {
    let Some(first) = hexadecimal(text) else { return ('\\', 0) };
    if let Some(character) = char::from_u32(first) {
        return (character, 5);
    }
    if let Some([b'\\', rest @ ..]) = text.get(5..)
        && let Some(second @ 0xdc00..=0xdfff) = hexadecimal(rest)
        && first < 0xdc00
    {
        let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11);
    }
    (char::REPLACEMENT_CHARACTER, 5)
}

/// The number of `uXXXX`.
fn hexadecimal(text: &[u8]) -> Option<u32> {
    let [b'u', a, b, c, d, ..] = text else { return None };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    Some(digit(a)? << 12 | digit(b)? << 8 | digit(c)? << 4 | digit(d)?)
}
