//! JSON: one array of objects, or one object a line.
//!
//! A NULL is an explicit `null`. A column name that comes twice gets a number (`a`, `a_2`).

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use super::encoder::Encoder;
use super::json_text::{key, unique_names};
use super::json_value::{JsonColumn, write_struct};

pub(super) struct JsonEncoder {
    keys: Vec<String>,
    punctuation: Punctuation,
    is_first_row: bool,
}

/// What stands around the objects.
struct Punctuation {
    before_all: &'static str,
    between_rows: &'static str,
    after_row: &'static str,
    after_all: &'static str,
}

impl JsonEncoder {
    /// An array, one object a line: `[{…},⏎{…}]`.
    pub(super) fn array(schema: &Schema) -> Self {
        let punctuation =
            Punctuation { before_all: "[", between_rows: ",\n", after_row: "", after_all: "]\n" };
        Self::new(schema, punctuation)
    }

    /// Objects on lines of their own, without anything around them.
    pub(super) fn lines(schema: &Schema) -> Self {
        let punctuation =
            Punctuation { before_all: "", between_rows: "", after_row: "\n", after_all: "" };
        Self::new(schema, punctuation)
    }

    fn new(schema: &Schema, punctuation: Punctuation) -> Self {
        let names = unique_names(schema.fields().iter().map(|field| field.name().as_str()));
        let keys = names.iter().map(|name| key(name)).collect();
        Self { keys, punctuation, is_first_row: true }
    }
}

impl Encoder for JsonEncoder {
    fn begin(&mut self, buffer: &mut String) {
        buffer.push_str(self.punctuation.before_all);
    }

    fn rows(&mut self, batch: &RecordBatch, buffer: &mut String) -> Result<(), ArrowError> {
        let columns = batch.columns().iter().map(|array| JsonColumn::try_new(array.as_ref()));
        let fields: Vec<(String, JsonColumn<'_>)> = self
            .keys
            .iter()
            .zip(columns)
            .map(|(key, column)| Ok((key.clone(), column?)))
            .collect::<Result<_, ArrowError>>()?;
        for row in 0..batch.num_rows() {
            if !self.is_first_row {
                buffer.push_str(self.punctuation.between_rows);
            }
            self.is_first_row = false;
            write_struct(&fields, row, buffer)?;
            buffer.push_str(self.punctuation.after_row);
        }
        Ok(())
    }

    fn end(&mut self, buffer: &mut String) {
        buffer.push_str(self.punctuation.after_all);
    }
}
