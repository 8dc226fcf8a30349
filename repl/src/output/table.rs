//! A table drawn with lines, for reading.
//!
//! Rows are printed as they come, so the widths are chosen from the first ones. When later values
//! are wider, the table is closed and goes on under a new header with wider columns, as long as
//! there is room for them; on a terminal that is full they are cut. Without a terminal nothing is
//! ever cut: a value wider than [`WIDEST_COLUMN`] pushes the rest of its row to the right.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use super::OutputOptions;
use super::column::Column;
use super::encoder::Encoder;
use super::layout::{Wish, fit};
use super::visible::{self, escape, shorten, width};

/// Rows that are waited for, while they come without delay, before widths are chosen.
const HELD_ROWS: usize = 1_000;
/// Bytes of text after which widths are chosen from fewer rows.
const HELD_BYTES: usize = 4 * 1024 * 1024;
/// Columns of text are not cut below this, unless there are too many of them.
const LEAST_TEXT: usize = 5;
/// No column is padded beyond this, so that one long line does not blow up all the others.
const WIDEST_COLUMN: usize = 1_000;

pub(super) struct TableEncoder {
    headers: Vec<String>,
    numeric: Vec<bool>,
    terminal_width: Option<usize>,
    /// How NULL looks.
    null: Arc<str>,
    /// Rows that are not printed yet.
    held: Vec<Vec<String>>,
    held_bytes: usize,
    /// The widest value of every column so far.
    value_widths: Vec<usize>,
    /// The widths of the part of the table that is being printed.
    open: Option<Vec<usize>>,
}

impl TableEncoder {
    pub(super) fn new(schema: &Schema, options: &OutputOptions) -> Self {
        let headers: Vec<String> =
            schema.fields().iter().map(|field| escape(field.name()).into_owned()).collect();
        Self {
            value_widths: vec![0; headers.len()],
            headers,
            numeric: visible::numeric_columns(schema),
            terminal_width: options.terminal_width,
            null: options.null(),
            held: Vec::new(),
            held_bytes: 0,
            open: None,
        }
    }

    fn hold(&mut self, row: Vec<String>) {
        for (widest, cell) in self.value_widths.iter_mut().zip(&row) {
            *widest = (*widest).max(width(cell).min(WIDEST_COLUMN));
        }
        self.held_bytes += row.iter().map(String::len).sum::<usize>();
        self.held.push(row);
    }

    fn print_held(&mut self, buffer: &mut String) {
        let widths = self.choose_widths(buffer);
        for row in std::mem::take(&mut self.held) {
            self.push_row(&row, &widths, buffer);
        }
        self.held_bytes = 0;
        self.open = Some(widths);
    }

    /// Keeps the widths of the open part, or opens another one with wider columns.
    fn choose_widths(&mut self, buffer: &mut String) -> Vec<usize> {
        let available = self.available();
        if let Some(current) = self.open.take() {
            let is_full = current.iter().sum::<usize>() >= available;
            let is_wide_enough =
                self.value_widths.iter().zip(&current).all(|(value, width)| value <= width);
            if is_full || is_wide_enough {
                return current;
            }
            push_rule(["└", "┴", "┘"], &current, buffer);
        }
        let widths = fit(&self.wishes(), available);
        push_rule(["┌", "┬", "┐"], &widths, buffer);
        self.push_row(&self.headers, &widths, buffer);
        push_rule(["├", "┼", "┤"], &widths, buffer);
        widths
    }

    /// Columns of the terminal for the text itself, without lines and the blanks around it.
    fn available(&self) -> usize {
        let frame = 3 * self.headers.len() + 1;
        self.terminal_width.map_or(usize::MAX, |columns| columns.saturating_sub(frame))
    }

    fn wishes(&self) -> Vec<Wish> {
        let columns = self.headers.iter().zip(&self.value_widths).zip(&self.numeric);
        columns
            .map(|((header, &values), &is_numeric)| {
                let natural = width(header).min(WIDEST_COLUMN).max(values).max(1);
                let least = if is_numeric { values.max(1) } else { natural.min(LEAST_TEXT) };
                Wish { natural, least }
            })
            .collect()
    }

    fn push_row(&self, cells: &[String], widths: &[usize], buffer: &mut String) {
        for ((cell, &columns), &is_numeric) in cells.iter().zip(widths).zip(&self.numeric) {
            let text = match self.terminal_width {
                Some(_) => shorten(cell, columns),
                None => cell.into(),
            };
            let blanks = columns.saturating_sub(width(&text));
            let (left, right) = if is_numeric { (blanks, 0) } else { (0, blanks) };
            buffer.push_str("│ ");
            buffer.extend(std::iter::repeat_n(' ', left));
            buffer.push_str(&text);
            buffer.extend(std::iter::repeat_n(' ', right + 1));
        }
        buffer.push_str("│\n");
    }
}

impl Encoder for TableEncoder {
    /// The header waits for the widths of the first rows.
    fn begin(&mut self, _buffer: &mut String) {}

    fn rows(&mut self, batch: &RecordBatch, buffer: &mut String) -> Result<(), ArrowError> {
        let mut columns = Column::all(batch)?;
        for row in 0..batch.num_rows() {
            let cells = columns.iter_mut().map(|column| {
                let text = column.text(row)?.map(escape).unwrap_or((*self.null).into());
                Ok(match self.terminal_width {
                    Some(columns) => shorten(&text, columns).into_owned(),
                    None => text.into_owned(),
                })
            });
            let cells = cells.collect::<Result<_, ArrowError>>()?;
            self.hold(cells);
        }
        let may_wait = self.held.len() < HELD_ROWS && self.held_bytes < HELD_BYTES;
        if self.open.is_some() || !may_wait {
            self.print_held(buffer);
        }
        Ok(())
    }

    fn idle(&mut self, buffer: &mut String) {
        if !self.held.is_empty() {
            self.print_held(buffer);
        }
    }

    fn end(&mut self, buffer: &mut String) {
        if self.open.is_none() || !self.held.is_empty() {
            self.print_held(buffer);
        }
        if let Some(widths) = self.open.take() {
            push_rule(["└", "┴", "┘"], &widths, buffer);
        }
    }
}

fn push_rule([left, junction, right]: [&str; 3], widths: &[usize], buffer: &mut String) {
    for (position, columns) in widths.iter().enumerate() {
        buffer.push_str(if position == 0 { left } else { junction });
        buffer.extend(std::iter::repeat_n('─', columns + 2));
    }
    buffer.push_str(right);
    buffer.push('\n');
}
