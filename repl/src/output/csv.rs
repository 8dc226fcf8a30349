//! CSV after RFC 4180, with a header and lines that end in a newline alone.
//!
//! A field is quoted when it must be: it holds a quote, a comma or the end of a line, or is an
//! empty text, which is `""` so that it differs from NULL, an empty field without quotes.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use super::column::Column;
use super::encoder::{Encoder, column_names};

pub(super) struct CsvEncoder {
    names: Vec<String>,
}

impl CsvEncoder {
    pub(super) fn new(schema: &Schema) -> Self {
        Self { names: column_names(schema) }
    }
}

impl Encoder for CsvEncoder {
    fn begin(&mut self, buffer: &mut String) {
        for (position, name) in self.names.iter().enumerate() {
            if position > 0 {
                buffer.push(',');
            }
            push_field(name, buffer);
        }
        buffer.push('\n');
    }

    fn rows(&mut self, batch: &RecordBatch, buffer: &mut String) -> Result<(), ArrowError> {
        let mut columns = Column::all(batch)?;
        for row in 0..batch.num_rows() {
            for (position, column) in columns.iter_mut().enumerate() {
                if position > 0 {
                    buffer.push(',');
                }
                if let Some(text) = column.text(row)? {
                    push_field(text, buffer);
                }
            }
            buffer.push('\n');
        }
        Ok(())
    }
}

fn push_field(text: &str, buffer: &mut String) {
    if !needs_quotes(text.as_bytes()) {
        buffer.push_str(text);
        return;
    }
    buffer.push('"');
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'"', rest.as_bytes()) {
        buffer.push_str(&rest[..=at]);
        buffer.push('"');
        rest = &rest[at + 1..];
    }
    buffer.push_str(rest);
    buffer.push('"');
}

fn needs_quotes(field: &[u8]) -> bool {
    field.is_empty()
        || memchr::memchr3(b'"', b',', b'\n', field).is_some()
        || memchr::memchr(b'\r', field).is_some()
}
