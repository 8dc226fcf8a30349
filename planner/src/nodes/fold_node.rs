//! `FOLD` in a logical plan.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use gleam_sql_executor::exec::{FoldSource, FoldSpec};
use gleam_sql_executor::operator::first_line;

use super::{NodeArguments, is_ordered, only_input, sorted};

/// Joins continuation lines to the line that they belong to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FoldNode {
    pub(crate) input: Arc<LogicalPlan>,
    /// The line, and what the operator has to have beside it; the origin of the row.
    pub(crate) arguments: NodeArguments,
    pub(crate) spec: FoldSpec,
    /// The columns of the output, as the input has them; the line among them is that of all lines.
    columns: Vec<Column>,
    line: Column,
    /// Whether the order of its input was asked for.
    pub(crate) is_ordered: bool,
    pub(crate) schema: DFSchemaRef,
}

impl FoldNode {
    /// The first of `arguments` is `line`, which is among `columns`.
    ///
    /// # Errors
    /// When a column is not in the input.
    pub fn try_new(
        input: LogicalPlan,
        arguments: NodeArguments,
        spec: FoldSpec,
        columns: Vec<Column>,
        line: Column,
    ) -> Result<Self> {
        let field = |column: &Column| {
            let (qualifier, field) = input.schema().qualified_field_from_column(column)?;
            let field = match *column == line {
                true => Arc::new(Field::new(field.name(), DataType::Utf8View, true)),
                false => Arc::clone(field),
            };
            Ok((qualifier.cloned(), field))
        };
        let fields = columns.iter().map(field).collect::<Result<Vec<_>>>()?;
        let metadata = input.schema().metadata().clone();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, metadata)?);
        let is_ordered = is_ordered(&input);
        let input = Arc::new(input);
        Ok(Self { input, arguments, spec, columns, line, is_ordered, schema })
    }

    /// The same operator, whose output has more columns of its input.
    pub(crate) fn with_columns(&self, more: &[Column]) -> Result<Self> {
        let input = LogicalPlan::clone(&self.input);
        let columns = self.columns.iter().chain(more).cloned().collect();
        let (arguments, spec) = (self.arguments.clone(), self.spec.clone());
        let node = Self::try_new(input, arguments, spec, columns, self.line.clone())?;
        // What the optimiser makes of the input does not change what was asked for.
        Ok(Self { is_ordered: self.is_ordered, ..node })
    }

    /// Where each column of the output comes from.
    ///
    /// # Errors
    /// When a column is not in the input.
    pub(crate) fn sources(&self) -> Result<Arc<[FoldSource]>> {
        let source = |column: &Column| match *column == self.line {
            true => Ok(FoldSource::Lines),
            false => Ok(FoldSource::Input(self.input.schema().index_of_column(column)?)),
        };
        self.columns.iter().map(source).collect()
    }
}

impl PartialOrd for FoldNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for FoldNode {
    fn name(&self) -> &str {
        "Fold"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.arguments.expressions()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FoldSpec { start, max_lines, .. } = &self.spec;
        write!(f, "Fold: start=`{}`, line={}", first_line(start), self.line)?;
        write!(f, ", max_lines={max_lines}")
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = only_input(inputs)?;
        let arguments = self.arguments.with_expressions(exprs)?;
        let is_there = |column: &&Column| input.schema().has_column(column);
        let columns = self.columns.iter().filter(is_there).cloned().collect();
        let node = Self::try_new(input, arguments, self.spec.clone(), columns, self.line.clone())?;
        // What the optimiser makes of the input does not change what was asked for.
        Ok(Self { is_ordered: self.is_ordered, ..node })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let input = self.input.schema();
        let mut indexes = self.arguments.columns_in(input);
        for column in output_columns.iter().filter_map(|output| self.columns.get(*output)) {
            indexes.push(input.maybe_index_of_column(column)?);
        }
        Some(vec![sorted(indexes)])
    }
}
