//! `GAPFILL`.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Spanned};
use gleam_sql_executor::exec::{GapStep, NANOS_PER_DAY, nanos_per};
use gleam_sql_parser::{Diagnostic, GapfillClause, Operator};

use super::{bind, extension, external, label, refuse};
use crate::nodes::GapfillNode;

const STEP_HINT: &str = "write BY INTERVAL '5 minutes' for times, BY 10 for numbers";

/// The node of one operator over `input`.
pub(super) fn plan(
    operator: &Operator,
    clause: &GapfillClause,
    input: LogicalPlan,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let column = plain_column(&clause.column, &input, context)?;
    let keys = clause.partition_by.iter().map(|key| plain_column(key, &input, context));
    let keys = keys.collect::<Result<Vec<_>>>()?;
    if keys.contains(&column) {
        let message = "the column that is filled is in PARTITION BY as well";
        return Err(external(refuse(message, clause.column.span())));
    }
    let data_type = Expr::Column(column.clone()).get_type(input.schema())?;
    let width = context.sql_to_expr(clause.step.clone(), &DFSchema::empty())?;
    let refused =
        |message: String| external(refuse(message, clause.step_span).with_hint(STEP_HINT));
    let step = step(&width, &data_type).map_err(refused)?;
    if !step.is_forward() {
        return Err(refused("the distance of two buckets has to be longer than zero".to_owned()));
    }
    let label = label("GAPFILL", operator.keyword);
    Ok(extension(GapfillNode::try_new(input, label, column, step, keys)?))
}

fn plain_column(
    expression: &SqlExpr,
    input: &LogicalPlan,
    context: &mut dyn RelationPlannerContext,
) -> Result<Column> {
    let planned =
        bind::using(std::slice::from_ref(expression), input.schema(), context, "GAPFILL")?;
    match planned.into_iter().next() {
        Some(Expr::Column(column)) => Ok(column),
        _ => Err(external(not_a_column(expression))),
    }
}

fn not_a_column(expression: &SqlExpr) -> Diagnostic {
    refuse(format!("GAPFILL takes columns, and `{expression}` is none"), expression.span())
        .with_hint("compute it before: |> EXTEND … AS name")
}

/// The distance of two buckets of a column of `data_type`.
fn step(width: &Expr, data_type: &DataType) -> Result<GapStep, String> {
    let Expr::Literal(width, _) = width else {
        return Err("the distance of two buckets is a constant".to_owned());
    };
    match data_type {
        DataType::Timestamp(unit, _) => time_step(width, nanos_per(*unit)),
        DataType::Date32 => time_step(width, NANOS_PER_DAY),
        // Its upper half is beyond what steps are counted in.
        DataType::UInt64 => {
            Err("a column of type BIGINT UNSIGNED is converted to BIGINT first".into())
        }
        integer if integer.is_integer() => match width.cast_to(&DataType::Int64) {
            Ok(ScalarValue::Int64(Some(units))) if width.data_type().is_integer() => {
                Ok(GapStep::Units(units))
            }
            _ => Err(format!("a column of type {integer} is filled by a whole number")),
        },
        other => Err(format!("GAPFILL fills times, dates and whole numbers, not {other}")),
    }
}

fn time_step(width: &ScalarValue, unit_nanos: i64) -> Result<GapStep, String> {
    GapStep::of_times(width, unit_nanos).ok_or_else(|| {
        "a column of times is filled by an interval, of months alone or without any".to_owned()
    })
}
