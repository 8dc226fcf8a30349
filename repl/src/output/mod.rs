//! Prints the rows of a query in one of the [`Format`]s.
//!
//! **Invariant:** nothing but the rows and their header is written here: no row count, no notes.
//!
//! **Invariant:** at most one batch is encoded ahead of what was written; the table also holds
//! back its first rows, up to a limit, to choose the widths of its columns.
//!
//! What the formats have in common: timestamps are ISO 8601, floats the shortest text that reads
//! back as the same number, binary is hexadecimal, and lists, structs and maps are JSON.

mod encoder;
mod error;

mod csv;
mod json;
mod markdown;
mod table;
mod tsv;
mod vertical;

mod column;
mod json_text;
mod json_value;
mod layout;
pub(crate) mod visible;

#[cfg(test)]
mod tests;

use std::io::Write;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::{StreamExt, poll};
use gleam_sql_planner::plain_names;

pub(crate) use self::error::OutputError;

use self::encoder::Encoder;

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Columns drawn with lines, for reading
    Table,
    /// RFC 4180 with a header; NULL is empty, an empty text is ""
    Csv,
    /// Tab-separated with a header; \t \n \r \\ are escaped, NULL is \N
    Tsv,
    /// One array of objects
    Json,
    /// One JSON object a line
    Ndjson,
    /// A GitHub table
    Markdown,
    /// A record after the other, each column on a line of its own, for reading
    Vertical,
}

impl Format {
    /// The format for a standard output that is, or is not, a terminal.
    pub(crate) fn for_stdout(is_terminal: bool) -> Self {
        if is_terminal { Self::Table } else { Self::Csv }
    }
}

/// What the printing depends on besides the format.
#[derive(Debug, Clone, Default)]
pub(crate) struct OutputOptions {
    /// Columns of the terminal that is printed to. A table is shortened to fit, and marks every
    /// cut with `…`. `None` where the output is not a terminal: nothing is shortened.
    pub(crate) terminal_width: Option<usize>,
    /// How long rows may be held for the ones behind them, so that a small answer is one table.
    pub(crate) holding: Duration,
    /// How NULL looks in the formats for reading; `∅` where nothing is said.
    pub(crate) null: Option<Arc<str>>,
}

impl OutputOptions {
    /// The options for this process's standard output.
    pub(crate) fn for_stdout() -> Self {
        let size = terminal_size::terminal_size_of(std::io::stdout());
        Self { terminal_width: size.map(|(width, _)| width.0.into()), holding: HOLDING, null: None }
    }

    fn null(&self) -> Arc<str> {
        self.null.clone().unwrap_or_else(|| visible::NULL.into())
    }
}

/// Long enough for tasks that end together, and too short to be noticed.
const HOLDING: Duration = Duration::from_millis(100);
/// Rows that are encoded before the size of the buffer is looked at.
const CHUNK_ROWS: usize = 512;
/// Size from which on the buffer is written although the batch is not finished.
const WRITE_BYTES: usize = 64 * 1024;
/// Capacity that the buffer keeps after a very long row.
const KEPT_BYTES: usize = 1024 * 1024;

/// Writes the rows of `stream` to `out` as they arrive, and returns how many there were.
///
/// `out` is flushed after every batch. A stream without columns, as of a `SET`, writes nothing;
/// one that fails before its first batch writes nothing either, not even a header. Writes block
/// the thread that polls this future, so whatever shall end a query while its reader sleeps (a
/// signal, a timeout) has to wait in a task of its own, not beside this one in a `select!`.
pub(crate) async fn write_stream(
    mut stream: SendableRecordBatchStream,
    format: Format,
    out: impl Write,
    options: OutputOptions,
) -> Result<u64, OutputError> {
    let schema = shown(&stream.schema());
    if schema.fields().is_empty() {
        return drain(stream).await;
    }
    let mut printer = Printer {
        encoder: encoder::for_format(format, &schema, &options),
        begun: false,
        buffer: String::new(),
        out,
    };
    let mut rows = 0;
    loop {
        let next = match poll!(stream.next()) {
            Poll::Ready(next) => next,
            Poll::Pending => match soon(&mut stream, options.holding).await {
                Some(next) => next,
                None => {
                    printer.show_held_rows()?;
                    stream.next().await
                }
            },
        };
        match next {
            Some(Ok(batch)) => {
                printer.print(&batch)?;
                rows += batch.num_rows() as u64;
            }
            Some(Err(error)) => {
                let _ = printer.show_held_rows(); // why the query failed matters more
                return Err(error.into());
            }
            None => break,
        }
    }
    printer.finish()?;
    Ok(rows)
}

/// The columns under the names that people gave them.
fn shown(schema: &Schema) -> Schema {
    let rename = |field: &Arc<Field>| field.as_ref().clone().with_name(plain_names(field.name()));
    Schema::new(schema.fields().iter().map(rename).collect::<Vec<_>>())
}

/// What comes next, if it comes within `patience`.
async fn soon(
    stream: &mut SendableRecordBatchStream,
    patience: Duration,
) -> Option<Option<Result<RecordBatch, DataFusionError>>> {
    if patience.is_zero() {
        return None;
    }
    tokio::time::timeout(patience, stream.next()).await.ok()
}

/// Runs a statement for its effect only.
async fn drain(mut stream: SendableRecordBatchStream) -> Result<u64, OutputError> {
    let mut rows = 0;
    while let Some(batch) = stream.next().await {
        rows += batch?.num_rows() as u64;
    }
    Ok(rows)
}

/// An encoder, and the bytes on their way from it to the writer.
struct Printer<W> {
    encoder: Box<dyn Encoder + Send>,
    begun: bool,
    buffer: String,
    out: W,
}

impl<W: Write> Printer<W> {
    fn print(&mut self, batch: &RecordBatch) -> Result<(), OutputError> {
        self.begin();
        let batch = column::flatten(batch)?;
        for start in (0..batch.num_rows()).step_by(CHUNK_ROWS) {
            let chunk = batch.slice(start, CHUNK_ROWS.min(batch.num_rows() - start));
            self.encoder.rows(&chunk, &mut self.buffer)?;
            if self.buffer.len() >= WRITE_BYTES {
                self.write()?;
            }
        }
        self.flush()
    }

    fn show_held_rows(&mut self) -> Result<(), OutputError> {
        if !self.begun {
            return Ok(());
        }
        self.encoder.idle(&mut self.buffer);
        self.flush()
    }

    fn finish(mut self) -> Result<(), OutputError> {
        self.begin();
        self.encoder.end(&mut self.buffer);
        self.flush()
    }

    fn begin(&mut self) {
        if !self.begun {
            self.encoder.begin(&mut self.buffer);
            self.begun = true;
        }
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.write()?;
        self.out.flush().map_err(OutputError::from_io)
    }

    fn write(&mut self) -> Result<(), OutputError> {
        self.out.write_all(self.buffer.as_bytes()).map_err(OutputError::from_io)?;
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_BYTES);
        Ok(())
    }
}
