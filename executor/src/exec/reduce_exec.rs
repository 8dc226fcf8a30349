//! `REDUCE LUA` in a physical plan.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements,
    PlanProperties,
};

use super::OperatorArguments;
use super::grouping::Grouping;
use super::lua_task::{self, LuaTask};
use super::metrics::OperatorMetrics;
use super::pipe_exec::operator_properties;
use super::row_errors::RowErrors;
use crate::lua::LuaProgram;
use crate::operator::{OperatorLabel, first_line};
use crate::options::GleamOptions;

/// Folds the rows of each group with a Lua function, in one Lua child a partition.
#[derive(Debug, Clone)]
pub struct ReduceExec {
    input: Arc<dyn ExecutionPlan>,
    program: Arc<LuaProgram>,
    label: OperatorLabel,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    arguments: OperatorArguments,
    phase: ReducePhase,
    row_errors: RowErrors,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// Which of the rows of a group a task folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReducePhase {
    /// Those that it happens to have. Groups may come out several times.
    Partial,
    /// All that the partial folds have made of them, or all rows, where there were none.
    Whole,
    /// All rows of all groups, in the order of the input.
    InOrder,
}

impl ReduceExec {
    /// `program` is one REDUCE, whose inputs are the group's number and the `arguments`. The output,
    /// of `schema`, has the `keys` and then the accumulators.
    pub fn new(
        input: Arc<dyn ExecutionPlan>,
        program: Arc<LuaProgram>,
        label: OperatorLabel,
        (keys, arguments): (Vec<Arc<dyn PhysicalExpr>>, OperatorArguments),
        phase: ReducePhase,
        schema: SchemaRef,
    ) -> Self {
        let properties = operator_properties(&input, EquivalenceProperties::new(schema));
        let metrics = ExecutionPlanMetricsSet::new();
        let row_errors = RowErrors::new(program.steps.iter().map(|step| (&label, step.on_error)));
        Self { input, program, label, keys, arguments, phase, row_errors, properties, metrics }
    }

    /// What the child runs.
    pub fn program(&self) -> &Arc<LuaProgram> {
        &self.program
    }

    /// How the operator is named.
    pub fn label(&self) -> &OperatorLabel {
        &self.label
    }

    /// What the rows of a group have in common.
    pub fn keys(&self) -> &[Arc<dyn PhysicalExpr>] {
        &self.keys
    }

    /// What is folded.
    pub fn arguments(&self) -> &OperatorArguments {
        &self.arguments
    }

    /// Which of the rows of a group a task folds.
    pub fn phase(&self) -> ReducePhase {
        self.phase
    }

    pub(super) fn row_errors(&self) -> &RowErrors {
        &self.row_errors
    }

    fn key_schema(&self) -> Result<SchemaRef> {
        let indexes: Vec<usize> = (0..self.keys.len()).collect();
        let schema: Schema = self.schema().project(&indexes)?;
        Ok(Arc::new(schema))
    }
}

impl fmt::Display for ReducePhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Partial => "partial",
            Self::Whole => "final",
            Self::InOrder => "in order",
        })
    }
}

impl DisplayAs for ReduceExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.program.steps.first().map(|step| first_line(&step.code));
        let list = |expressions: &[Arc<dyn PhysicalExpr>]| {
            expressions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        let schema = self.schema();
        let columns: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        write!(
            f,
            "ReduceExec: {} `{}`, {}, by=[{}], using=[{}] -> ({}), children={}",
            self.label.keyword,
            code.unwrap_or_default(),
            self.phase,
            list(&self.keys),
            list(&self.arguments.values),
            columns.join(", "),
            self.properties.partitioning.partition_count(),
        )
    }
}

impl ExecutionPlan for ReduceExec {
    fn name(&self) -> &'static str {
        "ReduceExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![match self.phase {
            ReducePhase::Partial => Distribution::UnspecifiedDistribution,
            ReducePhase::Whole if !self.keys.is_empty() => {
                Distribution::KeyPartitioned(self.keys.clone())
            }
            ReducePhase::Whole | ReducePhase::InOrder => Distribution::SinglePartition,
        }])
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
        for expression in self.keys.iter().chain(self.arguments.expressions()) {
            recursion = recursion.visit_sibling(|| f(expression))?;
        }
        Ok(recursion)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(Self::new(
            super::only_child(children)?,
            Arc::clone(&self.program),
            self.label.clone(),
            (self.keys.clone(), self.arguments.clone()),
            self.phase,
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
        let task = LuaTask {
            program: Arc::clone(&self.program),
            labels: [self.label.clone()].into(),
            arguments: self.arguments.clone(),
            kept: None,
            grouping: Some(Grouping {
                keys: self.keys.clone(),
                schema: self.key_schema()?,
                is_partial: self.phase == ReducePhase::Partial,
            }),
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
