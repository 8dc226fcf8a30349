//! Predicates such as `random() < 0.1` stay where they were written.
//!
//! DataFusion moves a predicate without columns below anything, an aggregation or an operator
//! included, as if it were a constant: `AGGREGATE … |> TABLESAMPLE …` would sample the rows before
//! they are grouped. A projection that computes the predicate is not moved.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, Projection};
use datafusion::optimizer::AnalyzerRule;

/// The computed predicate. Scripts cannot use names that begin like this.
const PREDICATE: &str = "__gleam_predicate";

/// The analyser rule that pins volatile predicates.
#[derive(Debug)]
pub(crate) struct PinVolatilePredicates;

impl AnalyzerRule for PinVolatilePredicates {
    fn name(&self) -> &str {
        "pin_volatile_predicates"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let pinned = plan.transform_up_with_subqueries(|plan| match plan {
            LogicalPlan::Filter(filter) if filter.predicate.is_volatile() => {
                pin(filter).map(Transformed::yes)
            }
            other => Ok(Transformed::no(other)),
        });
        Ok(pinned?.data)
    }
}

fn pin(filter: Filter) -> Result<LogicalPlan> {
    let columns: Vec<Expr> =
        filter.input.schema().columns().into_iter().map(Expr::Column).collect();
    let mut computed = columns.clone();
    computed.push(filter.predicate.alias(PREDICATE));
    let computed = Projection::try_new(computed, filter.input)?;
    let predicate = Expr::Column(Column::from_name(PREDICATE));
    let filtered = Filter::try_new(predicate, Arc::new(LogicalPlan::Projection(computed)))?;
    let rest = Projection::try_new(columns, Arc::new(LogicalPlan::Filter(filtered)))?;
    Ok(LogicalPlan::Projection(rest))
}
