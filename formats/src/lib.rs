//! The formats of log lines that `PARSE` knows: lines in, Arrow columns out.
//!
//! Knows no SQL and no DataFusion, and opens nothing.
//!
//! A format is a [`Scanner`]: it finds the fields of one line. [`LineParser`] runs it over a batch
//! and makes columns of what it found.
//!
//! **Invariant:** whether a line matches does not depend on which of its columns are used.
//!
//! **Invariant:** no bytes of a line make a scanner panic or read beyond the line.

mod parser;
mod scan;

mod spec;

mod column;
mod timestamp;

mod combined;
mod pattern;

mod keys;
mod narrow;
mod swar;

mod json;
mod logfmt;
mod syslog;

mod expression;
mod extract;
mod grok;
mod regex;

mod auto;
pub mod builtin;

pub mod text;

#[cfg(test)]
mod check;

pub use auto::{Guess, choose};
pub use column::ColumnSpec;
pub use extract::Extractor;
#[doc(hidden)]
pub use parser::Batch;
pub use parser::{Failures, LineParser, Parsed};
pub use scan::{Fields, Mismatch, Scanner};
pub use spec::{FormatError, FormatSpec};
pub use timestamp::{Instant, Strftime, TimestampFormat};
