//! `PIPE` in a logical plan: one shell program, or several as one pipeline.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::common::{DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::{Expr, LogicalPlan, SortExpr, UserDefinedLogicalNodeCore};
use gleam_sql_executor::exec::{PipeScope, PipeSpec};
use gleam_sql_executor::operator::{OnError, first_line};

use super::{NodeArguments, columns_in, only_input, sorted};

/// Sends rows as text through shell programs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PipeNode {
    pub(crate) input: Arc<LogicalPlan>,
    pub(crate) arguments: NodeArguments,
    pub(crate) spec: PipeSpec,
    /// Rows that are equal in these share a child.
    pub(crate) partition_by: Vec<Expr>,
    /// The order in which a child sees its rows.
    pub(crate) order_by: Vec<SortExpr>,
    pub(crate) schema: DFSchemaRef,
    /// Whether the order of its input was asked for.
    pub(crate) is_ordered: bool,
}

impl PipeNode {
    /// Whether it is nothing but a program over whatever rows its task has.
    pub(crate) fn is_plain(&self) -> bool {
        self.spec.scope == PipeScope::Split && self.order_by.is_empty() && self.has_usual_end()
    }

    /// Whether the usual rules judge its end and its output.
    pub(crate) fn has_usual_end(&self) -> bool {
        let PipeSpec { ok_exit, timeout, on_error, .. } = &self.spec;
        ok_exit.is_empty() && timeout.is_none() && *on_error == OnError::Fail
    }
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
        let keys = self.order_by.iter().map(|key| &key.expr);
        let mut expressions: Vec<Expr> = self.partition_by.iter().chain(keys).cloned().collect();
        expressions.extend(self.arguments.expressions());
        expressions
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes: Vec<String> = self
            .spec
            .commands
            .iter()
            .map(|command| format!("{} `{}`", command.label.keyword, first_line(&command.code)))
            .collect();
        write!(f, "Pipe: {}, using=[{}]", codes.join(" | "), list(&self.arguments.values))?;
        match self.spec.scope {
            PipeScope::Split => {}
            PipeScope::Partitioned => {
                write!(f, ", partition_by=[{}]", list(&self.partition_by))?;
            }
            scope @ (PipeScope::Single | PipeScope::PerRow) => write!(f, ", {scope}")?,
        }
        if !self.order_by.is_empty() {
            write!(f, ", order_by=[{}]", list(&self.order_by))?;
        }
        Ok(())
    }

    fn with_exprs_and_inputs(
        &self,
        mut exprs: Vec<Expr>,
        inputs: Vec<LogicalPlan>,
    ) -> Result<Self> {
        let keys = self.partition_by.len() + self.order_by.len();
        if exprs.len() < keys {
            return internal_err!("an operator kept its expressions");
        }
        let arguments = exprs.split_off(keys);
        let sorted = exprs.split_off(self.partition_by.len());
        let order_by = self.order_by.iter().zip(sorted);
        Ok(Self {
            input: Arc::new(only_input(inputs)?),
            arguments: self.arguments.with_expressions(arguments)?,
            partition_by: exprs,
            order_by: order_by.map(|(key, expr)| key.with_expr(expr)).collect(),
            ..self.clone()
        })
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![sorted(columns_in(&self.expressions(), self.input.schema()))])
    }
}

fn list(parts: &[impl ToString]) -> String {
    parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
