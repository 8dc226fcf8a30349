//! Lines in, columns out.

mod batch;
mod failures;

use std::sync::Arc;

use arrow_array::{ArrayRef, StringViewArray};
use arrow_schema::ArrowError;

pub use batch::Batch;
pub use failures::Failures;

use crate::column::ColumnSpec;
use crate::scan::Scanner;
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

impl LineParser {
    /// A parser that fills `columns`.
    ///
    /// # Errors
    /// When the text of the format is wrong, the format has no field of a column's name, or two
    /// columns have one name.
    pub fn try_new(spec: &FormatSpec, columns: &[ColumnSpec]) -> Result<Self, FormatError> {
        for (slot, column) in columns.iter().enumerate() {
            if columns[..slot].iter().any(|other| other.name == column.name) {
                return Err(FormatError::new(format!("two columns are named `{}`", column.name)));
            }
        }
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
        self.scanner.scan_batch(&mut batch);
        batch.finish(wanted)
    }
}
