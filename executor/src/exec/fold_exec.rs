//! `FOLD` in a physical plan: continuation lines join the line that they belong to.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties,
};
use regex::Regex;

use super::OperatorArguments;
use super::fold_task::FoldTask;
use super::pipe_exec::operator_properties;
use super::row_errors::RowErrors;
use crate::operator::{OnError, OperatorLabel, first_line};

/// A `FOLD` without its input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FoldSpec {
    /// How messages name the operator.
    pub label: OperatorLabel,
    /// A regular expression that the first line of an event matches.
    pub start: String,
    /// After how many lines another event begins.
    pub max_lines: u64,
}

/// Where a column of the output comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FoldSource {
    /// A column of the row of the event's first line, by its index in the input.
    Input(usize),
    /// The lines of the event, with newlines between them.
    Lines,
}

/// Makes one row of the lines of an event: the row of the first one, with all lines as its text.
///
/// It has to see the lines of a file one after the other, in one task. The planner sees to that by
/// its arguments: the number of the line is among them, and files whose lines are numbered are not cut.
#[derive(Debug, Clone)]
pub struct FoldExec {
    input: Arc<dyn ExecutionPlan>,
    spec: Arc<FoldSpec>,
    start: Regex,
    arguments: OperatorArguments,
    sources: Arc<[FoldSource]>,
    in_order: bool,
    row_errors: RowErrors,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl FoldSpec {
    /// The expression that the first line of an event matches.
    ///
    /// # Errors
    /// When it is none.
    pub fn regex(&self) -> Result<Regex, regex::Error> {
        Regex::new(&self.start)
    }
}

impl FoldExec {
    /// The first argument is the line; `schema` is that of the output, whose columns come from
    /// `sources`.
    ///
    /// # Errors
    /// When the regular expression is none, which the planner has checked.
    pub fn try_new(
        input: Arc<dyn ExecutionPlan>,
        spec: Arc<FoldSpec>,
        arguments: OperatorArguments,
        sources: Arc<[FoldSource]>,
        schema: SchemaRef,
    ) -> Result<Self> {
        let start = spec.regex().map_err(|error| DataFusionError::Plan(error.to_string()))?;
        let properties = operator_properties(&input, EquivalenceProperties::new(schema));
        let row_errors = RowErrors::new([(&spec.label, OnError::Null)]);
        let metrics = ExecutionPlanMetricsSet::new();
        let in_order = false;
        Ok(Self {
            input,
            spec,
            start,
            arguments,
            sources,
            in_order,
            row_errors,
            properties,
            metrics,
        })
    }

    /// The same operator, which sees all rows in the order of its input, or not.
    pub fn in_order(self, in_order: bool) -> Self {
        Self { in_order, ..self }
    }

    /// What it does.
    pub fn spec(&self) -> &Arc<FoldSpec> {
        &self.spec
    }

    /// The line, and the origin of the row.
    pub fn arguments(&self) -> &OperatorArguments {
        &self.arguments
    }

    /// Where its columns come from.
    pub fn sources(&self) -> &Arc<[FoldSource]> {
        &self.sources
    }

    /// Whether it sees all rows in the order of its input.
    pub fn is_in_order(&self) -> bool {
        self.in_order
    }

    pub(super) fn start(&self) -> &Regex {
        &self.start
    }

    pub(super) fn row_errors(&self) -> &RowErrors {
        &self.row_errors
    }
}

impl DisplayAs for FoldExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FoldSpec { start, max_lines, .. } = self.spec.as_ref();
        let line = self.arguments.values.first().map(ToString::to_string).unwrap_or_default();
        write!(f, "FoldExec: start=`{}`, line={line}, max_lines={max_lines}", first_line(start))?;
        f.write_str(super::shown_order(self.in_order))
    }
}

impl ExecutionPlan for FoldExec {
    fn name(&self) -> &'static str {
        "FoldExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        super::distribution(self.in_order)
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::LowerEqual
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut recursion = TreeNodeRecursion::Continue;
        for expression in self.arguments.expressions() {
            recursion = recursion.visit_sibling(|| f(expression))?;
        }
        Ok(recursion)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let replaced = Self::try_new(
            super::only_child(children)?,
            Arc::clone(&self.spec),
            self.arguments.clone(),
            Arc::clone(&self.sources),
            self.schema(),
        )?;
        Ok(Arc::new(replaced.in_order(self.in_order)))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, super::recompute())
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let task = FoldTask::new(self, partition, &self.metrics);
        Ok(task.run(self.input.execute(partition, context)?))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.row_errors.with_metrics(self.metrics.clone_inner()))
    }
}
