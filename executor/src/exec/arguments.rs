//! What an operator takes from its input rows.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;

use crate::operator::RowOrigin;
use crate::policy::Roots;
use crate::text;

/// The expressions that an operator evaluates on each input batch.
#[derive(Debug, Clone)]
pub struct OperatorArguments {
    /// The values that go to the child, in order.
    pub values: Vec<Arc<dyn PhysicalExpr>>,
    /// File and offset of the line that a row came from, where the input has them.
    pub origin: Option<[Arc<dyn PhysicalExpr>; 2]>,
    /// Where such files may be: they are read again to count lines.
    pub roots: Roots,
}

/// The origins of the rows of one batch.
#[derive(Debug, Clone)]
pub(super) struct RowOrigins {
    file: ArrayRef,
    offset: ArrayRef,
    roots: Roots,
}

impl OperatorArguments {
    /// All expressions, the origin last.
    pub fn expressions(&self) -> impl Iterator<Item = &Arc<dyn PhysicalExpr>> {
        self.values.iter().chain(self.origin.iter().flatten())
    }

    /// The values of the rows of `batch`.
    pub(super) fn evaluate(&self, batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
        self.values.iter().map(|value| array_of(value, batch)).collect()
    }

    /// The origins of the rows of `batch`, where known.
    pub(super) fn origins(&self, batch: &RecordBatch) -> Result<Option<RowOrigins>> {
        let Some([file, offset]) = &self.origin else { return Ok(None) };
        let (file, offset) = (array_of(file, batch)?, array_of(offset, batch)?);
        Ok(Some(RowOrigins { file, offset, roots: self.roots.clone() }))
    }
}

impl RowOrigins {
    /// The origin of one row. This reads the file up to that line, so it is for errors only.
    pub(super) fn of(&self, row: usize) -> Option<RowOrigin> {
        let file = self.file.as_string_view_opt().filter(|file| row < file.len())?.value(row);
        let offset = self.offset.as_primitive_opt::<Int64Type>()?.value(row);
        // The name comes from a row, and a row can say anything.
        let allowed = self.roots.check(Path::new(file)).ok();
        let line_number = allowed.and_then(|()| text::line_number_of(file, offset).ok());
        Some(RowOrigin { file: file.to_owned(), line_number, last_line_number: None })
    }
}

fn array_of(expression: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<ArrayRef> {
    expression.evaluate(batch)?.into_array(batch.num_rows())
}
