//! The text of a pattern, in parts.

use crate::spec::FormatError;

/// A pattern, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// The literal in front of the first capture.
    pub(super) prefix: &'a str,
    /// At least one of them has a name.
    pub(super) captures: Vec<Capture<'a>>,
}

/// A capture with what stands behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Capture<'a> {
    /// `_` for one that is skipped.
    pub(super) name: &'a str,
    /// Empty behind the last capture only.
    pub(super) literal: &'a str,
}

impl<'a> Parts<'a> {
    /// Takes `text` apart. What is not `<name>`, of ASCII letters, digits and `_`, is a literal.
    pub(super) fn parse(text: &'a str) -> Result<Self, FormatError> {
        let mut parts = Self { prefix: "", captures: Vec::new() };
        let mut literal_start = 0;
        let mut at = 0;
        while let Some(open) = text[at..].find('<').map(|found| at + found) {
            at = open + 1;
            let Some(name) = name(&text[at..]) else { continue };
            let literal = &text[literal_start..open];
            parts.end(literal);
            parts.check(name, literal).map_err(|error| error.at(open))?;
            parts.captures.push(Capture { name, literal: "" });
            at += name.len() + 1;
            literal_start = at;
        }
        parts.end(&text[literal_start..]);
        if parts.names().next().is_none() {
            return Err(FormatError::new("the pattern has no capture with a name")
                .with_hint("write <name> for what becomes a column, <_> for what is skipped"));
        }
        Ok(parts)
    }

    /// The names of the captures that have one.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.captures.iter().map(|capture| capture.name).filter(|name| *name != "_")
    }

    /// Puts a literal behind what is there.
    fn end(&mut self, literal: &'a str) {
        match self.captures.last_mut() {
            None => self.prefix = literal,
            Some(capture) => capture.literal = literal,
        }
    }

    /// Whether a capture may follow `literal`.
    fn check(&self, name: &str, literal: &str) -> Result<(), FormatError> {
        if literal.is_empty() && !self.captures.is_empty() {
            return Err(FormatError::new("nothing stands between two captures")
                .with_hint("a capture ends where the text behind it begins"));
        }
        if self.names().any(|other| other == name) {
            return Err(FormatError::new(format!("two captures are named `{name}`")));
        }
        Ok(())
    }
}

/// The name at the start of `text`, if a `>` is behind it.
fn name(text: &str) -> Option<&str> {
    let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'_';
    let length = text.bytes().position(|letter| !is_letter(letter))?;
    let is_name = !text.starts_with(|first: char| first.is_ascii_digit());
    (length > 0 && is_name && text.as_bytes()[length] == b'>').then(|| &text[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, prefix: &str, captures: &[(&str, &str)]) {
        let parts = Parts::parse(text).unwrap();
        let found: Vec<_> =
            parts.captures.iter().map(|capture| (capture.name, capture.literal)).collect();
        assert_eq!((parts.prefix, found.as_slice()), (prefix, captures), "{text}");
    }

    fn check_refused(text: &str, message: &str, offset: Option<usize>) {
        let error = Parts::parse(text).unwrap_err();
        assert_eq!((error.message.as_str(), error.offset), (message, offset), "{text}");
    }

    #[test]
    fn takes_patterns_apart() {
        check("<a>", "", &[("a", "")]);
        check("<a> - <b>", "", &[("a", " - "), ("b", "")]);
        check("[<a>] <_> <_> <b>!", "[", &[("a", "] "), ("_", " "), ("_", " "), ("b", "!")]);
        check("→<a>→<_b2>→", "→", &[("a", "→"), ("_b2", "→")]);
        check("<A>,<a>", "", &[("A", ","), ("a", "")]);
        check("<__>", "", &[("__", "")]);
    }

    #[test]
    fn what_is_no_capture_is_literal() {
        check("<<a>", "<", &[("a", "")]);
        check("<<a>>", "<", &[("a", ">")]);
        check("<1a><a>", "<1a>", &[("a", "")]);
        check("<a b> <a>", "<a b> ", &[("a", "")]);
        check("<> <a>", "<> ", &[("a", "")]);
        check("<ä> <a>", "<ä> ", &[("a", "")]);
        check("<a<b>", "<a", &[("b", "")]);
        check("<a> <b", "", &[("a", " <b")]);
        check("<a> <", "", &[("a", " <")]);
        check("a > <a-b> <c>", "a > <a-b> ", &[("c", "")]);
    }

    #[test]
    fn refuses_what_cannot_be_found() {
        check_refused("", "the pattern has no capture with a name", None);
        check_refused("abc <1>", "the pattern has no capture with a name", None);
        check_refused("<_> - <_>", "the pattern has no capture with a name", None);
        check_refused("<a><b>", "nothing stands between two captures", Some(3));
        check_refused("é<a> <_><b>", "nothing stands between two captures", Some(9));
        check_refused("<a> <b> <a>", "two captures are named `a`", Some(8));
    }
}
