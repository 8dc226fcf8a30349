//! A batch while it is being parsed.

use std::sync::Arc;

use arrow_array::{Array, StringViewArray};
use arrow_schema::ArrowError;

use super::{Failures, LineParser, Parsed};
use crate::column::{Check, ColumnBuilder, ColumnSpec, Line, Unfit};
use crate::scan::{Fields, Scanner, Slot};

/// Lines on their way into columns.
#[derive(Debug)]
pub struct Batch<'a> {
    columns: &'a [ColumnSpec],
    lines: &'a StringViewArray,
    /// A builder for each slot that is wanted, or is only converted as a whole.
    builders: Vec<(usize, ColumnBuilder)>,
    /// Whether values fit is looked at even where nobody wants them.
    checks: Vec<(usize, Check)>,
    fields: Fields,
    failures: Failures,
    max_reasons: usize,
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        parser: &'a LineParser,
        lines: &'a StringViewArray,
        wanted: &[usize],
        max_reasons: usize,
    ) -> Self {
        let columns = &parser.columns;
        let mut builders = Vec::new();
        let mut checks = Vec::new();
        let mut needed = vec![false; columns.len()];
        for (slot, column) in columns.iter().enumerate() {
            let is_wanted = wanted.contains(&slot);
            needed[slot] = is_wanted || column.is_converted();
            match Check::new(column) {
                Some(check) if !is_wanted => checks.push((slot, check)),
                _ if needed[slot] => builders.push((slot, ColumnBuilder::new(column, lines))),
                _ => {}
            }
        }
        let fields = Fields::new(needed);
        Self {
            columns,
            lines,
            builders,
            checks,
            fields,
            failures: Failures::default(),
            max_reasons,
        }
    }

    /// Scans all lines.
    pub(crate) fn run<S: Scanner + ?Sized>(&mut self, scanner: &S) {
        for row in 0..self.lines.len() {
            if self.lines.is_null(row) {
                self.append_nulls();
                continue;
            }
            let line = Line { text: self.lines.value(row), view: self.lines.views()[row] };
            self.fields.clear();
            match scanner.scan(line.text, &mut self.fields) {
                Ok(()) => self.append(row, line),
                Err(mismatch) => self.mismatch(row, || scanner.describe(line.text, mismatch)),
            }
        }
    }

    #[inline]
    fn append(&mut self, row: usize, line: Line<'_>) {
        // The first slot that does not fit, whichever columns are wanted.
        let mut unfit = usize::MAX;
        for (slot, builder) in &mut self.builders {
            let appended = match self.fields.slot(*slot) {
                Slot::Null => {
                    builder.append_null();
                    Ok(())
                }
                Slot::Line { start, end } => builder.append_of(line, start as usize, end as usize),
                Slot::Rewritten { .. } => {
                    builder.append_own(self.fields.text(line.text, *slot).unwrap_or_default())
                }
            };
            if appended == Err(Unfit) {
                unfit = unfit.min(*slot);
            }
        }
        for (slot, check) in &mut self.checks {
            let Some(text) = self.fields.text(line.text, *slot) else { continue };
            if check.check(text) == Err(Unfit) {
                unfit = unfit.min(*slot);
            }
        }
        if unfit != usize::MAX {
            self.unfit(row, line, unfit);
        }
    }

    fn append_nulls(&mut self) {
        for (_, builder) in &mut self.builders {
            builder.append_null();
        }
    }

    #[cold]
    fn mismatch(&mut self, row: usize, reason: impl FnOnce() -> String) {
        self.append_nulls();
        self.failures.push(row, self.max_reasons, reason);
    }

    #[cold]
    fn unfit(&mut self, row: usize, line: Line<'_>, slot: usize) {
        let text = self.fields.text(line.text, slot).unwrap_or_default();
        self.failures.push(row, self.max_reasons, || self.columns[slot].unfit(text));
    }

    pub(super) fn finish(self, wanted: &[usize]) -> Result<Parsed, ArrowError> {
        let mut failures = self.failures;
        let mut made = Vec::with_capacity(self.builders.len());
        for (slot, builder) in self.builders {
            let (array, unfit) = builder.finish(self.lines)?;
            let column = &self.columns[slot];
            failures.merge(&unfit.rows, self.max_reasons, |row| column.unfit(unfit.text(row)));
            made.push((slot, array));
        }
        let column = |slot: &usize| {
            let found = made.iter().find(|(other, _)| other == slot);
            found.map(|(_, array)| Arc::clone(array)).expect("wanted columns have builders")
        };
        Ok(Parsed { columns: wanted.iter().map(column).collect(), failures })
    }
}
