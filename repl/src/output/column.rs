//! The text of the values of a column, for the formats in which a value is text.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, LargeStringArray, RecordBatch, StringArray};
use arrow::array::{RecordBatchOptions, StringViewArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::json_value::JsonColumn;

/// The values of one column of a batch, as text.
pub(super) struct Column<'a> {
    nulls: Option<NullBuffer>,
    values: Values<'a>,
    scratch: String,
}

enum Values<'a> {
    Text(Text<'a>),
    Nested(JsonColumn<'a>),
    Formatted(ArrayFormatter<'a>),
}

impl<'a> Column<'a> {
    /// All columns of `batch`, which [`flatten`] has made.
    pub(super) fn all(batch: &'a RecordBatch) -> Result<Vec<Self>, ArrowError> {
        batch.columns().iter().map(|array| Self::try_new(array.as_ref())).collect()
    }

    fn try_new(array: &'a dyn Array) -> Result<Self, ArrowError> {
        let values = if let Some(text) = Text::of(array) {
            Values::Text(text)
        } else if array.data_type().is_nested() {
            Values::Nested(JsonColumn::try_new(array)?)
        } else {
            Values::Formatted(formatter(array)?)
        };
        Ok(Self { nulls: array.logical_nulls(), values, scratch: String::new() })
    }

    /// The text of one value; `None` is NULL.
    pub(super) fn text(&mut self, row: usize) -> Result<Option<&str>, ArrowError> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return Ok(None);
        }
        let scratch = &mut self.scratch;
        scratch.clear();
        match &self.values {
            Values::Text(text) => return Ok(Some(text.value(row))),
            Values::Nested(json) => json.write(row, scratch)?,
            Values::Formatted(values) => values.value(row).write(scratch)?,
        }
        Ok(Some(scratch))
    }
}

/// A column of text in any of Arrow's layouts.
pub(super) enum Text<'a> {
    Utf8(&'a StringArray),
    LargeUtf8(&'a LargeStringArray),
    Utf8View(&'a StringViewArray),
}

impl<'a> Text<'a> {
    /// `None` when the array holds something else than text.
    pub(super) fn of(array: &'a dyn Array) -> Option<Self> {
        match array.data_type() {
            DataType::Utf8 => Some(Self::Utf8(array.as_string())),
            DataType::LargeUtf8 => Some(Self::LargeUtf8(array.as_string())),
            DataType::Utf8View => Some(Self::Utf8View(array.as_string_view())),
            _ => None,
        }
    }

    pub(super) fn value(&self, row: usize) -> &'a str {
        match self {
            Self::Utf8(array) => array.value(row),
            Self::LargeUtf8(array) => array.value(row),
            Self::Utf8View(array) => array.value(row),
        }
    }
}

/// A formatter that reports a value without a text as an error. (Arrow's default is to print the
/// message in the place of the value.)
pub(super) fn formatter(array: &dyn Array) -> Result<ArrayFormatter<'_>, ArrowError> {
    ArrayFormatter::try_new(array, &FormatOptions::new().with_display_error(false))
}

/// Replaces the dictionary and run-end encoded columns of a batch by plain ones, so that a format
/// sees values, and NULLs where the values are NULL.
pub(super) fn flatten(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    if batch.columns().iter().all(|array| plain_type(array.data_type()).is_none()) {
        return Ok(batch.clone());
    }
    let arrays: Vec<ArrayRef> =
        batch.columns().iter().map(flatten_array).collect::<Result<_, _>>()?;
    let fields: Vec<Field> = batch
        .schema_ref()
        .fields()
        .iter()
        .zip(&arrays)
        .map(|(field, array)| Field::new(field.name(), array.data_type().clone(), true))
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
}

fn flatten_array(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match plain_type(array.data_type()) {
        Some(plain) => cast(array, plain),
        None => Ok(Arc::clone(array)),
    }
}

fn plain_type(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::Dictionary(_, values) => Some(values.as_ref()),
        DataType::RunEndEncoded(_, values) => Some(values.data_type()),
        _ => None,
    }
}
