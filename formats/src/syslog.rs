//! Syslog, of RFC 3164 or RFC 5424.
//!
//! A line of RFC 5424 begins with `<PRI>` and a version. All others are what programs really write
//! under the name of RFC 3164: the PRI is mostly missing in files, the time may have a year, a
//! fraction or be one of ISO 8601 as rsyslog writes it, and the host or the tag may be missing.

mod bsd;
mod header;
mod ietf;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use crate::column::ColumnSpec;
use crate::scan::{Fields, Mismatch, Scanner};
use crate::spec::FormatError;

const NAMES: [&str; 9] =
    ["facility", "severity", "ts", "host", "app", "pid", "msgid", "structured_data", "message"];

/// What the name of a parameter of structured data begins with: `sd.ID.NAME`.
const PARAMETER_PREFIX: &str = "sd.";

/// The columns of the format.
pub(crate) fn columns() -> Vec<ColumnSpec> {
    let column = |name: &&str| match *name {
        "ts" => ColumnSpec::moment("ts"),
        name => ColumnSpec::text(name),
    };
    NAMES.iter().map(column).collect()
}

/// A scanner that fills `columns`. Beside those of the format, `sd.ID.NAME` is the parameter of
/// that name of the element of structured data of that ID.
pub(crate) fn scanner(columns: &[ColumnSpec]) -> Result<Arc<dyn Scanner>, FormatError> {
    let mut syslog = Syslog { slots: [None; NAMES.len()], parameters: Vec::new() };
    for (slot, column) in columns.iter().enumerate() {
        if let Some(field) = NAMES.iter().position(|name| *name == column.name) {
            syslog.slots[field] = Some(slot);
        } else if let Some(path) = column.name.strip_prefix(PARAMETER_PREFIX)
            && path.contains('.')
        {
            syslog.parameters.push((path.to_string(), slot));
        } else {
            return Err(FormatError::no_field(&column.name, &NAMES));
        }
    }
    Ok(Arc::new(syslog))
}

/// Finds the fields of a message.
#[derive(Debug)]
struct Syslog {
    slots: [Option<usize>; NAMES.len()],
    /// `ID.NAME` of parameters of structured data that are asked for, with their slots.
    parameters: Vec<(String, usize)>,
}

/// A field, as its index in [`NAMES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Facility,
    Severity,
    Time,
    Host,
    App,
    Pid,
    MessageId,
    StructuredData,
    Message,
}

/// What is missing, by its number in [`Mismatch::part`].
#[derive(Debug, Clone, Copy)]
enum Missing {
    Time,
    Host,
    Priority,
    Header,
    StructuredData,
}

impl Missing {
    const fn at(self, offset: usize) -> Mismatch {
        Mismatch { offset, part: self as usize }
    }

    const DESCRIPTIONS: [&str; 5] = [
        "no time such as `Jun 14 15:16:01` or `2024-06-14T15:16:01Z`",
        "no host and message behind the time",
        "no priority from `<0>` to `<191>`",
        "no time, host, app, process, message ID and structured data as in RFC 5424",
        "no structured data as in RFC 5424, such as `[id name=\"value\"]`",
    ];
}

impl Scanner for Syslog {
    fn scan(&self, line: &str, fields: &mut Fields) -> Result<(), Mismatch> {
        let (priority, start) = header::priority(line)?;
        if let Some(priority) = priority {
            self.set_name(fields, Field::Facility, header::facility(priority));
            self.set_name(fields, Field::Severity, header::severity(priority));
            if let Some(length) = header::version(&line.as_bytes()[start..]) {
                return self.scan_ietf(line, start + length, fields);
            }
        }
        self.scan_bsd(line, start, fields)
    }

    fn describe(&self, _line: &str, mismatch: Mismatch) -> String {
        let description = Missing::DESCRIPTIONS[mismatch.part];
        format!("{description} at byte {}", mismatch.offset + 1)
    }
}

impl Syslog {
    fn set(&self, fields: &mut Fields, field: Field, range: Range<usize>) {
        if let Some(slot) = self.slots[field as usize] {
            fields.set(slot, range);
        }
    }

    fn set_name(&self, fields: &mut Fields, field: Field, name: &str) {
        if let Some(slot) = self.slots[field as usize]
            && fields.is_needed(slot)
        {
            fields.set_rewritten(slot, |text| text.push_str(name));
        }
    }
}
