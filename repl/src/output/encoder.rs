//! The seam between the stream of batches and the formats.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use super::csv::CsvEncoder;
use super::json::JsonEncoder;
use super::markdown::MarkdownEncoder;
use super::table::TableEncoder;
use super::tsv::TsvEncoder;
use super::vertical::VerticalEncoder;
use super::{Format, OutputOptions};

/// Turns batches into text.
///
/// The calls come in this order: `begin`, any number of `rows` and `idle`, `end`.
///
/// **Invariant:** an encoder does no I/O.
pub(super) trait Encoder {
    /// Appends what stands before the first row.
    fn begin(&mut self, buffer: &mut String);

    /// Appends the rows of `batch`, or holds them back, `idle` at the longest.
    fn rows(&mut self, batch: &RecordBatch, buffer: &mut String) -> Result<(), ArrowError>;

    /// Appends the rows that were held back: the next ones may take long to come.
    fn idle(&mut self, _buffer: &mut String) {}

    /// Appends what stands behind the last row.
    fn end(&mut self, _buffer: &mut String) {}
}

pub(super) fn for_format(
    format: Format,
    schema: &Schema,
    options: &OutputOptions,
) -> Box<dyn Encoder + Send> {
    match format {
        Format::Table => Box::new(TableEncoder::new(schema, options)),
        Format::Csv => Box::new(CsvEncoder::new(schema)),
        Format::Tsv => Box::new(TsvEncoder::new(schema)),
        Format::Json => Box::new(JsonEncoder::array(schema)),
        Format::Ndjson => Box::new(JsonEncoder::lines(schema)),
        Format::Markdown => Box::new(MarkdownEncoder::new(schema)),
        Format::Vertical => Box::new(VerticalEncoder::new(schema, options.null())),
    }
}

/// The names of the columns, in order.
pub(super) fn column_names(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}
