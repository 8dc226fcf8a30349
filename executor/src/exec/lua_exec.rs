//! A chain of Lua operators in a physical plan.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties,
};

use super::OperatorArguments;
use super::lua_task::{self, LuaTask};
use super::metrics::OperatorMetrics;
use super::pipe_exec::operator_properties;
use super::row_errors::RowErrors;
use crate::lua::{LuaProgram, LuaVerb};
use crate::operator::{OperatorLabel, first_line};
use crate::options::GleamOptions;

/// Runs a chain of Lua functions over its input, in one Lua child a partition.
#[derive(Debug, Clone)]
pub struct LuaExec {
    input: Arc<dyn ExecutionPlan>,
    program: Arc<LuaProgram>,
    labels: Arc<[OperatorLabel]>,
    arguments: OperatorArguments,
    kept: Option<Arc<[usize]>>,
    in_order: bool,
    row_errors: RowErrors,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl LuaExec {
    /// Each step of `program` has a label. `kept` are the input columns that the output has (none
    /// where the program makes new rows), in front of those that it makes; `schema` is that of the
    /// output.
    pub fn new(
        input: Arc<dyn ExecutionPlan>,
        program: Arc<LuaProgram>,
        labels: Arc<[OperatorLabel]>,
        arguments: OperatorArguments,
        kept: Option<Arc<[usize]>>,
        schema: SchemaRef,
    ) -> Self {
        let properties = operator_properties(&input, EquivalenceProperties::new(schema));
        let metrics = ExecutionPlanMetricsSet::new();
        let policies = program.steps.iter().map(|step| step.on_error);
        let row_errors = RowErrors::new(labels.iter().zip(policies));
        Self {
            input,
            program,
            labels,
            arguments,
            kept,
            in_order: false,
            row_errors,
            properties,
            metrics,
        }
    }

    /// What the child runs.
    pub fn program(&self) -> &Arc<LuaProgram> {
        &self.program
    }

    /// The operators of its steps.
    pub fn labels(&self) -> &Arc<[OperatorLabel]> {
        &self.labels
    }

    /// What the child is given.
    pub fn arguments(&self) -> &OperatorArguments {
        &self.arguments
    }

    /// The input columns of kept rows.
    pub fn kept(&self) -> Option<&Arc<[usize]>> {
        self.kept.as_ref()
    }

    /// The same operator, which sees all rows in the order of its input, or not.
    pub fn in_order(self, in_order: bool) -> Self {
        Self { in_order, ..self }
    }

    /// Whether it sees all rows in the order of its input.
    pub fn is_in_order(&self) -> bool {
        self.in_order
    }

    pub(super) fn row_errors(&self) -> &RowErrors {
        &self.row_errors
    }

    /// The input plan.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }
}

impl DisplayAs for LuaExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<String> = self
            .program
            .steps
            .iter()
            .zip(self.labels.iter())
            .map(|(step, label)| format!("{} `{}`", label.keyword, first_line(&step.code)))
            .collect();
        let arguments: Vec<String> =
            self.arguments.values.iter().map(ToString::to_string).collect();
        let fields = self.properties.eq_properties.schema().fields();
        let columns: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        write!(
            f,
            "LuaExec: {}, using=[{}] -> ({}){}, children={}",
            steps.join(" | "),
            arguments.join(", "),
            columns.join(", "),
            super::shown_order(self.in_order),
            self.properties.partitioning.partition_count(),
        )
    }
}

impl ExecutionPlan for LuaExec {
    fn name(&self) -> &'static str {
        "LuaExec"
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
        if self.program.steps.iter().any(|step| step.verb == LuaVerb::FlatMap) {
            CardinalityEffect::Unknown
        } else {
            CardinalityEffect::LowerEqual
        }
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
        let replaced = Self::new(
            super::only_child(children)?,
            Arc::clone(&self.program),
            Arc::clone(&self.labels),
            self.arguments.clone(),
            self.kept.clone(),
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
        let task = LuaTask {
            program: Arc::clone(&self.program),
            labels: Arc::clone(&self.labels),
            arguments: self.arguments.clone(),
            kept: self.kept.clone(),
            grouping: None,
            schema: self.schema(),
            options: GleamOptions::of(&context),
            pool: Arc::clone(context.memory_pool()),
            partition,
            metrics: OperatorMetrics::new(&self.metrics, partition),
            row_errors: self.row_errors.clone(),
        };
        Ok(lua_task::start(task, self.input.execute(partition, context)?))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.row_errors.with_metrics(self.metrics.clone_inner()))
    }
}
