//! Goes through one line of JSON and checks it.

use std::ops::Range;

use crate::scan::Mismatch;
use crate::swar;

/// Objects and arrays in each other, the outermost one included; as many as bits in [`Nesting`].
pub(super) const MAX_DEPTH: usize = 128;

/// Goes through one line.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    line: &'a str,
    bytes: &'a [u8],
    at: usize,
}

/// The inside of a string.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) range: Range<usize>,
    pub(super) is_escaped: bool,
}

/// A value, as the bytes that are its text.
#[derive(Debug)]
pub(super) enum Value {
    Null,
    /// The text of a column as it stands.
    Plain(Range<usize>),
    /// The inside of a string with escapes.
    Escaped(Range<usize>),
}

/// What is missing, by its number in [`Mismatch::part`].
#[derive(Debug, Clone, Copy)]
pub(super) enum Missing {
    Object,
    Key,
    Colon,
    CommaOrBrace,
    CommaOrBracket,
    Value,
    Digit,
    Quote,
    Escape,
    Control,
    Depth,
    End,
}

/// Says what is missing.
pub(super) fn describe(mismatch: Mismatch) -> String {
    const DESCRIPTIONS: [&str; 12] = [
        "no object of JSON: expected `{`",
        "expected a key in quotes",
        "expected `:`",
        "expected `,` or `}`",
        "expected `,` or `]`",
        "expected a value of JSON",
        "expected a digit",
        "no quote ends the string that starts",
        "an escape that JSON does not have",
        "a control character that is not escaped",
        "more than 128 objects and arrays in each other",
        "text behind the object",
    ];
    format!("{} at byte {}", DESCRIPTIONS[mismatch.part], mismatch.offset + 1)
}

/// Whether the whole text is a number of JSON.
pub(crate) fn is_number(text: &str) -> bool {
    let mut reader = Reader::new(text);
    !text.is_empty() && reader.number().is_ok() && reader.at == text.len()
}

/// Which of the open ones are objects: a bit each.
#[derive(Debug, Default)]
struct Nesting {
    objects: u128,
    depth: usize,
}

impl Nesting {
    fn push(&mut self, is_object: bool) {
        self.objects = self.objects << 1 | u128::from(is_object);
        self.depth += 1;
    }

    fn pop(&mut self) {
        self.objects >>= 1;
        self.depth -= 1;
    }

    fn is_object(&self) -> bool {
        self.objects & 1 == 1
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { line, bytes: line.as_bytes(), at: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn text(&self, range: &Range<usize>) -> &'a str {
        &self.line[range.clone()]
    }

    pub(super) fn missing(&self, missing: Missing) -> Mismatch {
        Mismatch { offset: self.at, part: missing as usize }
    }

    /// The next byte that is no space.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            if byte > b' ' || !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Goes behind an opening brace or bracket, and behind `close` if nothing is inside. Tells
    /// whether something is.
    #[inline]
    pub(super) fn open(&mut self, close: u8) -> bool {
        self.at += 1;
        let is_empty = self.peek() == Some(close);
        self.at += usize::from(is_empty);
        !is_empty
    }

    /// Goes behind a comma, or behind `close`. Tells whether it was a comma.
    #[inline]
    pub(super) fn next_member(&mut self, close: u8, missing: Missing) -> Result<bool, Mismatch> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.missing(missing)),
        }
    }

    /// A key and its colon.
    #[inline]
    pub(super) fn key(&mut self) -> Result<Text, Mismatch> {
        if self.peek() != Some(b'"') {
            return Err(self.missing(Missing::Key));
        }
        let key = self.string()?;
        if self.peek() != Some(b':') {
            return Err(self.missing(Missing::Colon));
        }
        self.at += 1;
        Ok(key)
    }

    /// A value of any kind, where `depth` objects and arrays are around it.
    pub(super) fn value(&mut self, depth: usize) -> Result<Value, Mismatch> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'"') => {
                let text = self.string()?;
                return Ok(match text.is_escaped {
                    true => Value::Escaped(text.range),
                    false => Value::Plain(text.range),
                });
            }
            Some(b'n') => {
                self.literal("null")?;
                return Ok(Value::Null);
            }
            _ => self.skip(depth)?,
        }
        Ok(Value::Plain(start..self.at))
    }

    /// Goes behind a value of any kind.
    #[inline]
    pub(super) fn skip(&mut self, depth: usize) -> Result<(), Mismatch> {
        match self.peek() {
            Some(b'{' | b'[') => self.nested(depth),
            _ => self.scalar(),
        }
    }

    /// An error if one more object or array would be too many.
    pub(super) fn check_depth(&self, depth: usize) -> Result<(), Mismatch> {
        if depth < MAX_DEPTH { Ok(()) } else { Err(self.missing(Missing::Depth)) }
    }

    /// Goes behind an object or array, without a call for each level.
    fn nested(&mut self, outer_depth: usize) -> Result<(), Mismatch> {
        let mut nesting = Nesting::default();
        loop {
            match self.peek() {
                Some(first @ (b'{' | b'[')) => {
                    self.check_depth(outer_depth + nesting.depth)?;
                    let is_object = first == b'{';
                    // The closing characters are two behind the opening ones.
                    if self.open(first + 2) {
                        nesting.push(is_object);
                        if is_object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                _ => self.scalar()?,
            }
            if self.close_finished(&mut nesting)? {
                return Ok(());
            }
        }
    }

    /// Behind a value: closes what ends here and goes to the next value. Tells whether there is none.
    fn close_finished(&mut self, nesting: &mut Nesting) -> Result<bool, Mismatch> {
        while nesting.depth > 0 {
            let goes_on = if nesting.is_object() {
                self.next_member(b'}', Missing::CommaOrBrace)?
            } else {
                self.next_member(b']', Missing::CommaOrBracket)?
            };
            if goes_on {
                if nesting.is_object() {
                    self.key()?;
                }
                return Ok(false);
            }
            nesting.pop();
        }
        Ok(true)
    }

    #[inline]
    fn scalar(&mut self) -> Result<(), Mismatch> {
        match self.bytes.get(self.at) {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => Err(self.missing(Missing::Value)),
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), Mismatch> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.missing(Missing::Value));
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Result<(), Mismatch> {
        if self.bytes[self.at] == b'-' {
            self.at += 1;
        }
        if self.bytes.get(self.at) == Some(&b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> Result<(), Mismatch> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(self.missing(Missing::Digit)) }
    }

    /// A string, from its opening quote on.
    #[inline]
    fn string(&mut self) -> Result<Text, Mismatch> {
        let start = self.at + 1;
        let end = swar::find(self.bytes, start, is_special);
        if self.bytes.get(end) == Some(&b'"') {
            self.at = end + 1;
            return Ok(Text { range: start..end, is_escaped: false });
        }
        self.escaped_string(start, end)
    }

    /// The rest of a string from its first special byte on, which is no quote.
    #[cold]
    fn escaped_string(&mut self, start: usize, first: usize) -> Result<Text, Mismatch> {
        let mut at = first;
        loop {
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    at += escape_length(&self.bytes[at..])
                        .ok_or(Mismatch { offset: at, part: Missing::Escape as usize })?;
                }
                Some(_) => {
                    return Err(Mismatch { offset: at, part: Missing::Control as usize });
                }
                None => return Err(self.missing(Missing::Quote)),
            }
            at = swar::find(self.bytes, at, is_special);
        }
        self.at = at + 1;
        Ok(Text { range: start..at, is_escaped: true })
    }
}

#[inline(always)]
fn is_special(word: u64) -> u64 {
    swar::equal(word, b'"') | swar::equal(word, b'\\') | swar::below(word, b' ')
}

/// How long the escape is that the text begins with.
fn escape_length(text: &[u8]) -> Option<usize> {
    match text {
        [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Some(2),
        [_, b'u', digits @ ..] => {
            let digits = digits.get(..4)?;
            digits.iter().all(u8::is_ascii_hexdigit).then_some(6)
        }
        _ => None,
    }
}
