//! The analyser rule that takes the calls of Lua functions out of expressions.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, internal_err, plan_err};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{
    Distinct, DistinctOn, Expr, Filter, Join, JoinType, LogicalPlan, Projection,
};
use datafusion::optimizer::AnalyzerRule;

use super::layers::{Layers, has_call};

/// Makes operators of the calls of Lua functions.
#[derive(Debug)]
pub(crate) struct PlanFunctionCalls;

impl AnalyzerRule for PlanFunctionCalls {
    fn name(&self) -> &str {
        "plan_function_calls"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let planned = plan.transform_up_with_subqueries(|plan| {
            if calls_something(&plan)? {
                plan_calls(plan).map(Transformed::yes)
            } else {
                Ok(Transformed::no(plan))
            }
        });
        Ok(planned?.data)
    }
}

fn calls_something(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_expressions(|expression| {
        found = has_call(expression)?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

fn plan_calls(plan: LogicalPlan) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Join(join) => plan_join(join),
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Extension(_) => plan_one_input(&plan),
        LogicalPlan::Distinct(Distinct::On(distinct)) => plan_distinct_on(distinct),
        LogicalPlan::Values(_) => {
            plan_err!("a Lua function cannot be called in VALUES; use it in a SELECT")
        }
        _ => plan_err!("a Lua function cannot be called here; use it in a SELECT"),
    }
}

fn plan_one_input(plan: &LogicalPlan) -> Result<LogicalPlan> {
    let inputs = plan.inputs();
    let [input] = inputs.as_slice() else {
        return plan_err!("a Lua function cannot be called here; use it in a SELECT");
    };
    let mut layers = Layers::new(LogicalPlan::clone(input), "");
    let extract = |expression| layers.extract(expression, &None);
    let expressions = plan.expressions().into_iter().map(extract).collect::<Result<Vec<_>>>()?;
    let planned = plan.with_new_exprs(expressions, vec![layers.finish()?])?;
    restore(planned, plan.schema())
}

/// DataFusion has no way of its own to replace the expressions of this step.
fn plan_distinct_on(distinct: DistinctOn) -> Result<LogicalPlan> {
    let schema = Arc::clone(&distinct.schema);
    let mut layers = Layers::new(LogicalPlan::clone(&distinct.input), "");
    let mut extract = |expressions: Vec<Expr>| {
        let extracted = expressions.into_iter().map(|expression| layers.extract(expression, &None));
        extracted.collect::<Result<Vec<_>>>()
    };
    let on = extract(distinct.on_expr)?;
    let select = extract(distinct.select_expr)?;
    let sort = distinct
        .sort_expr
        .map(|keys| {
            let expressions = extract(keys.iter().map(|key| key.expr.clone()).collect())?;
            let keys =
                keys.iter().zip(expressions).map(|(key, expression)| key.with_expr(expression));
            Ok::<_, DataFusionError>(keys.collect())
        })
        .transpose()?;
    let distinct = DistinctOn::try_new(on, select, sort, Arc::new(layers.finish()?))?;
    restore(LogicalPlan::Distinct(Distinct::On(distinct)), &schema)
}

/// `plan` with the columns of `schema`: under their names, and without those that were added.
fn restore(plan: LogicalPlan, schema: &DFSchemaRef) -> Result<LogicalPlan> {
    let columns = plan.schema().columns();
    let wanted = schema.columns();
    if columns == wanted {
        return Ok(plan);
    }
    let count = wanted.len();
    let expression = |(index, wanted): (usize, Column)| {
        if columns.contains(&wanted) {
            return Ok(Expr::Column(wanted));
        }
        // What an expression made has another name than before. Such columns are the last ones.
        let Some(made) = (columns.len() + index).checked_sub(count).and_then(|at| columns.get(at))
        else {
            return internal_err!("a step lost its column {wanted}");
        };
        Ok(Expr::Column(made.clone()).alias_qualified(wanted.relation, wanted.name))
    };
    let expressions = wanted.into_iter().enumerate().map(expression).collect::<Result<Vec<_>>>()?;
    Ok(LogicalPlan::Projection(Projection::try_new(expressions, Arc::new(plan))?))
}

/// Calls over the columns of one side are computed on that side, so that the join can use them as
/// keys. A condition that calls a function over both sides follows the join, where that is the same.
fn plan_join(join: Join) -> Result<LogicalPlan> {
    let schema = Arc::clone(&join.schema);
    let mut left = Layers::new(LogicalPlan::clone(&join.left), "left_");
    let mut right = Layers::new(LogicalPlan::clone(&join.right), "right_");
    let mut on = Vec::with_capacity(join.on.len());
    for (of_left, of_right) in join.on {
        on.push((left.extract(of_left, &None)?, right.extract(of_right, &None)?));
    }
    let (mut during, mut after) = (Vec::new(), Vec::new());
    for condition in join.filter.into_iter().flat_map(split_conjunction_owned) {
        match extract_by_side(condition, &mut left, &mut right)? {
            (condition, Crossing::No) => {
                // What this excludes needs no calls in the conditions behind it.
                for side in [&mut left, &mut right] {
                    side.narrow(&condition);
                }
                during.push(condition);
            }
            (condition, Crossing::Yes) => after.push(condition),
        }
    }
    if !after.is_empty() && join.join_type != JoinType::Inner {
        return plan_err!(
            "not supported: a Lua function over columns of both sides in the condition of a join \
             that is not an inner one; compute what it needs from each side before the join"
        );
    }
    let joined = LogicalPlan::Join(Join::try_new(
        Arc::new(left.finish()?),
        Arc::new(right.finish()?),
        on,
        conjunction(during),
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    )?);
    let joined = restore(joined, &schema)?;
    match conjunction(after) {
        None => Ok(joined),
        Some(condition) => {
            plan_one_input(&LogicalPlan::Filter(Filter::try_new(condition, Arc::new(joined))?))
        }
    }
}

/// Whether a condition calls a function over columns of both sides of a join.
enum Crossing {
    No,
    Yes,
}

/// A condition of a join with columns in the place of its calls; as it was, where a call needs both
/// sides.
fn extract_by_side(
    condition: Expr,
    left: &mut Layers,
    right: &mut Layers,
) -> Result<(Expr, Crossing)> {
    if !has_call(&condition)? {
        return Ok((condition, Crossing::No));
    }
    if uses_only(&condition, left.schema()) {
        let needed = left.needed();
        return Ok((left.extract(condition, &needed)?, Crossing::No));
    }
    if uses_only(&condition, right.schema()) {
        let needed = right.needed();
        return Ok((right.extract(condition, &needed)?, Crossing::No));
    }
    let Expr::BinaryExpr(mut comparison) = condition else {
        return Ok((condition, Crossing::Yes));
    };
    let before = comparison.clone();
    let mut crossing = false;
    for part in [&mut comparison.left, &mut comparison.right] {
        match extract_by_side(part.as_ref().clone(), left, right)? {
            (extracted, Crossing::No) => **part = extracted,
            (_, Crossing::Yes) => crossing = true,
        }
    }
    if crossing {
        return Ok((Expr::BinaryExpr(before), Crossing::Yes));
    }
    Ok((Expr::BinaryExpr(comparison), Crossing::No))
}

fn uses_only(expression: &Expr, schema: &DFSchema) -> bool {
    expression.column_refs().into_iter().all(|column: &Column| schema.has_column(column))
}
