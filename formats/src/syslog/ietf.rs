//! `<34>1 2003-10-11T22:14:15.003Z host app 123 ID47 [id name="value"] message`, of RFC 5424.

use std::ops::Range;

use memchr::{memchr, memchr2};

use super::{Field, Missing, Syslog};
use crate::scan::{Fields, Mismatch};

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The words in front of the structured data.
const HEADER: [Field; 5] = [Field::Time, Field::Host, Field::App, Field::Pid, Field::MessageId];

impl Syslog {
    pub(super) fn scan_ietf(
        &self,
        line: &str,
        start: usize,
        fields: &mut Fields,
    ) -> Result<(), Mismatch> {
        let mut at = start;
        for field in HEADER {
            let length = memchr(b' ', &line.as_bytes()[at..]).filter(|length| *length > 0);
            let end = at + length.ok_or(Missing::Header.at(at))?;
            if &line[at..end] != "-" {
                self.set(fields, field, at..end);
            }
            at = end + 1;
        }
        let end = self.structured_data(line, at, fields)?;
        if line[end..].is_empty() {
            return Ok(());
        }
        let message = line[end..].strip_prefix(' ').ok_or(Missing::StructuredData.at(end))?;
        let message = message.strip_prefix(BYTE_ORDER_MARK).unwrap_or(message);
        self.set(fields, Field::Message, line.len() - message.len()..line.len());
        Ok(())
    }

    /// Where the structured data ends that starts at `start`.
    fn structured_data(
        &self,
        line: &str,
        start: usize,
        fields: &mut Fields,
    ) -> Result<usize, Mismatch> {
        if line[start..].starts_with('-') {
            return Ok(start + 1);
        }
        let mut end = start;
        while line.as_bytes().get(end) == Some(&b'[') {
            end = self.element(line, end, fields)?;
        }
        if end == start {
            return Err(Missing::StructuredData.at(start));
        }
        self.set(fields, Field::StructuredData, start..end);
        Ok(end)
    }

    /// Where the element `[id name="value" …]` ends that starts at `open`.
    fn element(&self, line: &str, open: usize, fields: &mut Fields) -> Result<usize, Mismatch> {
        let bytes = line.as_bytes();
        let missing = |at| Missing::StructuredData.at(at);
        let id = name(bytes, open + 1).ok_or(missing(open))?;
        let mut at = id.end;
        loop {
            match bytes.get(at) {
                Some(b']') => return Ok(at + 1),
                Some(b' ') => {}
                _ => return Err(missing(at)),
            }
            let parameter = name(bytes, at + 1).ok_or(missing(at + 1))?;
            if !bytes[parameter.end..].starts_with(b"=\"") {
                return Err(missing(parameter.end));
            }
            let value = parameter.end + 2;
            let end = closing_quote(bytes, value).ok_or(missing(value))?;
            if !self.parameters.is_empty() {
                self.set_parameter(line, &line[id.clone()], &line[parameter], value..end, fields);
            }
            at = end + 1;
        }
    }

    fn set_parameter(
        &self,
        line: &str,
        id: &str,
        name: &str,
        value: Range<usize>,
        fields: &mut Fields,
    ) {
        let is_asked_for = |path: &str| {
            path.strip_prefix(id).and_then(|rest| rest.strip_prefix('.')) == Some(name)
        };
        for (_, slot) in self.parameters.iter().filter(|(path, _)| is_asked_for(path)) {
            let text = &line[value.clone()];
            if text.contains('\\') {
                fields.set_rewritten(*slot, |plain| unescape(text, plain));
            } else {
                fields.set(*slot, value.clone());
            }
        }
    }
}

/// A name of structured data: printable ASCII without `=`, `]`, `"` and space.
fn name(bytes: &[u8], start: usize) -> Option<Range<usize>> {
    let is_of_name = |byte: &&u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b']' | b'"');
    let length = bytes.get(start..)?.iter().take_while(is_of_name).count();
    (length > 0).then_some(start..start + length)
}

/// Where the quote is that ends the value that starts at `start`.
fn closing_quote(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Appends `text` without the backslashes in front of `"`, `\` and `]`; others stand for themselves.
fn unescape(text: &str, plain: &mut String) {
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match characters.peek() {
            Some(next @ ('"' | '\\' | ']')) if character == '\\' => {
                plain.push(*next);
                characters.next();
            }
            _ => plain.push(character),
        }
    }
}
