//! `PIPE` in a physical plan.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, EmissionType, ExecutionPlanProperties, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties,
};

use super::OperatorArguments;
use super::pipe_task::{self, PipeMetrics, PipeTask};
use crate::operator::{OperatorLabel, first_line};
use crate::options::GleamOptions;
use crate::text::INVALID_UTF8_LINES;
use crate::wire::WireFormat;

/// Batches that may wait between a child and the next operator.
pub(super) const OUTPUT_QUEUE_BATCHES: usize = 2;

/// One shell program of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PipeCommand {
    /// The operator that it was written in.
    pub label: OperatorLabel,
    /// The program, for bash.
    pub code: String,
}

/// Sends rows through a shell child a partition: adjacent RAW pipes are one pipeline in one child.
#[derive(Debug, Clone)]
pub struct PipeExec {
    input: Arc<dyn ExecutionPlan>,
    commands: Arc<[PipeCommand]>,
    arguments: OperatorArguments,
    input_format: WireFormat,
    output_format: WireFormat,
    in_order: bool,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PipeExec {
    /// `commands`, of which there is at least one, read the `arguments` of the rows of `input`, and
    /// their output makes rows of `schema`.
    pub fn new(
        input: Arc<dyn ExecutionPlan>,
        commands: Arc<[PipeCommand]>,
        arguments: OperatorArguments,
        (input_format, output_format): (WireFormat, WireFormat),
        schema: SchemaRef,
    ) -> Self {
        let properties = operator_properties(&input, EquivalenceProperties::new(schema));
        let metrics = ExecutionPlanMetricsSet::new();
        Self {
            input,
            commands,
            arguments,
            input_format,
            output_format,
            in_order: false,
            properties,
            metrics,
        }
    }

    /// The programs.
    pub fn commands(&self) -> &Arc<[PipeCommand]> {
        &self.commands
    }

    /// What they read.
    pub fn arguments(&self) -> &OperatorArguments {
        &self.arguments
    }

    /// The formats of what they read and write.
    pub fn formats(&self) -> (WireFormat, WireFormat) {
        (self.input_format, self.output_format)
    }

    /// The same operator, which sees all rows in the order of its input, or not.
    pub fn in_order(self, in_order: bool) -> Self {
        Self { in_order, ..self }
    }

    /// Whether it sees all rows in the order of its input.
    pub fn is_in_order(&self) -> bool {
        self.in_order
    }

    /// The input plan.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }
}

/// The properties of an operator whose output has `equivalences` and one task for each partition of
/// `input`.
pub(super) fn operator_properties(
    input: &Arc<dyn ExecutionPlan>,
    equivalences: EquivalenceProperties,
) -> Arc<PlanProperties> {
    let partitions = input.output_partitioning().partition_count();
    Arc::new(PlanProperties::new(
        equivalences,
        Partitioning::UnknownPartitioning(partitions),
        EmissionType::Incremental,
        match input.boundedness() {
            Boundedness::Bounded => Boundedness::Bounded,
            unbounded @ Boundedness::Unbounded { .. } => unbounded,
        },
    ))
}

impl DisplayAs for PipeExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes: Vec<String> = self
            .commands
            .iter()
            .map(|command| format!("`{}`", first_line(&command.code)))
            .collect();
        let arguments: Vec<String> =
            self.arguments.values.iter().map(ToString::to_string).collect();
        let columns: Vec<&str> = self
            .properties
            .eq_properties
            .schema()
            .fields()
            .iter()
            .map(|f| f.name().as_str())
            .collect();
        write!(
            f,
            "PipeExec: {}, using=[{}], {} -> ({}){}, children={}",
            codes.join(" | "),
            arguments.join(", "),
            self.input_format,
            columns.join(", "),
            super::shown_order(self.in_order),
            self.properties.partitioning.partition_count(),
        )
    }
}

impl ExecutionPlan for PipeExec {
    fn name(&self) -> &'static str {
        "PipeExec"
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
        let input = super::only_child(children)?;
        let replaced = Self::new(
            input,
            Arc::clone(&self.commands),
            self.arguments.clone(),
            self.formats(),
            self.schema(),
        );
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
        let counter = |name| MetricBuilder::new(&self.metrics).counter(name, partition);
        let task = PipeTask {
            commands: Arc::clone(&self.commands),
            arguments: self.arguments.clone(),
            input_format: self.input_format,
            output_format: self.output_format,
            schema: self.schema(),
            batch_rows: context.session_config().batch_size(),
            timeout: GleamOptions::of(&context).operator_timeout.0,
            metrics: PipeMetrics {
                children: counter("children"),
                output_rows: MetricBuilder::new(&self.metrics).output_rows(partition),
                invalid_utf8_lines: counter(INVALID_UTF8_LINES),
            },
        };
        let input = self.input.execute(partition, context)?;
        let mut stream = RecordBatchReceiverStreamBuilder::new(self.schema(), OUTPUT_QUEUE_BATCHES);
        let output = stream.tx();
        stream.spawn(pipe_task::run(task, input, output));
        Ok(stream.build())
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
