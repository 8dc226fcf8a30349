//! What an operator takes from its input rows.

use std::fs::File;
use std::io;
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
        let (name, path) = text::name_and_path(file);
        let line_number = text::line_number_of(offset, || self.open_again(path)).ok();
        Some(RowOrigin { file: name.to_owned(), line_number, last_line_number: None })
    }

    /// The path comes from a row, and a row can say anything.
    fn open_again(&self, path: Option<&str>) -> io::Result<File> {
        let path = Path::new(path.ok_or(io::ErrorKind::NotFound)?);
        self.roots.check(path).map_err(io::Error::other)?;
        let file = File::open(path)?;
        self.roots.check_open(&file, path).map_err(io::Error::other)?;
        Ok(file)
    }
}

fn array_of(expression: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<ArrayRef> {
    expression.evaluate(batch)?.into_array(batch.num_rows())
}
