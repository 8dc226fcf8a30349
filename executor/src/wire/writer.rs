//! Rows to text.

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion::common::format::DEFAULT_FORMAT_OPTIONS;
use memchr::memchr;

use super::WireFormat;

/// A row that the format cannot express.
#[derive(Debug, PartialEq, Eq)]
pub struct UnwritableRow {
    /// Its index in the batch.
    pub row: usize,
    /// Why, with the way out.
    pub reason: &'static str,
}

/// Writes batches of columns as text in one format.
#[derive(Debug)]
pub struct TextWriter {
    format: WireFormat,
}

impl TextWriter {
    /// A writer of `format`.
    pub fn new(format: WireFormat) -> Self {
        Self { format }
    }

    /// The columns as TEXT, which is what [`TextWriter::write`] takes.
    ///
    /// # Errors
    /// When a column has a type without a text form.
    pub fn to_text(columns: &[ArrayRef]) -> Result<Vec<StringViewArray>, ArrowError> {
        let options = CastOptions { safe: false, format_options: DEFAULT_FORMAT_OPTIONS };
        let text = |column| cast_with_options(column, &DataType::Utf8View, &options);
        columns.iter().map(|column| Ok(text(column)?.as_string_view().clone())).collect()
    }

    /// The rows of `columns` (all of one length) as text, a line each.
    ///
    /// # Errors
    /// The first row that the format cannot express.
    pub fn write(&self, columns: &[StringViewArray]) -> Result<Vec<u8>, UnwritableRow> {
        match (self.format, columns) {
            (WireFormat::Raw, [column]) => write_raw(column),
            _ => Ok(write_tsv(columns)),
        }
    }
}

fn write_raw(column: &StringViewArray) -> Result<Vec<u8>, UnwritableRow> {
    let mut text = Vec::with_capacity(column.total_bytes_len() + column.len());
    for (row, value) in column.iter().enumerate() {
        let Some(value) = value else {
            let reason =
                "a NULL has no form in FORMAT RAW; use FORMAT TSV, or coalesce(column, '')";
            return Err(UnwritableRow { row, reason });
        };
        if memchr(b'\n', value.as_bytes()).is_some() {
            let reason =
                "a value with a newline in it cannot be one line of FORMAT RAW; use FORMAT TSV";
            return Err(UnwritableRow { row, reason });
        }
        text.extend_from_slice(value.as_bytes());
        text.push(b'\n');
    }
    Ok(text)
}

fn write_tsv(columns: &[StringViewArray]) -> Vec<u8> {
    let rows = columns.first().map_or(0, Array::len);
    let bytes: usize = columns.iter().map(|column| column.total_bytes_len() + rows).sum();
    let mut text = Vec::with_capacity(bytes);
    for row in 0..rows {
        for (position, column) in columns.iter().enumerate() {
            if position > 0 {
                text.push(b'\t');
            }
            if column.is_null(row) {
                text.extend_from_slice(br"\N");
            } else {
                escape_into(&mut text, column.value(row).as_bytes());
            }
        }
        text.push(b'\n');
    }
    text
}

fn escape_into(text: &mut Vec<u8>, mut value: &[u8]) {
    let special = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b'\\');
    while let Some(at) = value.iter().position(special) {
        text.extend_from_slice(&value[..at]);
        text.push(b'\\');
        text.push(match value[at] {
            b'\t' => b't',
            b'\n' => b'n',
            b'\r' => b'r',
            _ => b'\\',
        });
        value = &value[at + 1..];
    }
    text.extend_from_slice(value);
}
