//! Operators become logical nodes where their markers stand.

mod bind;
mod fold;
mod gapfill;
mod lua;
mod parse;
mod pipe;
mod reduce;
mod rename;
mod types;

pub(crate) use lua::{check_syntax, output_type};
pub(crate) use parse::{declared_column, is_auto, of_format};
pub(crate) use types::planned_type;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::planner::{
    PlannedRelation, RelationPlanner, RelationPlannerContext, RelationPlanning,
};
use datafusion::logical_expr::{Extension, LogicalPlan, UserDefinedLogicalNode};
use datafusion::sql::sqlparser::ast::TableFactor;
use datafusion::sql::sqlparser::tokenizer::Span;
use gleam_sql_executor::operator::{OnError, OperatorLabel, Place};
use gleam_sql_parser::{Diagnostic, Operator, OperatorKind};

use crate::formats::{Formats, Samples};

/// Plans the operators of one statement.
#[derive(Debug)]
pub(crate) struct OperatorPlanner {
    operators: Arc<[Operator]>,
    formats: Formats,
    samples: Samples,
}

impl OperatorPlanner {
    /// With the formats of the user, and the lines that were looked at already.
    pub(crate) fn new(operators: &[Operator], formats: Formats, samples: Samples) -> Self {
        Self { operators: operators.into(), formats, samples }
    }
}

impl RelationPlanner for OperatorPlanner {
    fn plan_relation(
        &self,
        relation: TableFactor,
        context: &mut dyn RelationPlannerContext,
    ) -> Result<RelationPlanning> {
        let index = gleam_sql_parser::marker_index(&relation).unwrap_or(usize::MAX);
        let operator = self.operators.get(index).cloned();
        let (Some(operator), TableFactor::Derived { subquery, .. }) = (operator, &relation) else {
            return Ok(RelationPlanning::Original(Box::new(relation)));
        };
        let input = context.plan(TableFactor::Derived {
            lateral: false,
            subquery: subquery.clone(),
            alias: None,
            sample: None,
        })?;
        let plan = match &operator.kind {
            OperatorKind::Lua(clause) => lua::plan(&operator, clause, input, context)?,
            OperatorKind::Pipe(clause) => pipe::plan(&operator, clause, input, context)?,
            OperatorKind::Reduce(clause) => reduce::plan(&operator, clause, input, context)?,
            OperatorKind::Parse(clause) => {
                let (formats, sample) = (&self.formats, self.samples.of(index));
                let known = parse::Known { formats, sample, operator: index };
                parse::plan(&operator, clause, input, &known, context)?
            }
            OperatorKind::Fold(clause) => fold::plan(&operator, clause, input)?,
            OperatorKind::Gapfill(clause) => gapfill::plan(&operator, clause, input, context)?,
            OperatorKind::Rename(mappings) => rename::plan(mappings, input, context)?,
            OperatorKind::Require(columns) => rename::require(columns, input, context)?,
        };
        Ok(RelationPlanning::Planned(Box::new(PlannedRelation::new(plan, None))))
    }
}

fn extension(node: impl UserDefinedLogicalNode + 'static) -> LogicalPlan {
    LogicalPlan::Extension(Extension { node: Arc::new(node) })
}

fn label(keyword: impl Into<String>, span: Span) -> OperatorLabel {
    let place = Place { line: span.start.line, column: span.start.column };
    OperatorLabel { keyword: keyword.into(), place }
}

fn on_error(clause: gleam_sql_parser::OnError) -> OnError {
    match clause {
        gleam_sql_parser::OnError::Fail => OnError::Fail,
        gleam_sql_parser::OnError::Null => OnError::Null,
        gleam_sql_parser::OnError::Skip => OnError::Skip,
    }
}

/// A planning error at a place in the script.
pub(crate) fn refuse(message: impl Into<String>, span: Span) -> Diagnostic {
    Diagnostic::new(message).at(span)
}

/// Diagnostics pass through DataFusion's planner as they are.
pub(crate) fn external(diagnostic: Diagnostic) -> DataFusionError {
    DataFusionError::External(Box::new(diagnostic))
}
