//! What `journalctl -o json` prints
//! (<https://www.freedesktop.org/software/systemd/man/latest/systemd.journal-fields.html>).

use std::sync::Arc;

use memchr::memmem::Finder;

use super::{Builtin, Kind, Scan};
use crate::column::ColumnSpec;
use crate::json;
use crate::scan::{Fields, Mismatch, Scanner};
use crate::spec::FormatError;

/// Columns and the keys that fill them. Other keys are columns by their own name.
const KEYS: [(&str, &str); 8] = [
    ("ts", "__REALTIME_TIMESTAMP"),
    ("level", "PRIORITY"),
    ("host", "_HOSTNAME"),
    ("unit", "_SYSTEMD_UNIT"),
    ("app", "SYSLOG_IDENTIFIER"),
    ("pid", "_PID"),
    ("uid", "_UID"),
    ("message", "MESSAGE"),
];

/// What priorities are called, as `journalctl -p` knows them.
const LEVELS: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

pub(super) const FORMAT: Builtin = Builtin {
    name: "JOURNALD",
    about: "journal of systemd, as journalctl -o json prints it",
    columns: &[
        ("ts", Kind::Moment),
        ("level", Kind::Text),
        ("host", Kind::Text),
        ("unit", Kind::Text),
        ("app", Kind::Text),
        ("pid", Kind::Integer),
        ("uid", Kind::Integer),
        ("message", Kind::Text),
    ],
    scan: Scan::Journald,
};

/// Whether a column is a key of the journal.
pub(super) fn is_key(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

pub(super) fn scanner(columns: &[ColumnSpec]) -> Result<Arc<dyn Scanner>, FormatError> {
    let key = |column: &ColumnSpec| {
        let known = KEYS.iter().find(|(name, _)| *name == column.name);
        ColumnSpec { name: known.map_or(&*column.name, |(_, key)| key).into(), ..column.clone() }
    };
    let keys: Vec<ColumnSpec> = columns.iter().map(key).collect();
    Ok(Arc::new(Journald {
        json: json::scanner(&keys)?,
        marker: Finder::new("\"__REALTIME_TIMESTAMP\"").into_owned(),
        level: columns.iter().position(|column| column.name == "level"),
    }))
}

#[derive(Debug)]
struct Journald {
    json: Arc<dyn Scanner>,
    /// What no entry is without.
    marker: Finder<'static>,
    level: Option<usize>,
}

/// The part of a [`Mismatch`] that is not one of JSON.
const NO_MARKER: usize = usize::MAX;

impl Scanner for Journald {
    fn scan(&self, line: &str, fields: &mut Fields) -> Result<(), Mismatch> {
        self.json.scan(line, fields)?;
        if self.marker.find(line.as_bytes()).is_none() {
            return Err(Mismatch { offset: 0, part: NO_MARKER });
        }
        if let Some(slot) = self.level {
            let name = fields.text(line, slot).and_then(level);
            if let Some(name) = name {
                fields.set_rewritten(slot, |out| out.push_str(name));
            }
        }
        Ok(())
    }

    fn describe(&self, line: &str, mismatch: Mismatch) -> String {
        if mismatch.part == NO_MARKER {
            return "no key `__REALTIME_TIMESTAMP`".into();
        }
        self.json.describe(line, mismatch)
    }
}

fn level(priority: &str) -> Option<&'static str> {
    LEVELS.get(priority.parse::<usize>().ok()?).copied()
}
