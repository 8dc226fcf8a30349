//! Text between the query and a shell child, in the formats of `PIPE … FORMAT`, without headers.

mod csv;
mod csv_records;
mod encode;
mod fields;
mod json;
mod json_object;
mod raw;
mod records;
mod tsv;
mod typed;

pub(crate) use encode::to_text;
pub use encode::{Unwritable, encode};
pub(crate) use fields::clipped;
pub use fields::{BadRecord, FieldReader, Fields};
pub use records::{BrokenOutput, RecordBatcher, Records};
pub use typed::{Typed, type_name, typed};

use std::fmt;

/// A record can be as long as its text form fits a column of strings: they count bytes in 31 bits,
/// and a byte that is not UTF-8 becomes three.
const MAX_RECORD_BYTES: usize = i32::MAX as usize / 3;

/// How rows are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WireFormat {
    /// The value of one column a line, as it is.
    Raw,
    /// Columns separated by tabs; tab, newline, carriage return and backslash escaped; NULL is `\N`.
    Tsv,
    /// As PostgreSQL's `COPY … CSV`: NULL is a field with nothing in it, an empty string is `""`, and
    /// a record may span lines.
    Csv,
    /// An object a line.
    Json,
}

impl WireFormat {
    /// What a row is in it, for messages.
    pub fn record_name(self) -> &'static str {
        if self == Self::Csv { "record" } else { "line" }
    }
}

impl fmt::Display for WireFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "RAW",
            Self::Tsv => "TSV",
            Self::Csv => "CSV",
            Self::Json => "JSON",
        })
    }
}

#[cfg(test)]
mod tests;
