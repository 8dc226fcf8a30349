//! One record after the other, each column on a line of its own: for rows that are too wide to read
//! side by side.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use super::column::Column;
use super::encoder::Encoder;
use super::visible::{escape, width};

pub(super) struct VerticalEncoder {
    /// The names, padded to one width.
    names: Vec<String>,
    name_width: usize,
    null: Arc<str>,
    record: u64,
}

impl VerticalEncoder {
    pub(super) fn new(schema: &Schema, null: Arc<str>) -> Self {
        let names: Vec<String> =
            schema.fields().iter().map(|field| escape(field.name()).into_owned()).collect();
        let name_width = names.iter().map(|name| width(name)).max().unwrap_or(0);
        let pad = |name: String| {
            let blanks = name_width - width(&name);
            name + &" ".repeat(blanks)
        };
        let names = names.into_iter().map(pad).collect();
        Self { names, name_width, null, record: 0 }
    }

    /// `─[ record 1 ]───`
    fn push_rule(&mut self, buffer: &mut String) {
        self.record += 1;
        let title = format!("─[ record {} ]─", self.record);
        let missing = (self.name_width + 2).saturating_sub(width(&title));
        buffer.push_str(&title);
        buffer.extend(std::iter::repeat_n('─', missing));
        buffer.push('\n');
    }
}

impl Encoder for VerticalEncoder {
    fn begin(&mut self, _buffer: &mut String) {}

    fn rows(&mut self, batch: &RecordBatch, buffer: &mut String) -> Result<(), ArrowError> {
        let mut columns = Column::all(batch)?;
        for row in 0..batch.num_rows() {
            self.push_rule(buffer);
            for (name, column) in self.names.iter().zip(&mut columns) {
                buffer.push_str(name);
                buffer.push_str(" │ ");
                buffer.push_str(&column.text(row)?.map(escape).unwrap_or((*self.null).into()));
                buffer.push('\n');
            }
        }
        Ok(())
    }
}
