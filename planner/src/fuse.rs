//! Adjacent operators become one: Lua functions one loop in one child, RAW pipes one pipeline.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, Projection};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use gleam_sql_executor::exec::{PipeScope, PipeSpec};
use gleam_sql_executor::lua::{LuaVerb, MAX_INPUTS, MAX_STEPS};
use gleam_sql_executor::wire::WireFormat;

use crate::nodes::{LuaNode, LuaOutput, NodeArguments, PipeNode};

/// The optimiser rule that fuses operators.
#[derive(Debug, Default)]
pub(crate) struct FuseOperators;

impl OptimizerRule for FuseOperators {
    fn name(&self) -> &str {
        "fuse_operators"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _config: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let fused = match as_extension(&plan) {
            Some(Operator::Lua(outer)) => fuse_lua(outer)?,
            Some(Operator::Pipe(outer)) => fuse_pipe(outer),
            None => None,
        };
        Ok(match fused {
            Some(fused) => Transformed::yes(fused),
            None => Transformed::no(plan),
        })
    }
}

enum Operator<'a> {
    Lua(&'a LuaNode),
    Pipe(&'a PipeNode),
}

fn as_extension(plan: &LogicalPlan) -> Option<Operator<'_>> {
    let LogicalPlan::Extension(extension) = plan else { return None };
    let node = extension.node.as_any();
    node.downcast_ref().map(Operator::Lua).or_else(|| node.downcast_ref().map(Operator::Pipe))
}

/// The plan below `plan` that gives the same rows, past what only renames or selects columns, and
/// what `columns` of `plan` are called there. `None` when one of them is computed on the way.
fn peel(plan: &LogicalPlan, columns: Vec<Column>) -> Option<(&LogicalPlan, Vec<Column>)> {
    match plan {
        LogicalPlan::SubqueryAlias(alias) => {
            let below = |column: &Column| {
                let index = alias.schema.maybe_index_of_column(column)?;
                Some(Column::from(alias.input.schema().qualified_field(index)))
            };
            peel(&alias.input, columns.iter().map(below).collect::<Option<_>>()?)
        }
        LogicalPlan::Projection(projection) => {
            let below = |column: &Column| {
                let index = projection.schema.maybe_index_of_column(column)?;
                match projection.expr.get(index)?.clone().unalias() {
                    Expr::Column(column) => Some(column),
                    _ => None,
                }
            };
            peel(&projection.input, columns.iter().map(below).collect::<Option<_>>()?)
        }
        _ => Some((plan, columns)),
    }
}

/// The arguments as columns, when they are nothing else.
fn plain_columns(values: &[Expr]) -> Option<Vec<Column>> {
    values.iter().map(|value| value.try_as_col().cloned()).collect()
}

fn fuse_lua(outer: &LuaNode) -> Result<Option<LogicalPlan>> {
    let calls = |node: &LuaNode| matches!(node.output, LuaOutput::Beside(..));
    if calls(outer) {
        return Ok(None);
    }
    // Anything but a column would be computed for rows that the inner operator drops.
    let Some(columns) = plain_columns(&outer.arguments.values) else { return Ok(None) };
    let Some((below, columns)) = peel(&outer.input, columns) else { return Ok(None) };
    let Some(Operator::Lua(inner)) = as_extension(below) else { return Ok(None) };
    if outer.kept().is_some() && !std::ptr::eq(below, outer.input.as_ref()) {
        return Ok(None);
    }
    let (arguments, positions) = match &inner.output {
        LuaOutput::Kept(_) => append_arguments(&inner.arguments, &columns),
        LuaOutput::Made(schema) => {
            let find = |column| schema.maybe_index_of_column(column);
            let Some(positions) = columns.iter().map(find).collect::<Option<Vec<_>>>() else {
                return Ok(None);
            };
            (inner.arguments.clone(), positions)
        }
        LuaOutput::Beside(..) => return Ok(None),
    };
    if inner.steps.len() + outer.steps.len() > MAX_STEPS || arguments.values.len() > MAX_INPUTS {
        return Ok(None);
    }
    let mut steps = inner.steps.clone();
    let mut reads_arguments = true;
    for step in &outer.steps {
        let mut step = step.clone();
        if reads_arguments {
            step.args = step.args.iter().map(|argument| positions[*argument]).collect();
        }
        reads_arguments &= step.verb == LuaVerb::Filter;
        steps.push(step);
    }
    let labels = inner.labels.iter().chain(&outer.labels).cloned().collect();
    let output = match (&inner.output, &outer.output) {
        (LuaOutput::Made(made), LuaOutput::Kept(_)) => LuaOutput::Made(Arc::clone(made)),
        (_, outer) => outer.clone(),
    };
    let input = LogicalPlan::clone(&inner.input);
    let mut fused = LuaNode::try_new(input, arguments, steps, labels, output)?;
    fused.is_ordered = inner.is_ordered;
    let fused = LogicalPlan::Extension(Extension { node: Arc::new(fused) });
    Ok(Some(match outer.kept() {
        Some(kept) => select(fused, kept)?,
        None => fused,
    }))
}

/// The arguments with `columns` added, and where each of those is.
fn append_arguments(arguments: &NodeArguments, columns: &[Column]) -> (NodeArguments, Vec<usize>) {
    let mut arguments = arguments.clone();
    let positions = columns
        .iter()
        .map(|column| {
            let value = Expr::Column(column.clone());
            arguments.values.iter().position(|known| *known == value).unwrap_or_else(|| {
                arguments.values.push(value);
                arguments.values.len() - 1
            })
        })
        .collect();
    (arguments, positions)
}

/// `plan` with `columns` only.
fn select(plan: LogicalPlan, columns: &[Column]) -> Result<LogicalPlan> {
    let all = plan.schema().columns();
    if all == columns {
        return Ok(plan);
    }
    let expressions = columns.iter().cloned().map(Expr::Column).collect();
    Ok(LogicalPlan::Projection(Projection::try_new(expressions, Arc::new(plan))?))
}

fn fuse_pipe(outer: &PipeNode) -> Option<LogicalPlan> {
    let (below, columns) = peel(&outer.input, plain_columns(&outer.arguments.values)?)?;
    let Some(Operator::Pipe(inner)) = as_extension(below) else { return None };
    let is_raw =
        inner.spec.output_format == WireFormat::Raw && outer.spec.input_format == WireFormat::Raw;
    let is_text =
        inner.schema.fields().iter().all(|field| *field.data_type() == DataType::Utf8View);
    let are_plain =
        outer.is_plain() && inner.has_usual_end() && inner.spec.scope != PipeScope::PerRow;
    if !is_raw || !is_text || !are_plain || inner.schema.columns() != columns {
        return None;
    }
    let commands = inner.spec.commands.iter().chain(&outer.spec.commands).cloned().collect();
    let fused = PipeNode {
        spec: PipeSpec { commands, output_format: outer.spec.output_format, ..inner.spec.clone() },
        schema: Arc::clone(&outer.schema),
        ..inner.clone()
    };
    Some(LogicalPlan::Extension(Extension { node: Arc::new(fused) }))
}
