//! Rows to text.

use arrow::array::{ArrayRef, AsArray, StringViewArray};
use arrow::buffer::Buffer;
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use datafusion::common::format::DEFAULT_FORMAT_OPTIONS;

use super::{WireFormat, csv, json, raw, tsv};

/// Rows that the format cannot express.
#[derive(Debug, PartialEq, Eq)]
pub struct Unwritable {
    /// The index of the first such row in the batch, where it is one row's fault.
    pub row: Option<usize>,
    /// Why, with the way out.
    pub reason: String,
}

impl From<ArrowError> for Unwritable {
    fn from(error: ArrowError) -> Self {
        Self { row: None, reason: error.to_string() }
    }
}

/// The rows of `columns` (all of one length) as text. `names` are those of the columns, for JSON.
///
/// # Errors
/// The first row that the format cannot express, or a column of a type without a text form.
pub fn encode(
    format: WireFormat,
    names: &[String],
    columns: &[ArrayRef],
) -> Result<Buffer, Unwritable> {
    Ok(match (format, columns) {
        (WireFormat::Json, _) => Buffer::from_vec(json::write(names, columns)?),
        (WireFormat::Csv, _) => Buffer::from_vec(csv::write(&all_to_text(columns)?)),
        (WireFormat::Raw, [column]) => raw::write(&to_text(column)?)?,
        (WireFormat::Raw | WireFormat::Tsv, _) => {
            Buffer::from_vec(tsv::write(&all_to_text(columns)?))
        }
    })
}

/// A column as TEXT, which is how all formats print its values.
///
/// # Errors
/// When its type has no text form.
pub(crate) fn to_text(column: &ArrayRef) -> Result<StringViewArray, ArrowError> {
    let options = CastOptions { safe: false, format_options: DEFAULT_FORMAT_OPTIONS };
    let text = cast_with_options(column, &DataType::Utf8View, &options)?;
    Ok(text.as_string_view().clone())
}

fn all_to_text(columns: &[ArrayRef]) -> Result<Vec<StringViewArray>, ArrowError> {
    columns.iter().map(to_text).collect()
}
