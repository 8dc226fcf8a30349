//! Reads a line from left to right.

use std::fmt;
use std::ops::Range;

use memchr::memchr;

use crate::scan::Fields;

/// A line that is being read, and the slots of its columns.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    line: &'a str,
    at: usize,
    slots: &'a [Option<usize>],
    fields: &'a mut Fields,
}

/// What the line does not have where it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Missing {
    pub(super) offset: usize,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Literal(&'static str),
    Thing(&'static str),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Literal(text) => write!(f, "no `{text}` at byte {}", self.offset + 1),
            What::Thing(text) => write!(f, "no {text} at byte {}", self.offset + 1),
        }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(line: &'a str, slots: &'a [Option<usize>], fields: &'a mut Fields) -> Self {
        Self { line, at: 0, slots, fields }
    }

    /// Bytes that were read.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Goes back, or forward, to a byte at which a character starts.
    pub(super) fn go_to(&mut self, at: usize) {
        debug_assert!(self.line.is_char_boundary(at));
        self.at = at;
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    /// The range of what was not read yet.
    pub(super) fn rest_range(&self) -> Range<usize> {
        self.at..self.line.len()
    }

    pub(super) fn text(&self, range: &Range<usize>) -> &'a str {
        &self.line[range.clone()]
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.line.len()
    }

    /// Fills a column.
    pub(super) fn set(&mut self, column: usize, range: Range<usize>) {
        if let Some(slot) = self.slots[column] {
            self.fields.set(slot, range);
        }
    }

    /// Fills a column with text that does not stand in the line.
    pub(super) fn set_text(&mut self, column: usize, text: &str) {
        if let Some(slot) = self.slots[column]
            && self.fields.is_needed(slot)
        {
            self.fields.set_rewritten(slot, |out| out.push_str(text));
        }
    }

    /// Fills a column with two parts of the line and what is put between them.
    pub(super) fn set_joined(
        &mut self,
        column: usize,
        first: Range<usize>,
        between: &str,
        second: Range<usize>,
    ) {
        if let Some(slot) = self.slots[column]
            && self.fields.is_needed(slot)
        {
            let parts = [&self.line[first], between, &self.line[second]];
            self.fields.set_rewritten(slot, |out| parts.iter().for_each(|part| out.push_str(part)));
        }
    }

    /// Fills a column, unless the field is a lone dash or empty.
    pub(super) fn set_unless_dash(&mut self, column: usize, range: Range<usize>) {
        if !matches!(self.text(&range), "-" | "") {
            self.set(column, range);
        }
    }

    pub(super) fn missing(&self, thing: &'static str) -> Missing {
        Missing { offset: self.at, what: What::Thing(thing) }
    }

    /// Reads `text` if it comes next.
    pub(super) fn accept(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    /// Reads `text`.
    pub(super) fn literal(&mut self, text: &'static str) -> Result<(), Missing> {
        if self.accept(text) {
            return Ok(());
        }
        Err(Missing { offset: self.at, what: What::Literal(text) })
    }

    /// Reads up to and with the next `text`; the range is without it.
    pub(super) fn until(&mut self, text: &'static str) -> Result<Range<usize>, Missing> {
        let start = self.at;
        let end = find(self.rest(), text).map(|found| start + found);
        let end = end.ok_or(Missing { offset: start, what: What::Literal(text) })?;
        self.at = end + text.len();
        Ok(start..end)
    }

    /// Reads what is there up to a space or the end, and the space.
    pub(super) fn word(&mut self) -> Result<Range<usize>, Missing> {
        let start = self.at;
        let rest = self.rest();
        let length = memchr(b' ', rest.as_bytes()).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.missing("word"));
        }
        self.at += length + usize::from(length < rest.len());
        Ok(start..start + length)
    }

    /// Reads at least one byte of those that `is_in` knows, which are ASCII.
    pub(super) fn some(
        &mut self,
        what: &'static str,
        is_in: impl Fn(u8) -> bool,
    ) -> Result<Range<usize>, Missing> {
        let start = self.at;
        let is_read = |byte: &&u8| byte.is_ascii() && is_in(**byte);
        let length = self.rest().as_bytes().iter().take_while(is_read).count();
        if length == 0 {
            return Err(self.missing(what));
        }
        self.at += length;
        Ok(start..self.at)
    }

    pub(super) fn digits(&mut self) -> Result<Range<usize>, Missing> {
        self.some("digit", |byte| byte.is_ascii_digit())
    }

    pub(super) fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(' ').len();
    }

    /// Reads text of a shape, in which `0` is any digit, `a` any letter and all others are
    /// themselves.
    pub(super) fn shape(
        &mut self,
        shape: &str,
        what: &'static str,
    ) -> Result<Range<usize>, Missing> {
        let start = self.at;
        let fits = |(byte, shape): (&u8, u8)| match shape {
            b'0' => byte.is_ascii_digit(),
            b'a' => byte.is_ascii_alphabetic(),
            other => *byte == other,
        };
        let bytes = self.rest().as_bytes();
        if bytes.len() < shape.len() || !bytes.iter().zip(shape.bytes()).all(fits) {
            return Err(self.missing(what));
        }
        self.at += shape.len();
        Ok(start..self.at)
    }

    /// Reads `2024-01-02 10:05:03`, or with a `T`, and a fraction and a zone if they are there.
    pub(super) fn iso_time(&mut self) -> Result<Range<usize>, Missing> {
        let start = self.at;
        self.shape("0000-00-00", "date")?;
        if !self.accept(" ") {
            self.literal("T")?;
        }
        self.shape("00:00:00", "time")?;
        self.fraction();
        self.zone();
        Ok(start..self.at)
    }

    /// Reads `.123` or `,123`, if it is there.
    pub(super) fn fraction(&mut self) {
        let bytes = self.rest().as_bytes();
        if let [b'.' | b',', rest @ ..] = bytes {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            self.at += if digits > 0 { digits + 1 } else { 0 };
        }
    }

    /// Reads `Z`, `+01:00` or `+0100`, if it is there.
    fn zone(&mut self) {
        if self.accept("Z") {
            return;
        }
        for shape in ["+00:00", "-00:00", "+0000", "-0000"] {
            if self.shape(shape, "zone").is_ok() {
                return;
            }
        }
    }

    /// Reads one of `words`, which is not followed by a letter.
    pub(super) fn one_of(
        &mut self,
        words: &[&str],
        what: &'static str,
    ) -> Result<Range<usize>, Missing> {
        let start = self.at;
        let rest = self.rest().as_bytes();
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if !words.iter().any(|word| word.as_bytes() == &rest[..length]) {
            return Err(self.missing(what));
        }
        self.at += length;
        Ok(start..self.at)
    }

    /// Reads `"…"` or a word, and the space behind it. A quoted text ends at a quote with a space
    /// or nothing behind it, and no backslash in front.
    pub(super) fn token(&mut self) -> Result<Range<usize>, Missing> {
        if !self.rest().starts_with('"') {
            return self.word();
        }
        let start = self.at + 1;
        let bytes = self.line.as_bytes();
        let mut from = start;
        while let Some(found) = memchr(b'"', &bytes[from..]) {
            let end = from + found;
            let is_escaped = end > start && bytes[end - 1] == b'\\';
            if !is_escaped && matches!(bytes.get(end + 1), None | Some(b' ')) {
                self.at = (end + 2).min(bytes.len());
                return Ok(start..end);
            }
            from = end + 1;
        }
        Err(self.missing("closing quote"))
    }

    /// Splits a request such as `GET /path HTTP/1.1` into three columns; another text goes to the
    /// second one as a whole.
    pub(super) fn set_request(&mut self, method: usize, request: Range<usize>) {
        let text = self.text(&request);
        let is_method = |text: &str| text.bytes().all(|byte| byte.is_ascii_uppercase());
        let first = text.find(' ').filter(|end| *end > 0 && is_method(&text[..*end]));
        let last = text.rfind(' ').filter(|at| text[at + 1..].starts_with("HTTP/"));
        let (Some(first), Some(last)) = (first, last) else {
            return self.set_unless_dash(method + 1, request);
        };
        self.set(method, request.start..request.start + first);
        if first < last {
            self.set_unless_dash(method + 1, request.start + first + 1..request.start + last);
        }
        self.set(method + 2, request.start + last + 1..request.end);
    }

    /// Splits `1.2.3.4:80` into two columns, at the last colon.
    pub(super) fn set_address(&mut self, host: usize, address: Range<usize>) {
        match self.text(&address).rfind(':') {
            Some(colon) => {
                self.set_unless_dash(host, address.start..address.start + colon);
                self.set_unless_dash(host + 1, address.start + colon + 1..address.end);
            }
            None => self.set_unless_dash(host, address),
        }
    }
}

/// The first `text`, which is short, in `within`.
pub(super) fn find(within: &str, text: &str) -> Option<usize> {
    let (within, text) = (within.as_bytes(), text.as_bytes());
    let mut from = 0;
    while let Some(found) = memchr(text[0], &within[from..]) {
        let at = from + found;
        if within[at..].starts_with(text) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

/// The levels that Java's loggers, Python's and others like them write.
pub(super) const LEVELS: &[&str] = &[
    "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL", "SEVERE",
    "CONFIG", "FINE", "FINER", "FINEST",
];
