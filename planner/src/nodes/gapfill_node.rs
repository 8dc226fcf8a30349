//! `GAPFILL` in a logical plan.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{Column, DFSchema, DFSchemaRef, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use gleam_sql_executor::exec::{GapStep, GapfillSpec};
use gleam_sql_executor::operator::OperatorLabel;

use super::only_input;

/// Adds a row for each missing bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GapfillNode {
    pub(crate) input: Arc<LogicalPlan>,
    label: OperatorLabel,
    column: Column,
    step: GapStep,
    keys: Vec<Column>,
    pub(crate) schema: DFSchemaRef,
}

impl GapfillNode {
    /// Fills `column` of each group of rows that have `keys` in common.
    ///
    /// # Errors
    /// When the schema of the input has two columns of one name and qualifier.
    pub fn try_new(
        input: LogicalPlan,
        label: OperatorLabel,
        column: Column,
        step: GapStep,
        keys: Vec<Column>,
    ) -> Result<Self> {
        let schema = with_nulls(input.schema())?;
        Ok(Self { input: Arc::new(input), label, column, step, keys, schema })
    }

    /// The operator with columns by their indexes.
    ///
    /// # Errors
    /// When a column is not in the input.
    pub(crate) fn spec(&self) -> Result<GapfillSpec> {
        let index = |column: &Column| self.input.schema().index_of_column(column);
        Ok(GapfillSpec {
            label: self.label.clone(),
            column: index(&self.column)?,
            step: self.step,
            keys: self.keys.iter().map(index).collect::<Result<_>>()?,
        })
    }
}

/// The same columns, each of which may be NULL.
fn with_nulls(schema: &DFSchema) -> Result<DFSchemaRef> {
    let fields = schema.iter().map(|(qualifier, field)| {
        (qualifier.cloned(), Arc::new(field.as_ref().clone().with_nullable(true)))
    });
    let metadata = schema.metadata().clone();
    Ok(Arc::new(DFSchema::new_with_metadata(fields.collect(), metadata)?))
}

impl PartialOrd for GapfillNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for GapfillNode {
    fn name(&self) -> &str {
        "Gapfill"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    /// The columns, so that they are seen to be used.
    fn expressions(&self) -> Vec<Expr> {
        self.keys.iter().chain([&self.column]).cloned().map(Expr::Column).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<String> = self.keys.iter().map(ToString::to_string).collect();
        write!(f, "Gapfill: {} by {}, partition_by=[{}]", self.column, self.step, keys.join(", "))
    }

    fn with_exprs_and_inputs(&self, _exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = only_input(inputs)?;
        let (label, column) = (self.label.clone(), self.column.clone());
        Self::try_new(input, label, column, self.step, self.keys.clone())
    }
}
