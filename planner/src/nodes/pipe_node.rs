//! `PIPE` in a logical plan: one shell program, or several as one pipeline.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use gleam_sql_executor::exec::PipeSpec;
use gleam_sql_executor::operator::first_line;

use super::{NodeArguments, only_input, sorted};

/// Sends rows as text through shell programs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PipeNode {
    pub(crate) input: Arc<LogicalPlan>,
    pub(crate) arguments: NodeArguments,
    pub(crate) spec: PipeSpec,
    pub(crate) schema: DFSchemaRef,
    /// Whether the order of its input was asked for.
    pub(crate) is_ordered: bool,
}

impl PartialOrd for PipeNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for PipeNode {
    fn name(&self) -> &str {
        "Pipe"
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
        let codes: Vec<String> = self
            .spec
            .commands
            .iter()
            .map(|command| format!("{} `{}`", command.label.keyword, first_line(&command.code)))
            .collect();
        let values: Vec<String> = self.arguments.values.iter().map(ToString::to_string).collect();
        write!(f, "Pipe: {}, using=[{}]", codes.join(" | "), values.join(", "))
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        Ok(Self {
            input: Arc::new(only_input(inputs)?),
            arguments: self.arguments.with_expressions(exprs)?,
            ..self.clone()
        })
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![sorted(self.arguments.columns_in(self.input.schema()))])
    }
}
