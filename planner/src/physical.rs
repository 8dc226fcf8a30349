//! Logical operators to physical ones.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Column, DFSchema, Result, internal_datafusion_err};
use datafusion::error::DataFusionError;
use datafusion::execution::context::QueryPlanner;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};
use gleam_sql_executor::exec::{InputOrder, LuaExec, OperatorArguments, PipeExec};
use gleam_sql_executor::lua::{LuaColumn, LuaProgram, LuaType};

use crate::nodes::{LuaNode, NodeArguments, PipeNode, is_ordered};

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
        let convert = Convert { planner, session, context };
        if let Some(lua) = node.as_any().downcast_ref::<LuaNode>() {
            return convert.lua(lua, input).map(Some);
        }
        if let Some(pipe) = node.as_any().downcast_ref::<PipeNode>() {
            return convert.pipe(pipe, input).map(Some);
        }
        Ok(None)
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
        let inputs = arguments.values.iter().zip(&node.arguments.values).map(|(value, named)| {
            let lua_type = LuaType::try_from(&value.data_type(&input.schema())?)
                .map_err(|error| DataFusionError::Plan(error.to_string()))?;
            Ok(LuaColumn::new(named.qualified_name().1, lua_type))
        });
        let program =
            LuaProgram { inputs: inputs.collect::<Result<_>>()?, steps: node.steps.clone() };
        let kept = node.kept().map(|kept| indexes(kept, node.input.schema())).transpose()?;
        let exec = LuaExec::new(
            Arc::clone(input),
            Arc::new(program),
            node.labels.as_slice().into(),
            arguments,
            kept,
            Arc::clone(UserDefinedLogicalNodeCore::schema(node).inner()),
        );
        Ok(Arc::new(exec.with_order(order_of(&node.input, input))))
    }

    fn pipe(
        &self,
        node: &PipeNode,
        input: &Arc<dyn ExecutionPlan>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let exec = PipeExec::new(
            Arc::clone(input),
            node.commands.as_slice().into(),
            self.arguments(&node.arguments, &node.input)?,
            node.formats,
            Arc::clone(node.schema.inner()),
        );
        Ok(Arc::new(exec.with_order(order_of(&node.input, input))))
    }

    fn arguments(
        &self,
        arguments: &NodeArguments,
        input: &LogicalPlan,
    ) -> Result<OperatorArguments> {
        let physical = |expression| {
            self.planner.create_physical_expr(
                expression,
                input.schema(),
                self.session,
                self.context,
            )
        };
        let origin = match &arguments.origin {
            Some([file, offset]) => Some([physical(file)?, physical(offset)?]),
            None => None,
        };
        let values = arguments.values.iter().map(physical).collect::<Result<_>>()?;
        Ok(OperatorArguments { values, origin })
    }
}

/// The order that an operator must see its rows in.
fn order_of(logical: &LogicalPlan, physical: &Arc<dyn ExecutionPlan>) -> InputOrder {
    if !is_ordered(logical) {
        return InputOrder::Any;
    }
    match physical.output_ordering() {
        Some(order) => InputOrder::Sorted(order.clone()),
        None => InputOrder::AsItComes,
    }
}

fn indexes(columns: &[Column], schema: &DFSchema) -> Result<Arc<[usize]>> {
    let index = |column| {
        schema
            .maybe_index_of_column(column)
            .ok_or_else(|| internal_datafusion_err!("kept column {column} is not there"))
    };
    columns.iter().map(index).collect()
}
