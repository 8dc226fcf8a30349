//! Logical operators to physical ones.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::compute::SortOptions;
use datafusion::catalog::Session;
use datafusion::common::{Column, DFSchema, Result, internal_datafusion_err, plan_err};
use datafusion::error::DataFusionError;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Expr, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_expr::expressions::Column as PhysicalColumn;
use datafusion::physical_expr::{
    LexOrdering, OrderingRequirements, PhysicalExpr, PhysicalSortExpr,
};
use datafusion::physical_optimizer::output_requirements::OutputRequirementExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{Distribution, ExecutionPlan};
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};
use gleam_sql_executor::exec::{
    Arrangement, FoldExec, GapfillExec, LuaExec, OperatorArguments, ParseExec, PipeExec,
    ReduceExec, ReducePhase,
};
use gleam_sql_executor::lua::{LuaColumn, LuaProgram, LuaType};
use gleam_sql_executor::operator::OnError;
use gleam_sql_executor::policy::Roots;

use crate::nodes::{
    FoldNode, GapfillNode, LuaNode, NodeArguments, ParseNode, PipeNode, ReduceNode,
};
use crate::{explain, placement};

/// DataFusion's planner, with our operators.
#[derive(Debug)]
pub(crate) struct OperatorQueryPlanner;

#[async_trait]
impl QueryPlanner for OperatorQueryPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(
            OperatorExtensionPlanner,
        )]);
        planner.create_physical_plan(plan, session).await
    }
}

/// The same, for agents: a plan that can leave the driver is cut into stages.
#[derive(Debug)]
pub(crate) struct PlacingQueryPlanner {
    pub(crate) distributed: Option<Arc<dyn QueryPlanner + Send + Sync>>,
}

#[async_trait]
impl QueryPlanner for PlacingQueryPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let local = OperatorQueryPlanner.create_physical_plan(plan, session).await?;
        match (plan, &self.distributed) {
            (LogicalPlan::Explain(explain), _) => {
                let placed = self.create_physical_plan(&explain.plan, session).await;
                Ok(explain::with_stages(local, placed.ok(), &placement::agents(session.config())?))
            }
            (LogicalPlan::Analyze(analyze), _) => {
                let placed = self.create_physical_plan(&analyze.input, session).await?;
                explain::analyzed(analyze, local, placed, session)
            }
            (_, Some(distributed)) if placement::can_leave_the_driver(&local) => {
                distributed.create_physical_plan(plan, session).await
            }
            _ => Ok(local),
        }
    }
}

#[derive(Debug)]
struct OperatorExtensionPlanner;

#[async_trait]
impl ExtensionPlanner for OperatorExtensionPlanner {
    async fn plan_extension(
        &self,
        planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        physical_inputs: &[Arc<dyn ExecutionPlan>],
        session: &dyn Session,
        context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(input) = physical_inputs.first() else { return Ok(None) };
        let input = &keep_order(Arc::clone(input), node)?;
        let convert = Convert { planner, session, context };
        if let Some(lua) = node.as_any().downcast_ref::<LuaNode>() {
            return convert.lua(lua, input).map(Some);
        }
        if let Some(reduce) = node.as_any().downcast_ref::<ReduceNode>() {
            return convert.reduce(reduce, input).map(Some);
        }
        if let Some(pipe) = node.as_any().downcast_ref::<PipeNode>() {
            return convert.pipe(pipe, input).map(Some);
        }
        if let Some(parse) = node.as_any().downcast_ref::<ParseNode>() {
            return convert.parse(parse, input).map(Some);
        }
        if let Some(fold) = node.as_any().downcast_ref::<FoldNode>() {
            return convert.fold(fold, input).map(Some);
        }
        if let Some(gapfill) = node.as_any().downcast_ref::<GapfillNode>() {
            let (spec, schema) = (gapfill.spec()?, Arc::clone(gapfill.schema.inner()));
            let exec = GapfillExec::new(Arc::clone(input), Arc::new(spec), schema);
            return Ok(Some(Arc::new(exec)));
        }
        Ok(None)
    }
}

/// The input of `node`, with the order that was asked for nailed to where it is made: DataFusion would
/// take a sort away whose key is not among the columns that reach the operator.
fn keep_order(
    input: Arc<dyn ExecutionPlan>,
    node: &dyn UserDefinedLogicalNode,
) -> Result<Arc<dyn ExecutionPlan>> {
    let node = node.as_any();
    let is_ordered = node.downcast_ref::<LuaNode>().is_some_and(|lua| lua.is_ordered)
        || node.downcast_ref::<PipeNode>().is_some_and(|pipe| pipe.is_ordered)
        || node.downcast_ref::<ParseNode>().is_some_and(|parse| parse.is_ordered)
        || node.downcast_ref::<FoldNode>().is_some_and(|fold| fold.is_ordered)
        || node.downcast_ref::<ReduceNode>().is_some_and(|reduce| reduce.is_ordered);
    if is_ordered { require_sort(input) } else { Ok(input) }
}

fn require_sort(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    if let Some(sort) = plan.downcast_ref::<SortExec>() {
        let order = OrderingRequirements::from(sort.expr().clone());
        let fetch = sort.fetch();
        return Ok(Arc::new(OutputRequirementExec::new(
            plan,
            Some(order),
            Distribution::SinglePartition,
            fetch,
        )));
    }
    match plan.children().as_slice() {
        // An operator below has seen to it already, and so has a requirement.
        [] => Ok(plan),
        [_] if plan.downcast_ref::<OutputRequirementExec>().is_some() => Ok(plan),
        [child] => {
            let child = require_sort(Arc::clone(child))?;
            plan.replace_children(
                vec![child],
                ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
            )
        }
        _ => plan_err!(
            "the order of ORDER BY is lost before the operator that follows it; \
             write the ORDER BY directly before the operator"
        ),
    }
}

/// What the conversion of one node needs.
struct Convert<'a> {
    planner: &'a dyn PhysicalPlanner,
    session: &'a dyn Session,
    context: &'a PhysicalPlanningContext,
}

impl Convert<'_> {
    fn lua(
        &self,
        node: &LuaNode,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let arguments = self.arguments(&node.arguments, &node.input)?;
        let inputs = lua_inputs(&arguments, &node.arguments, input)?;
        let program = LuaProgram { inputs, steps: node.steps.clone() };
        let kept =
            node.input_columns().map(|kept| indexes(kept, node.input.schema())).transpose()?;
        let exec = LuaExec::new(
            Arc::clone(input),
            Arc::new(program),
            node.labels.as_slice().into(),
            arguments,
            kept,
            Arc::clone(UserDefinedLogicalNodeCore::schema(node).inner()),
        );
        Ok(Arc::new(exec.in_order(node.is_ordered)))
    }

    /// A partial fold of the rows of each task, and a final one of what these give. Where a fold must
    /// see the rows in order, or knows of errors in rows, there is one fold, of the rows themselves.
    fn reduce(
        &self,
        node: &ReduceNode,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let keys = node.keys.iter().map(|key| self.expression(key, &node.input));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let arguments = self.arguments(&node.arguments, &node.input)?;
        let schema = node.schema.inner();
        let program = |values: Vec<LuaColumn>| {
            let mut inputs = vec![LuaColumn::new("group", LuaType::UInt32)];
            inputs.extend(values);
            Arc::new(LuaProgram { inputs, steps: vec![node.step.clone()] })
        };
        let values = lua_inputs(&arguments, &node.arguments, input)?;
        let fold = |input, program, of, phase| {
            let label = node.label.clone();
            Arc::new(ReduceExec::new(input, program, label, of, phase, Arc::clone(schema)))
        };
        let rows = (keys, arguments);
        if node.is_ordered {
            return Ok(fold(Arc::clone(input), program(values), rows, ReducePhase::InOrder));
        }
        if node.step.on_error != OnError::Fail {
            return Ok(fold(Arc::clone(input), program(values), rows, ReducePhase::Whole));
        }
        let columns = schema.fields().iter().enumerate();
        let columns = columns
            .map(|(index, field)| Arc::new(PhysicalColumn::new(field.name(), index)) as Arc<_>);
        let mut keys: Vec<Arc<dyn PhysicalExpr>> = columns.collect();
        let values_of_groups = keys.split_off(node.keys.len());
        let groups = (
            keys,
            OperatorArguments { values: values_of_groups, origin: None, roots: Roots::default() },
        );
        let partial = fold(Arc::clone(input), program(values), rows, ReducePhase::Partial);
        Ok(fold(partial, program(node.step.columns.clone()), groups, ReducePhase::Whole))
    }

    fn pipe(
        &self,
        node: &PipeNode,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let partition_by = node.partition_by.iter().map(|key| self.expression(key, &node.input));
        let order_by = node.order_by.iter().map(|key| {
            let options = SortOptions { descending: !key.asc, nulls_first: key.nulls_first };
            Ok(PhysicalSortExpr::new(self.expression(&key.expr, &node.input)?, options))
        });
        let arrangement = Arrangement {
            partition_by: partition_by.collect::<Result<_>>()?,
            order_by: LexOrdering::new(order_by.collect::<Result<Vec<_>>>()?),
            in_order: node.is_ordered,
        };
        Ok(Arc::new(PipeExec::new(
            Arc::clone(input),
            Arc::new(node.spec.clone()),
            self.arguments(&node.arguments, &node.input)?,
            arrangement,
            Arc::clone(node.schema.inner()),
        )))
    }

    fn parse(
        &self,
        node: &ParseNode,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let exec = ParseExec::try_new(
            Arc::clone(input),
            Arc::new(node.spec.clone()),
            self.arguments(&node.arguments, &node.input)?,
            node.sources()?,
        )?;
        Ok(Arc::new(exec.in_order(node.is_ordered)))
    }

    fn fold(
        &self,
        node: &FoldNode,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let exec = FoldExec::try_new(
            Arc::clone(input),
            Arc::new(node.spec.clone()),
            self.arguments(&node.arguments, &node.input)?,
            node.sources()?,
            Arc::clone(node.schema.inner()),
        )?;
        Ok(Arc::new(exec.in_order(node.is_ordered)))
    }

    fn expression(&self, expression: &Expr, input: &LogicalPlan) -> Result<Arc<dyn PhysicalExpr>> {
        let (session, context) = (self.session, self.context);
        self.planner.create_physical_expr(expression, input.schema(), session, context)
    }

    fn arguments(
        &self,
        arguments: &NodeArguments,
        input: &LogicalPlan,
    ) -> Result<OperatorArguments> {
        let physical = |expression| self.expression(expression, input);
        let origin = match &arguments.origin {
            Some([file, offset]) => Some([physical(file)?, physical(offset)?]),
            None => None,
        };
        let values = arguments.values.iter().map(physical).collect::<Result<_>>()?;
        Ok(OperatorArguments { values, origin, roots: Roots::default() })
    }
}

/// The columns of `arguments` as Lua sees them.
fn lua_inputs(
    arguments: &OperatorArguments,
    named: &NodeArguments,
    input: &Arc<dyn ExecutionPlan>,
) -> Result<Vec<LuaColumn>> {
    let column = |(value, named): (&Arc<dyn PhysicalExpr>, &Expr)| {
        let lua_type = LuaType::try_from(&value.data_type(&input.schema())?)
            .map_err(|error| DataFusionError::Plan(error.to_string()))?;
        let name = match named {
            Expr::Column(column) => column.name.clone(),
            other => other.human_display().to_string(),
        };
        Ok(LuaColumn::new(name, lua_type))
    };
    arguments.values.iter().zip(&named.values).map(column).collect()
}

fn indexes(columns: &[Column], schema: &DFSchema) -> Result<Arc<[usize]>> {
    let index = |column| {
        schema
            .maybe_index_of_column(column)
            .ok_or_else(|| internal_datafusion_err!("kept column {column} is not there"))
    };
    columns.iter().map(index).collect()
}
