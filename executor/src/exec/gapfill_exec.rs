//! `GAPFILL` in a physical plan: rows for the buckets in which nothing was.

use std::fmt;
use std::sync::Arc;

use arrow::compute::SortOptions;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::internal_datafusion_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{
    EquivalenceProperties, LexOrdering, OrderingRequirements, PhysicalExpr, PhysicalSortExpr,
};
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements,
    PlanProperties,
};

use super::gap_step::GapStep;
use super::gapfill_task::GapfillTask;
use super::pipe_exec::operator_properties;
use crate::operator::OperatorLabel;

/// A `GAPFILL` without its input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GapfillSpec {
    /// How messages name the operator.
    pub label: OperatorLabel,
    /// The column that is filled, by its index.
    pub column: usize,
    /// How far its values are from each other.
    pub step: GapStep,
    /// The columns whose values a group has in common.
    pub keys: Vec<usize>,
}

/// Adds a row for each bucket that is missing between two rows of a group. It has the group's keys,
/// the bucket, and NULL in all other columns.
#[derive(Debug, Clone)]
pub struct GapfillExec {
    input: Arc<dyn ExecutionPlan>,
    spec: Arc<GapfillSpec>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl GapfillExec {
    /// `schema` is that of the input, with columns that may be NULL.
    pub fn new(input: Arc<dyn ExecutionPlan>, spec: Arc<GapfillSpec>, schema: SchemaRef) -> Self {
        let ordering = ordering(&spec, &schema);
        let equivalences = EquivalenceProperties::new_with_orderings(schema, ordering);
        let properties = operator_properties(&input, equivalences);
        Self { input, spec, properties, metrics: ExecutionPlanMetricsSet::new() }
    }

    /// What it does.
    pub fn spec(&self) -> &Arc<GapfillSpec> {
        &self.spec
    }

    fn input_column(&self, index: usize) -> Arc<dyn PhysicalExpr> {
        column(&self.input.schema(), index)
    }
}

/// Groups one after the other, each in the order of its buckets; NULLs last. Rows come and go so.
fn ordering(spec: &GapfillSpec, schema: &Schema) -> Option<LexOrdering> {
    let options = SortOptions { descending: false, nulls_first: false };
    let columns = spec.keys.iter().chain([&spec.column]);
    LexOrdering::new(columns.map(|index| PhysicalSortExpr::new(column(schema, *index), options)))
}

fn column(schema: &Schema, index: usize) -> Arc<dyn PhysicalExpr> {
    Arc::new(Column::new(schema.field(index).name(), index))
}

impl DisplayAs for GapfillExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.spec.keys.iter().map(|key| self.input_column(*key).to_string());
        let keys: Vec<String> = keys.collect();
        let column = self.input_column(self.spec.column);
        let step = self.spec.step;
        write!(f, "GapfillExec: {column} by {step}, partition_by=[{}]", keys.join(", "))
    }
}

impl ExecutionPlan for GapfillExec {
    fn name(&self) -> &'static str {
        "GapfillExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let keys: Vec<_> = self.spec.keys.iter().map(|key| self.input_column(*key)).collect();
        InputDistributionRequirements::new(vec![match keys.is_empty() {
            true => Distribution::SinglePartition,
            false => Distribution::KeyPartitioned(keys),
        }])
    }

    fn required_input_ordering(&self) -> Vec<Option<OrderingRequirements>> {
        let ordering = ordering(&self.spec, &self.input.schema());
        vec![ordering.map(OrderingRequirements::from)]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::GreaterEqual
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = super::only_child(children)?;
        if input.schema().fields().len() != self.schema().fields().len() {
            return Err(internal_datafusion_err!("GAPFILL keeps the columns of its input"));
        }
        Ok(Arc::new(Self::new(input, Arc::clone(&self.spec), self.schema())))
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
        let filled = MetricBuilder::new(&self.metrics).counter("rows_filled", partition);
        let output = MetricBuilder::new(&self.metrics).output_rows(partition);
        let task = GapfillTask::new(Arc::clone(&self.spec), self.schema(), filled, output);
        Ok(task.run(self.input.execute(partition, context)?))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
