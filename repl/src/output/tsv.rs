//! Tab-separated values, one row a line, as PostgreSQL's COPY writes them: `\t`, `\n`, `\r` and
//! `\\` stand for those characters, and `\N` for NULL. The first line is the header.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use super::column::Column;
use super::encoder::{Encoder, column_names};

pub(super) struct TsvEncoder {
    names: Vec<String>,
}

impl TsvEncoder {
    pub(super) fn new(schema: &Schema) -> Self {
        Self { names: column_names(schema) }
    }
}

impl Encoder for TsvEncoder {
    fn begin(&mut self, buffer: &mut String) {
        for (position, name) in self.names.iter().enumerate() {
            if position > 0 {
                buffer.push('\t');
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
                    buffer.push('\t');
                }
                match column.text(row)? {
                    Some(text) => push_field(text, buffer),
                    None => buffer.push_str("\\N"),
                }
            }
            buffer.push('\n');
        }
        Ok(())
    }
}

fn push_field(text: &str, buffer: &mut String) {
    let mut rest = text;
    while let Some(at) = next_special(rest.as_bytes()) {
        buffer.push_str(&rest[..at]);
        buffer.push_str(match rest.as_bytes()[at] {
            b'\t' => "\\t",
            b'\n' => "\\n",
            b'\r' => "\\r",
            _ => "\\\\",
        });
        rest = &rest[at + 1..];
    }
    buffer.push_str(rest);
}

fn next_special(bytes: &[u8]) -> Option<usize> {
    let first = memchr::memchr3(b'\t', b'\n', b'\\', bytes);
    let bytes_before = &bytes[..first.unwrap_or(bytes.len())];
    memchr::memchr(b'\r', bytes_before).or(first)
}
