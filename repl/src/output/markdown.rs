//! A GitHub table. Numbers are aligned to the right, and NULL is `∅`.
//!
//! `|`, `\`, `&` and `<` are escaped, a newline is `<br>`, and characters that cannot be seen are
//! escaped as in a table. Emphasis (`*`, `_`) is left as it is, to be read as plain text too.

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use super::column::Column;
use super::encoder::{Encoder, column_names};
use super::visible::{self, NULL};

pub(super) struct MarkdownEncoder {
    names: Vec<String>,
    numeric: Vec<bool>,
}

impl MarkdownEncoder {
    pub(super) fn new(schema: &Schema) -> Self {
        Self { names: column_names(schema), numeric: visible::numeric_columns(schema) }
    }
}

impl Encoder for MarkdownEncoder {
    fn begin(&mut self, buffer: &mut String) {
        for name in &self.names {
            buffer.push_str("| ");
            push_cell(name, buffer);
            buffer.push(' ');
        }
        buffer.push_str("|\n");
        for is_numeric in &self.numeric {
            buffer.push_str(if *is_numeric { "| ---: " } else { "| --- " });
        }
        buffer.push_str("|\n");
    }

    fn rows(&mut self, batch: &RecordBatch, buffer: &mut String) -> Result<(), ArrowError> {
        let mut columns = Column::all(batch)?;
        for row in 0..batch.num_rows() {
            for column in &mut columns {
                buffer.push_str("| ");
                match column.text(row)? {
                    Some(text) => push_cell(text, buffer),
                    None => buffer.push_str(NULL),
                }
                buffer.push(' ');
            }
            buffer.push_str("|\n");
        }
        Ok(())
    }
}

fn push_cell(text: &str, buffer: &mut String) {
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '|' => buffer.push_str("\\|"),
            '\\' => buffer.push_str("\\\\"),
            '&' => buffer.push_str("&amp;"),
            '<' => buffer.push_str("&lt;"),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' => buffer.push_str("<br>"),
            other => visible::push(other, buffer),
        }
    }
}
