//! Lines in, columns out.

use arrow_array::{Array, ArrayRef, StringViewArray};
use arrow_schema::ArrowError;

use std::sync::Arc;

use crate::column::{ColumnBuilder, ColumnSpec, Line, Unfit};
use crate::scan::{Fields, Mismatch, Scanner, Slot};
use crate::spec::{FormatError, FormatSpec};

/// Makes columns of lines.
#[derive(Debug)]
pub struct LineParser {
    scanner: Arc<dyn Scanner>,
    columns: Vec<ColumnSpec>,
}

/// What a batch of lines became.
#[derive(Debug)]
pub struct Parsed {
    /// The columns that were asked for, in that order, each as long as the lines.
    pub columns: Vec<ArrayRef>,
    /// The lines that did not match.
    pub failures: Failures,
}

/// Lines that do not have the format, or hold a value that does not fit its type.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Their rows, ascending. The first kind has NULL in all columns, the second one where the
    /// value does not fit.
    pub rows: Vec<usize>,
    /// Of the first of these rows, why.
    pub reasons: Vec<String>,
}

impl LineParser {
    /// A parser that fills `columns`.
    ///
    /// # Errors
    /// When the text of the format is wrong, or the format has no field of a column's name.
    pub fn try_new(spec: &FormatSpec, columns: &[ColumnSpec]) -> Result<Self, FormatError> {
        Ok(Self { scanner: spec.scanner(columns)?, columns: columns.to_vec() })
    }

    /// Parses `lines` and gives the columns of the indexes in `wanted`, which may be none of them,
    /// and of at most `max_reasons` lines why they failed. A line that is NULL gives NULLs and is
    /// no failure.
    ///
    /// # Errors
    /// When Arrow cannot convert text to the type of a column at all.
    pub fn parse(
        &self,
        lines: &StringViewArray,
        wanted: &[usize],
        max_reasons: usize,
    ) -> Result<Parsed, ArrowError> {
        let mut batch = Batch::new(self, lines, wanted, max_reasons);
        for row in 0..lines.len() {
            batch.row(row);
        }
        batch.finish(wanted)
    }
}

/// A batch that is being parsed.
struct Batch<'a> {
    parser: &'a LineParser,
    lines: &'a StringViewArray,
    /// A builder for each slot that is needed, with the slot.
    builders: Vec<(usize, ColumnBuilder)>,
    fields: Fields,
    failures: Failures,
    max_reasons: usize,
}

impl<'a> Batch<'a> {
    fn new(
        parser: &'a LineParser,
        lines: &'a StringViewArray,
        wanted: &[usize],
        max_reasons: usize,
    ) -> Self {
        // Whether values fit is looked at even where nobody wants them.
        let is_needed = |slot: usize| wanted.contains(&slot) || parser.columns[slot].is_converted();
        let needed: Vec<bool> = (0..parser.columns.len()).map(is_needed).collect();
        let buffers = lines.data_buffers().len();
        let builder =
            |slot| (slot, ColumnBuilder::new(&parser.columns[slot], lines.len(), buffers));
        let builders = (0..needed.len()).filter(|slot| needed[*slot]).map(builder).collect();
        let fields = Fields::new(needed);
        Self { parser, lines, builders, fields, failures: Failures::default(), max_reasons }
    }

    fn row(&mut self, row: usize) {
        if self.lines.is_null(row) {
            self.append_nulls();
            return;
        }
        let line = Line { text: self.lines.value(row), view: self.lines.views()[row] };
        self.fields.clear();
        match self.parser.scanner.scan(line.text, &mut self.fields) {
            Ok(()) => self.append(row, line),
            Err(mismatch) => self.mismatch(row, line, mismatch),
        }
    }

    fn append(&mut self, row: usize, line: Line<'_>) {
        let mut unfit = None;
        for (slot, builder) in &mut self.builders {
            let appended = match self.fields.slot(*slot) {
                Slot::Null => {
                    builder.append_null();
                    Ok(())
                }
                Slot::Line(range) => {
                    builder.append_of(line, range.start, &line.text[range.clone()])
                }
                Slot::Rewritten(range) => builder.append_own(self.fields.rewritten(range)),
            };
            if appended == Err(Unfit) {
                unfit.get_or_insert(*slot);
            }
        }
        if let Some(slot) = unfit {
            self.unfit(row, line, slot);
        }
    }

    fn append_nulls(&mut self) {
        for (_, builder) in &mut self.builders {
            builder.append_null();
        }
    }

    #[cold]
    fn mismatch(&mut self, row: usize, line: Line<'_>, mismatch: Mismatch) {
        self.append_nulls();
        self.failures.rows.push(row);
        if self.failures.reasons.len() < self.max_reasons {
            self.failures.reasons.push(self.parser.scanner.describe(line.text, mismatch));
        }
    }

    #[cold]
    fn unfit(&mut self, row: usize, line: Line<'_>, slot: usize) {
        self.failures.rows.push(row);
        if self.failures.reasons.len() < self.max_reasons {
            let text = match self.fields.slot(slot) {
                Slot::Null => "",
                Slot::Line(range) => &line.text[range.clone()],
                Slot::Rewritten(range) => self.fields.rewritten(range),
            };
            self.failures.reasons.push(self.parser.columns[slot].unfit(text));
        }
    }

    fn finish(self, wanted: &[usize]) -> Result<Parsed, ArrowError> {
        let mut failures = self.failures;
        let mut made = Vec::with_capacity(self.builders.len());
        for (slot, builder) in self.builders {
            let (array, unfit) = builder.finish(self.lines)?;
            let column = &self.parser.columns[slot];
            failures.add(&unfit, self.max_reasons, |row| column.unfit(self.lines.value(row)));
            made.push((slot, array));
        }
        let column = |slot: &usize| {
            let found = made.iter().find(|(other, _)| other == slot);
            found.map(|(_, array)| Arc::clone(array)).expect("wanted columns have builders")
        };
        Ok(Parsed { columns: wanted.iter().map(column).collect(), failures })
    }
}

impl Failures {
    /// Adds rows that are found late, in a column that is converted as a whole.
    fn add(&mut self, rows: &[usize], max_reasons: usize, reason: impl Fn(usize) -> String) {
        for row in rows {
            let Err(position) = self.rows.binary_search(row) else { continue };
            self.rows.insert(position, *row);
            if position < max_reasons {
                self.reasons.insert(position.min(self.reasons.len()), reason(*row));
                self.reasons.truncate(max_reasons);
            }
        }
    }
}
