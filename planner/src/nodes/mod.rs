//! The operators in a logical plan.

mod fold_node;
mod gapfill_node;
mod lua_node;
mod parse_node;
mod pipe_node;
mod reduce_node;

pub use fold_node::FoldNode;
pub use gapfill_node::GapfillNode;
pub use lua_node::{LuaNode, LuaOutput};
pub use parse_node::ParseNode;
pub use pipe_node::PipeNode;
pub use reduce_node::ReduceNode;

use datafusion::common::{DFSchema, Result, internal_err};
use datafusion::logical_expr::{Expr, LogicalPlan};

/// What an operator evaluates on its input rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NodeArguments {
    /// The values that go to the child, in order.
    pub values: Vec<Expr>,
    /// File and offset of the line that a row came from, where the input has them.
    pub origin: Option<[Expr; 2]>,
}

impl NodeArguments {
    fn expressions(&self) -> Vec<Expr> {
        self.values.iter().chain(self.origin.iter().flatten()).cloned().collect()
    }

    /// The same arguments from rewritten expressions, in the order of [`Self::expressions`].
    fn with_expressions(&self, mut expressions: Vec<Expr>) -> Result<Self> {
        let origin = if self.origin.is_some() {
            let offset = expressions.pop();
            match (expressions.pop(), offset) {
                (Some(file), Some(offset)) => Some([file, offset]),
                _ => return internal_err!("the origin of a row is two expressions"),
            }
        } else {
            None
        };
        if expressions.len() != self.values.len() {
            return internal_err!("an operator kept its arguments");
        }
        Ok(Self { values: expressions, origin })
    }

    /// The indexes of the input columns that the arguments use.
    fn columns_in(&self, schema: &DFSchema) -> Vec<usize> {
        columns_in(&self.expressions(), schema)
    }
}

/// The indexes of the columns of `schema` that `expressions` use.
fn columns_in(expressions: &[Expr], schema: &DFSchema) -> Vec<usize> {
    let columns = expressions.iter().flat_map(Expr::column_refs);
    columns.filter_map(|column| schema.maybe_index_of_column(column)).collect()
}

/// Whether the order of the rows of `plan`, as it was written, was asked for, so that an operator over
/// it must see them in it.
pub(crate) fn is_ordered(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Sort(_) => true,
        LogicalPlan::Window(window) => {
            window.window_expr.iter().all(has_no_order_of_its_own) && is_ordered(&window.input)
        }
        LogicalPlan::Projection(projection) => is_ordered(&projection.input),
        LogicalPlan::Filter(filter) => is_ordered(&filter.input),
        LogicalPlan::Limit(limit) => is_ordered(&limit.input),
        LogicalPlan::SubqueryAlias(alias) => is_ordered(&alias.input),
        LogicalPlan::Extension(extension) => {
            let node = extension.node.as_any();
            node.downcast_ref::<LuaNode>().is_some_and(|lua| lua.is_ordered)
                || node.downcast_ref::<PipeNode>().is_some_and(|pipe| pipe.is_ordered)
                || node.downcast_ref::<ParseNode>().is_some_and(|parse| parse.is_ordered)
                || node.downcast_ref::<FoldNode>().is_some_and(|fold| fold.is_ordered)
        }
        _ => false,
    }
}

/// `count(*) OVER ()` leaves its rows as they are.
fn has_no_order_of_its_own(window: &Expr) -> bool {
    match window {
        Expr::Alias(alias) => has_no_order_of_its_own(&alias.expr),
        Expr::WindowFunction(function) => {
            function.params.partition_by.is_empty() && function.params.order_by.is_empty()
        }
        _ => false,
    }
}

fn only_input(mut inputs: Vec<LogicalPlan>) -> Result<LogicalPlan> {
    match (inputs.pop(), inputs.is_empty()) {
        (Some(input), true) => Ok(input),
        _ => internal_err!("an operator has one input"),
    }
}

fn sorted(mut indexes: Vec<usize>) -> Vec<usize> {
    indexes.sort_unstable();
    indexes.dedup();
    indexes
}
