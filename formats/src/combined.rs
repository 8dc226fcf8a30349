//! The access logs of Apache and nginx:
//! `ip ident user [time] "request" status bytes` and, in COMBINED, `"referer" "user agent"`.
//!
//! A field that is a lone `-` is NULL. What servers write beyond the rules is read like this:
//!
//! - A user may hold spaces: it ends at ` [`. One that begins with `- ` is none, because that is a
//!   line with a host in front, which is another format. `""` is the empty user of Apache.
//! - A quoted field ends at the first quote without a backslash in front of it. See [`quoted`] for
//!   what becomes of escapes, and [`request`] for requests that are none.
//! - A line of COMBINED may go on behind the user agent with a space and anything: many servers
//!   append the address of a proxy or the time that the request took. COMMON ends with the bytes, so
//!   that no line has both formats.

mod quoted;
mod request;
mod rest;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use arrow_schema::DataType;

use crate::column::ColumnSpec;
use crate::scan::{Fields, Mismatch, Scanner};
use crate::spec::FormatError;
use rest::{Quoted, Rest};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Common,
    Combined,
}

/// The columns of the format.
pub(crate) fn columns(kind: Kind) -> Vec<ColumnSpec> {
    let mut columns = vec![
        ColumnSpec::text("ip"),
        ColumnSpec::text("ident"),
        ColumnSpec::text("user"),
        ColumnSpec::moment("ts"),
        ColumnSpec::text("method"),
        ColumnSpec::text("path"),
        ColumnSpec::text("protocol"),
        ColumnSpec::new("status", DataType::Int32),
        ColumnSpec::new("bytes", DataType::Int64),
    ];
    if kind == Kind::Combined {
        columns.extend([ColumnSpec::text("referer"), ColumnSpec::text("user_agent")]);
    }
    columns
}

/// A scanner that fills `columns`.
pub(crate) fn scanner(kind: Kind, columns: &[ColumnSpec]) -> Result<Arc<dyn Scanner>, FormatError> {
    Ok(Arc::new(AccessLog::try_new(kind, columns)?))
}

/// Finds the fields of an access log.
#[derive(Debug)]
struct AccessLog {
    kind: Kind,
    slots: Slots,
}

/// The slot of each field that a column is for.
#[derive(Debug, Default)]
struct Slots {
    ip: Option<usize>,
    ident: Option<usize>,
    user: Option<usize>,
    ts: Option<usize>,
    method: Option<usize>,
    path: Option<usize>,
    protocol: Option<usize>,
    status: Option<usize>,
    bytes: Option<usize>,
    referer: Option<usize>,
    user_agent: Option<usize>,
}

impl AccessLog {
    fn try_new(kind: Kind, wanted: &[ColumnSpec]) -> Result<Self, FormatError> {
        let all = columns(kind);
        let names: Vec<&str> = all.iter().map(|column| column.name.as_str()).collect();
        if let Some(column) = wanted.iter().find(|column| !names.contains(&column.name.as_str())) {
            return Err(FormatError::no_field(&column.name, &names));
        }
        let slot = |name: &str| wanted.iter().position(|column| column.name == name);
        let slots = Slots {
            ip: slot("ip"),
            ident: slot("ident"),
            user: slot("user"),
            ts: slot("ts"),
            method: slot("method"),
            path: slot("path"),
            protocol: slot("protocol"),
            status: slot("status"),
            bytes: slot("bytes"),
            referer: slot("referer"),
            user_agent: slot("user_agent"),
        };
        Ok(Self { kind, slots })
    }
}

/// The parts of a line, as [`Mismatch::part`] numbers them: what is expected there.
const PARTS: [&str; 9] = [
    "an address and a space",
    "an identity and a space",
    "a user and ` [`",
    "a time and `] \"`",
    "a request and `\" `",
    "a status and a space",
    "a number of bytes",
    "a referer in quotes and a space",
    "a user agent in quotes",
];
const IP: usize = 0;
const IDENT: usize = 1;
const USER: usize = 2;
const TIME: usize = 3;
const REQUEST: usize = 4;
const STATUS: usize = 5;
const BYTES: usize = 6;
const REFERER: usize = 7;
const USER_AGENT: usize = 8;

impl Scanner for AccessLog {
    fn scan(&self, line: &str, fields: &mut Fields) -> Result<(), Mismatch> {
        let slots = &self.slots;
        let mut rest = Rest { line: line.as_bytes(), at: 0 };
        let ip = rest.word(IP)?;
        put(fields, slots.ip, line, ip);
        let ident = rest.word(IDENT)?;
        put(fields, slots.ident, line, ident);
        let user = rest.user()?;
        put(fields, slots.user, line, user);
        let time = rest.time()?;
        put(fields, slots.ts, line, time);
        let request = rest.quoted(REQUEST)?;
        rest.literal(b" ", REQUEST)?;
        self.put_request(fields, line, request);
        let status = rest.word(STATUS)?;
        put(fields, slots.status, line, status);
        if self.kind == Kind::Common {
            put(fields, slots.bytes, line, rest.last_word(BYTES)?);
            return Ok(());
        }
        let bytes = rest.word(BYTES)?;
        put(fields, slots.bytes, line, bytes);
        rest.literal(b"\"", REFERER)?;
        let referer = rest.quoted(REFERER)?;
        rest.literal(b" \"", USER_AGENT)?;
        put_quoted(fields, slots.referer, line, referer);
        let user_agent = rest.quoted(USER_AGENT)?;
        if !matches!(rest.line.get(rest.at), None | Some(b' ')) {
            return Err(rest.mismatch(USER_AGENT));
        }
        put_quoted(fields, slots.user_agent, line, user_agent);
        Ok(())
    }

    fn describe(&self, _line: &str, mismatch: Mismatch) -> String {
        format!("expected {} from byte {} on", PARTS[mismatch.part], mismatch.offset + 1)
    }
}

impl AccessLog {
    #[inline]
    fn put_request(&self, fields: &mut Fields, line: &str, quoted: Quoted) {
        let Slots { method, path, protocol, .. } = self.slots;
        let is_needed = |slot: Option<usize>| slot.is_some_and(|slot| fields.is_needed(slot));
        if !is_needed(method) && !is_needed(path) && !is_needed(protocol) {
            return;
        }
        let Quoted { range, is_escaped } = quoted;
        let parts = request::split(&line.as_bytes()[range.clone()]);
        for (slot, part) in [(method, parts.method), (path, parts.path), (protocol, parts.protocol)]
        {
            let Some(part) = part else { continue };
            let part = range.start + part.start..range.start + part.end;
            put_text(fields, slot, line, Quoted { range: part, is_escaped });
        }
    }
}

/// Puts a field into its slot unless it is a `-`.
#[inline]
fn put(fields: &mut Fields, slot: Option<usize>, line: &str, range: Range<usize>) {
    let Some(slot) = slot else { return };
    if line.as_bytes()[range.clone()] != *b"-" {
        fields.set(slot, range);
    }
}

#[inline]
fn put_quoted(fields: &mut Fields, slot: Option<usize>, line: &str, quoted: Quoted) {
    if line.as_bytes()[quoted.range.clone()] != *b"-" {
        put_text(fields, slot, line, quoted);
    }
}

/// Puts text into its slot, without the backslashes where that makes a difference.
#[inline]
fn put_text(fields: &mut Fields, slot: Option<usize>, line: &str, quoted: Quoted) {
    let Some(slot) = slot.filter(|slot| fields.is_needed(*slot)) else { return };
    let Quoted { range, is_escaped } = quoted;
    if is_escaped && quoted::has_escape(&line[range.clone()]) {
        fields.set_rewritten(slot, |text| quoted::unescape(&line[range], text));
    } else {
        fields.set(slot, range);
    }
}
