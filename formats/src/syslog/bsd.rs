//! `Jun 14 15:16:01 combo sshd(pam_unix)[19939]: message`, of RFC 3164.
//!
//! Spaces around a message do not belong to it: the kernel indents with them, and other programs
//! leave them behind empty values.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::{Field, Missing, Syslog};
use crate::scan::{Fields, Mismatch};

/// The longest tag. RFC 3164 has 32 letters, programs have more.
const MAX_TAG_BYTES: usize = 128;

impl Syslog {
    pub(super) fn scan_bsd(
        &self,
        line: &str,
        start: usize,
        fields: &mut Fields,
    ) -> Result<(), Mismatch> {
        let bytes = line.as_bytes();
        let length = time(&bytes[start..]).ok_or(Missing::Time.at(start))?;
        let time = start..start + length;
        if bytes.get(time.end) != Some(&b' ') {
            return Err(Missing::Host.at(time.end));
        }
        let host = word(bytes, time.end + 1);
        if host.is_empty() {
            return Err(Missing::Host.at(host.start));
        }
        self.set(fields, Field::Time, time);
        let mut message = if bytes[host.end - 1] == b':' {
            // It is the tag: the host is missing.
            host.start
        } else {
            let end = host.end;
            self.set(fields, Field::Host, host);
            behind_spaces(bytes, end)
        };
        if let Some(tag) = tag(&bytes[message..]) {
            self.set_tag(line, message, &tag, fields);
            message = behind_spaces(bytes, message + tag.length);
        }
        let length = bytes[message..].trim_ascii_end().len();
        self.set(fields, Field::Message, message..message + length);
        Ok(())
    }

    fn set_tag(&self, line: &str, start: usize, tag: &Tag, fields: &mut Fields) {
        self.set(fields, Field::App, start..start + tag.app_end);
        if let Some(pid) = &tag.pid {
            let pid = start + pid.start..start + pid.end;
            if &line[pid.clone()] != "-" {
                self.set(fields, Field::Pid, pid);
            }
        }
    }
}

/// The length of the time that the text begins with: as it looks, not whether there is such a day.
fn time(text: &[u8]) -> Option<usize> {
    match text {
        [b'A'..=b'Z', b'a'..=b'z', b'a'..=b'z', b' ', rest @ ..] => {
            let day = match rest {
                [b' ' | b'0'..=b'3', b'0'..=b'9', b' ', ..] => 3,
                [b'0'..=b'9', b' ', ..] => 2,
                _ => return None,
            };
            let year = match rest[day..] {
                [a, b, c, d, b' ', ..] if [a, b, c, d].iter().all(u8::is_ascii_digit) => 5,
                _ => 0,
            };
            let clock = clock(&rest[day + year..])?;
            Some(4 + day + year + clock)
        }
        [b'0'..=b'9', _, _, _, b'-', _, _, b'-', _, _, b'T', rest @ ..] => {
            clock(rest)?;
            let length = memchr(b' ', text).unwrap_or(text.len());
            text[..length].iter().all(|byte| byte.is_ascii_graphic()).then_some(length)
        }
        _ => None,
    }
}

/// The length of `15:16:01` or `15:16:01.123`.
fn clock(text: &[u8]) -> Option<usize> {
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = text else { return None };
    if ![h1, h2, m1, m2, s1, s2].iter().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let fraction = match rest {
        [b'.', digits @ ..] => 1 + digits.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    Some(8 + fraction)
}

/// From `start` to the next space.
fn word(bytes: &[u8], start: usize) -> Range<usize> {
    let rest = bytes.get(start..).unwrap_or_default();
    start..start + memchr(b' ', rest).unwrap_or(rest.len())
}

/// Where the first byte from `start` on is that is no space.
fn behind_spaces(bytes: &[u8], start: usize) -> usize {
    start + bytes[start..].iter().take_while(|byte| **byte == b' ').count()
}

/// What a message begins with, measured from there.
#[derive(Debug)]
struct Tag {
    app_end: usize,
    pid: Option<Range<usize>>,
    /// With the colon behind it.
    length: usize,
}

/// The tag ends with a colon at the end of a word. It may be of two words (`syslogd 1.4.1:`), but
/// not more, or half of a sentence would become a tag. Without a colon, one word with a process in
/// brackets is a tag.
fn tag(text: &[u8]) -> Option<Tag> {
    let searched = &text[..text.len().min(MAX_TAG_BYTES)];
    let is_end_of_word = |at: &usize| matches!(text.get(at + 1), None | Some(b' '));
    if let Some(colon) = memchr_iter(b':', searched).find(is_end_of_word)
        && colon > 0
        && memchr_iter(b' ', &text[..colon]).nth(1).is_none()
    {
        return Some(named(&text[..colon], colon + 1));
    }
    let end = word(text, 0).end;
    let tag = named(&text[..end], end);
    tag.pid.is_some().then_some(tag)
}

/// A tag's name and the process in brackets behind it.
fn named(tag: &[u8], length: usize) -> Tag {
    if let Some(inside) = tag.strip_suffix(b"]")
        && let Some(open) = memchr::memrchr(b'[', inside)
        && open > 0
    {
        let pid = open + 1..inside.len();
        return Tag { app_end: open, pid: (!pid.is_empty()).then_some(pid), length };
    }
    Tag { app_end: tag.len(), pid: None, length }
}
