//! Text files as tables: `file TEXT, line_no BIGINT, line TEXT`, one row a line.
//!
//! The journey of a file: `resolve` turns what stands in `FROM` into files, `table` makes them
//! a provider, `source` and `opener` are what DataFusion scans, `input` opens and decompresses,
//! `lines` cuts bytes into lines, `columns` makes the batches that a query asked for.
//!
//! **Invariant:** a line's bytes are never copied on the way from `read(2)` to its batch; only
//! the unfinished line at the end of a read buffer is carried over to the next one.
//! **Invariant:** a column that the query does not use is never computed.

mod codec;
mod columns;
mod compression;
mod count;
mod error;
mod format;
mod gzip;
mod input;
mod kind;
mod lines;
mod literal;
mod names;
mod opener;
mod origin;
mod range;
mod reader;
mod remote;
mod resolve;
mod source;
mod split;
mod stdin;
mod table;
mod threaded;
mod views;
mod walk;

pub use codec::{decode, encode};
pub use columns::{ORIGIN_FILE, ORIGIN_OFFSET, name_and_path, schema, schema_with_origin};
pub use compression::Compression;
pub use error::{LinePlace, TextError};
pub use format::TextFormat;
pub use kind::{SourceKind, kind_of};
pub use lines::{Arrival, LineBatcher, LineTooLong, Lines};
pub use origin::{line_number_at, line_number_of};
pub use reader::{BYTES_SCANNED, INVALID_UTF8_LINES};
pub use source::TextSource;
pub use stdin::{STDIN_NAME, StdinExec, StdinTable, stdin_table};
pub use table::{TextTable, text_table, with_origin};
pub use views::{LineViews, line_views};
