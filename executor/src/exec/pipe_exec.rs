//! `PIPE` in a physical plan.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{
    EquivalenceProperties, LexOrdering, OrderingRequirements, Partitioning, PhysicalExpr,
};
use datafusion::physical_plan::execution_plan::{
    Boundedness, EmissionType, ExecutionPlanProperties, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{
    Distribution, ExecutionPlan, InputDistributionRequirements, PlanProperties,
};

use super::metrics::OperatorMetrics;
use super::pipe_spec::{PipeScope, PipeSpec};
use super::pipe_task::{self, PipeTask};
use super::row_errors::RowErrors;
use super::{OperatorArguments, pipe_chain, pipe_rows};
use crate::options::GleamOptions;
use crate::policy::{self, Policy};
use crate::text::INVALID_UTF8_LINES;

/// Batches that may wait between a child and the next operator.
pub(super) const OUTPUT_QUEUE_BATCHES: usize = 2;

/// How the rows are brought to the children.
#[derive(Debug, Clone, Default)]
pub struct Arrangement {
    /// Rows that are equal in these come to the same child; none unless the scope is
    /// [`PipeScope::Partitioned`](super::PipeScope::Partitioned).
    pub partition_by: Vec<Arc<dyn PhysicalExpr>>,
    /// The order in which each child sees its rows.
    pub order_by: Option<LexOrdering>,
    /// Whether a single child sees all rows in the order of its input.
    pub in_order: bool,
}

/// Sends rows through a shell child a partition, in which adjacent RAW pipes are one pipeline; with
/// PER ROW, starts a child a row.
#[derive(Debug, Clone)]
pub struct PipeExec {
    input: Arc<dyn ExecutionPlan>,
    spec: Arc<PipeSpec>,
    arguments: OperatorArguments,
    arrangement: Arrangement,
    row_errors: RowErrors,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PipeExec {
    /// The programs of `spec` read the `arguments` of the rows of `input`, and their output makes rows
    /// of `schema`.
    pub fn new(
        input: Arc<dyn ExecutionPlan>,
        spec: Arc<PipeSpec>,
        arguments: OperatorArguments,
        arrangement: Arrangement,
        schema: SchemaRef,
    ) -> Self {
        let properties = operator_properties(&input, EquivalenceProperties::new(schema));
        let metrics = ExecutionPlanMetricsSet::new();
        let last = spec.commands.last().map(|command| (&command.label, spec.on_error));
        let row_errors = RowErrors::new(last);
        Self { input, spec, arguments, arrangement, row_errors, properties, metrics }
    }

    /// The programs and clauses.
    pub fn spec(&self) -> &Arc<PipeSpec> {
        &self.spec
    }

    /// What the programs read.
    pub fn arguments(&self) -> &OperatorArguments {
        &self.arguments
    }

    /// How the rows are brought to the children.
    pub fn arrangement(&self) -> &Arrangement {
        &self.arrangement
    }

    pub(super) fn row_errors(&self) -> &RowErrors {
        &self.row_errors
    }

    /// How many children a task may run at the same time, with PER ROW: one a core, shared by the
    /// tasks.
    fn concurrent_children(&self) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        cores.div_ceil(self.properties.partitioning.partition_count().max(1))
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

impl ExecutionPlan for PipeExec {
    fn name(&self) -> &'static str {
        "PipeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        match self.spec.scope {
            PipeScope::Partitioned => {
                let keys = self.arrangement.partition_by.clone();
                InputDistributionRequirements::new(vec![Distribution::KeyPartitioned(keys)])
            }
            PipeScope::Single => super::distribution(true),
            PipeScope::Split | PipeScope::PerRow => super::distribution(self.arrangement.in_order),
        }
    }

    /// What comes out is new: it has no order that DataFusion knows, whatever the order of the input.
    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        vec![self.arrangement.order_by.clone().map(OrderingRequirements::from)]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut recursion = TreeNodeRecursion::Continue;
        let Arrangement { partition_by, order_by, in_order: _ } = &self.arrangement;
        let order_by = order_by.iter().flatten().map(|key| &key.expr);
        let arranging = partition_by.iter().chain(order_by);
        for expression in self.arguments.expressions().chain(arranging) {
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
        Ok(Arc::new(Self::new(
            input,
            Arc::clone(&self.spec),
            self.arguments.clone(),
            self.arrangement.clone(),
            self.schema(),
        )))
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
        let mut programs = policy::programs_of(self, &Policy::of(&context))?;
        let words = programs.take_if(|programs| programs.len() == 1).and_then(|mut one| one.pop());
        let task = PipeTask {
            spec: Arc::clone(&self.spec),
            words,
            arguments: self.arguments.clone(),
            schema: self.schema(),
            batch_rows: context.session_config().batch_size(),
            timeout: self.spec.timeout.unwrap_or(GleamOptions::of(&context).operator_timeout.0),
            partition,
            children: self.concurrent_children(),
            row_errors: self.row_errors.clone(),
            metrics: OperatorMetrics::new(&self.metrics, partition),
            invalid_utf8_lines: MetricBuilder::new(&self.metrics)
                .counter(INVALID_UTF8_LINES, partition),
        };
        let input = self.input.execute(partition, context)?;
        let mut stream = RecordBatchReceiverStreamBuilder::new(self.schema(), OUTPUT_QUEUE_BATCHES);
        let output = stream.tx();
        match (self.spec.scope, programs) {
            (_, Some(several)) => stream.spawn(pipe_chain::run(task, several, input, output)),
            (PipeScope::PerRow, None) => stream.spawn(pipe_rows::run(task, input, output)),
            (_, None) => stream.spawn(pipe_task::run(task, input, output)),
        }
        Ok(stream.build())
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.row_errors.with_metrics(self.metrics.clone_inner()))
    }
}
