//! A predicate that follows `FILTER LUA`, or the call of a function, is cheaper before it, where that
//! changes nothing.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{BinaryExpr, Expr, Extension, Filter, LogicalPlan, Operator};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use crate::nodes::LuaNode;

/// The optimiser rule that moves predicates below `FILTER LUA` and calls of functions.
///
/// The rows that come out are the same only if the function keeps no state (it would see fewer
/// rows), and if the predicate cannot fail (it would see more).
#[derive(Debug)]
pub(crate) struct PassPredicates;

impl OptimizerRule for PassPredicates {
    fn name(&self) -> &str {
        "pass_predicates"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::TopDown)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Filter(filter) = &plan else { return Ok(Transformed::no(plan)) };
        let Some(lua) = stateless(&filter.input) else { return Ok(Transformed::no(plan)) };
        let passes = |predicate: &Expr| cannot_fail(predicate) && is_of(predicate, &lua.input);
        let (passing, staying): (Vec<Expr>, Vec<Expr>) =
            split_conjunction_owned(filter.predicate.clone()).into_iter().partition(passes);
        let Some(passing) = conjunction(passing) else { return Ok(Transformed::no(plan)) };
        let below = Filter::try_new(passing, Arc::clone(&lua.input))?;
        let moved = lua.with_input(LogicalPlan::Filter(below))?;
        let moved = LogicalPlan::Extension(Extension { node: Arc::new(moved) });
        Ok(Transformed::yes(match conjunction(staying) {
            Some(staying) => LogicalPlan::Filter(Filter::try_new(staying, Arc::new(moved))?),
            None => moved,
        }))
    }
}

/// Whether a predicate is one of the rows of `plan`, and uses nothing that is made above it.
fn is_of(predicate: &Expr, plan: &LogicalPlan) -> bool {
    predicate.column_refs().into_iter().all(|column| plan.schema().has_column(column))
}

/// The operator that `plan` is, where it gives each row, or not, by that row alone.
fn stateless(plan: &LogicalPlan) -> Option<&LuaNode> {
    let LogicalPlan::Extension(extension) = plan else { return None };
    let lua = extension.node.as_any().downcast_ref::<LuaNode>()?;
    let is_stateless = |code: &str| gleam_sql_parser::lua::is_stateless(code);
    let passes =
        lua.input_columns().is_some() && lua.steps.iter().all(|step| is_stateless(&step.code));
    passes.then_some(lua)
}

/// Whether a predicate is a comparison of columns and constants, which has a value for every row.
fn cannot_fail(predicate: &Expr) -> bool {
    let mut has_columns = false;
    let walked = predicate.apply(|part| {
        let harmless = match part {
            Expr::Column(_) => {
                has_columns = true;
                true
            }
            Expr::BinaryExpr(BinaryExpr { op, .. }) => compares(*op),
            Expr::Literal(..)
            | Expr::Not(_)
            | Expr::IsNull(_)
            | Expr::IsNotNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::Between(_)
            | Expr::Like(_)
            | Expr::InList(_) => true,
            _ => false,
        };
        // An expression that could fail ends the walk.
        Ok(if harmless { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    has_columns && walked.is_ok_and(|recursion| recursion != TreeNodeRecursion::Stop)
}

fn compares(operator: Operator) -> bool {
    matches!(
        operator,
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::And
            | Operator::Or
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    )
}
