//! `PARSE` in a physical plan.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::config::ConfigOptions;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::utils::conjunction;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ReplaceChildrenOptions};
use datafusion::physical_plan::filter_pushdown::{
    ChildPushdownResult, FilterPushdownPhase, FilterPushdownPropagation, PushedDown,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::projection::{
    EmbeddedProjection, ProjectionExec, try_embed_projection,
};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties,
};
use gleam_sql_formats::LineParser;

use super::OperatorArguments;
use super::parse_spec::{ParseSource, ParseSpec};
use super::parse_task::ParseTask;
use super::pipe_exec::operator_properties;
use super::row_errors::RowErrors;
use crate::operator::OnError;

/// Adds the fields of a line to its row, and drops the rows that a predicate on them drops.
///
/// Only the columns that somebody uses are made. Those of the predicate are made first, and the
/// others of the rows that it keeps.
#[derive(Debug, Clone)]
pub struct ParseExec {
    input: Arc<dyn ExecutionPlan>,
    spec: Arc<ParseSpec>,
    parser: Arc<LineParser>,
    arguments: OperatorArguments,
    /// All columns that there could be, of which the predicate takes some.
    sources: Arc<[ParseSource]>,
    all_columns: SchemaRef,
    predicate: Option<Arc<dyn PhysicalExpr>>,
    /// The columns of the output among them.
    projection: Arc<[usize]>,
    in_order: bool,
    row_errors: RowErrors,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl ParseExec {
    /// The first argument is the line. Output columns come from `sources`.
    ///
    /// # Errors
    /// When the format's text is wrong.
    pub fn try_new(
        input: Arc<dyn ExecutionPlan>,
        spec: Arc<ParseSpec>,
        arguments: OperatorArguments,
        sources: Arc<[ParseSource]>,
    ) -> Result<Self> {
        let parser = Arc::new(spec.parser()?);
        let all_columns = spec.schema(&sources, &input.schema());
        let equivalences = EquivalenceProperties::new(Arc::clone(&all_columns));
        let properties = operator_properties(&input, equivalences);
        let row_errors = RowErrors::new([(&spec.label, spec.on_error)]);
        let projection = (0..sources.len()).collect();
        Ok(Self {
            input,
            spec,
            parser,
            arguments,
            sources,
            all_columns,
            predicate: None,
            projection,
            in_order: false,
            row_errors,
            properties,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// The same operator, which sees all rows in the order of its input, or not.
    pub fn in_order(self, in_order: bool) -> Self {
        Self { in_order, ..self }
    }

    /// The same operator, which drops the rows for which a predicate over
    /// [all its columns](Self::all_columns) is not true.
    pub fn with_predicate(self, predicate: Option<Arc<dyn PhysicalExpr>>) -> Self {
        Self { predicate, ..self }
    }

    /// The same operator with these of [all its columns](Self::all_columns) as its output.
    ///
    /// # Errors
    /// When one of them is not there.
    pub fn with_columns(self, columns: Arc<[usize]>) -> Result<Self> {
        let schema = Arc::new(self.all_columns.project(&columns)?);
        let properties = operator_properties(&self.input, EquivalenceProperties::new(schema));
        Ok(Self { projection: columns, properties, ..self })
    }

    /// What it does.
    pub fn spec(&self) -> &Arc<ParseSpec> {
        &self.spec
    }

    /// The line, and the origin of the row.
    pub fn arguments(&self) -> &OperatorArguments {
        &self.arguments
    }

    /// Where all its columns come from.
    pub fn sources(&self) -> &[ParseSource] {
        &self.sources
    }

    /// The columns that there are before any are left out.
    pub fn all_columns(&self) -> &SchemaRef {
        &self.all_columns
    }

    /// Which of them the output has.
    pub fn columns(&self) -> &[usize] {
        &self.projection
    }

    /// What rows have to fulfil, over all columns.
    pub fn predicate(&self) -> Option<&Arc<dyn PhysicalExpr>> {
        self.predicate.as_ref()
    }

    /// Whether it sees all rows in the order of its input.
    pub fn is_in_order(&self) -> bool {
        self.in_order
    }

    /// Whether the output is all columns, in their order.
    fn has_all_columns(&self) -> bool {
        self.projection.iter().copied().eq(0..self.sources.len())
    }

    pub(super) fn parser(&self) -> &Arc<LineParser> {
        &self.parser
    }

    pub(super) fn row_errors(&self) -> &RowErrors {
        &self.row_errors
    }
}

impl DisplayAs for ParseExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ParseExec: {}", self.spec.label.keyword)?;
        if let Some(text) = self.spec.format.text() {
            write!(f, " `{}`", crate::operator::first_line(text))?;
        }
        let line = self.arguments.values.first().map(ToString::to_string).unwrap_or_default();
        let schema = self.schema();
        let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        write!(f, ", line={line} -> ({})", columns.join(", "))?;
        if let Some(predicate) = &self.predicate {
            write!(f, ", predicate={predicate}")?;
        }
        if self.spec.on_error != OnError::Null {
            write!(f, ", on_error={}", self.spec.on_error)?;
        }
        f.write_str(super::shown_order(self.in_order))
    }
}

impl EmbeddedProjection for ParseExec {
    fn with_projection(&self, projection: Option<Vec<usize>>) -> Result<Self> {
        let Some(projection) = projection else { return Ok(self.clone()) };
        let columns = projection.iter().map(|index| self.projection[*index]).collect();
        self.clone().with_columns(columns)
    }
}

impl ExecutionPlan for ParseExec {
    fn name(&self) -> &'static str {
        "ParseExec"
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
        if self.predicate.is_none() && self.spec.on_error != OnError::Skip {
            CardinalityEffect::Equal
        } else {
            CardinalityEffect::LowerEqual
        }
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut recursion = TreeNodeRecursion::Continue;
        for expression in self.arguments.expressions().chain(&self.predicate) {
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
        )?;
        let replaced = replaced.with_predicate(self.predicate.clone()).in_order(self.in_order);
        Ok(Arc::new(replaced.with_columns(Arc::clone(&self.projection))?))
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
        let task = ParseTask::try_new(self, partition, &self.metrics)?;
        Ok(task.run(self.input.execute(partition, context)?))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.row_errors.with_metrics(self.metrics.clone_inner()))
    }

    fn try_swapping_with_projection(
        &self,
        projection: &ProjectionExec,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        try_embed_projection(projection, self)
    }

    /// Takes the predicates above it, unless each evaluation of them may give something else.
    fn handle_child_pushdown_result(
        &self,
        phase: FilterPushdownPhase,
        child_pushdown_result: ChildPushdownResult,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        if phase != FilterPushdownPhase::Pre || !self.has_all_columns() {
            return Ok(FilterPushdownPropagation::all_unsupported(child_pushdown_result));
        }
        let filters = child_pushdown_result.parent_filters.iter().map(|result| &result.filter);
        let taken: Vec<_> = filters.clone().filter(|filter| !is_volatile(filter)).collect();
        let verdicts = filters.map(|filter| match is_volatile(filter) {
            true => PushedDown::No,
            false => PushedDown::Yes,
        });
        let propagation =
            FilterPushdownPropagation::with_parent_pushdown_result(verdicts.collect());
        if taken.is_empty() {
            return Ok(propagation);
        }
        let own = self.predicate.iter();
        let predicate = conjunction(own.chain(taken).cloned());
        let updated = self.clone().with_predicate(Some(predicate));
        Ok(propagation.with_updated_node(Arc::new(updated)))
    }
}
