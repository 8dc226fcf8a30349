//! `REDUCE LUA` in a logical plan.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use gleam_sql_executor::lua::LuaStep;
use gleam_sql_executor::operator::{OperatorLabel, first_line};

use super::{NodeArguments, columns_in, only_input, sorted};

/// Folds the rows of each group of its input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReduceNode {
    pub(crate) input: Arc<LogicalPlan>,
    /// What the rows of a group have in common; none where all rows are one group.
    pub(crate) keys: Vec<Expr>,
    pub(crate) arguments: NodeArguments,
    pub(crate) step: LuaStep,
    pub(crate) label: OperatorLabel,
    /// The keys, then the accumulators.
    pub(crate) schema: DFSchemaRef,
    /// Whether the order of its input was asked for.
    pub(crate) is_ordered: bool,
}

impl PartialOrd for ReduceNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for ReduceNode {
    fn name(&self) -> &str {
        "Reduce"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        let mut expressions = self.keys.clone();
        expressions.extend(self.arguments.expressions());
        expressions
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |expressions: &[Expr]| {
            expressions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        write!(
            f,
            "Reduce: {} `{}`, by=[{}], using=[{}]",
            self.label.keyword,
            first_line(&self.step.code),
            list(&self.keys),
            list(&self.arguments.values)
        )
    }

    fn with_exprs_and_inputs(
        &self,
        mut exprs: Vec<Expr>,
        inputs: Vec<LogicalPlan>,
    ) -> Result<Self> {
        let arguments = exprs.split_off(self.keys.len().min(exprs.len()));
        Ok(Self {
            input: Arc::new(only_input(inputs)?),
            keys: exprs,
            arguments: self.arguments.with_expressions(arguments)?,
            ..self.clone()
        })
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![sorted(columns_in(&self.expressions(), self.input.schema()))])
    }
}
