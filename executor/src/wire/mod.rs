//! Text between the query and a shell child: RAW lines and TSV.

mod fields;
mod writer;

pub use fields::FieldReader;
pub use writer::TextWriter;

use std::fmt;

/// How rows are written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WireFormat {
    /// The value of one column a line, as it is.
    Raw,
    /// Columns separated by tabs; tab, newline, carriage return and backslash escaped; NULL is `\N`.
    Tsv,
}

impl fmt::Display for WireFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Raw => "RAW",
            Self::Tsv => "TSV",
        })
    }
}
