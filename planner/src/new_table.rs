//! CREATE TABLE … AS as a plan that runs, so that what it has to tell is told as of any query.
//!
//! DataFusion runs the query while the statement is planned: then nobody sees its plan, and with it what
//! ON ERROR let pass, and an error of it looks like one of planning.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{TableReference, internal_err, plan_err};
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::{CreateMemoryTable, DdlStatement, LogicalPlan};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, collect_partitioned,
};
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use futures::stream;

/// Keeps the rows of its input as a table. Gives no rows.
#[derive(Clone)]
struct NewTableExec {
    input: Arc<dyn ExecutionPlan>,
    table: Arc<CreateMemoryTable>,
    /// Of the table.
    rows: SchemaRef,
    context: SessionContext,
    properties: Arc<PlanProperties>,
}

/// The plan of `logical`, if that is a CREATE TABLE that makes a table. A temporary one, and one whose
/// name is taken, are left to DataFusion, which refuses them or does nothing.
pub(crate) async fn plan(
    logical: &LogicalPlan,
    context: &SessionContext,
    state: &SessionState,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(table)) = logical else {
        return Ok(None);
    };
    let is_taken = context.table_exist(table.name.clone())?;
    if is_taken && (!table.or_replace || table.if_not_exists) || table.temporary {
        return Ok(None);
    }
    // Types are settled by then, and with them the schema of the table.
    let input = state.optimize(&table.input)?;
    let rows = Arc::clone(input.schema().inner());
    check_names(&rows)?;
    let input = state.query_planner().create_physical_plan(&input, state).await?;
    Ok(Some(Arc::new(NewTableExec::new(input, rows, Arc::new(table.clone()), context.clone()))))
}

/// A table knows its columns by their names alone.
fn check_names(rows: &Schema) -> Result<()> {
    let mut names = HashSet::new();
    match rows.fields().iter().find(|field| !names.insert(field.name())) {
        None => Ok(()),
        Some(field) => plan_err!(
            "two columns of the table would be called `{}`; give one of them another name with AS",
            field.name()
        ),
    }
}

impl NewTableExec {
    fn new(
        input: Arc<dyn ExecutionPlan>,
        rows: SchemaRef,
        table: Arc<CreateMemoryTable>,
        context: SessionContext,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::new(Schema::empty())),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { input, table, rows, context, properties: Arc::new(properties) }
    }

    async fn run(self, context: Arc<TaskContext>) -> Result<()> {
        let partitions = collect_partitioned(Arc::clone(&self.input), context).await?;
        let defaults = self.table.column_defaults.iter().cloned().collect();
        let rows = MemTable::try_new(self.rows, partitions)?
            .with_constraints(self.table.constraints.clone())
            .with_column_defaults(defaults);
        let name: TableReference = self.table.name.clone();
        if self.table.or_replace {
            self.context.deregister_table(name.clone())?;
        }
        self.context.register_table(name, Arc::new(rows))?;
        Ok(())
    }
}

impl fmt::Debug for NewTableExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewTableExec").field("table", &self.table.name).finish_non_exhaustive()
    }
}

impl DisplayAs for NewTableExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NewTableExec: {}", self.table.name)
    }
}

impl ExecutionPlan for NewTableExec {
    fn name(&self) -> &'static str {
        "NewTableExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
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
        let Ok([input]) = <[_; 1]>::try_from(children) else {
            return internal_err!("NewTableExec has one input");
        };
        Ok(Arc::new(Self { input, ..Self::clone(&self) }))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Ok([input]) = <[_; 1]>::try_from(children) else {
            return internal_err!("NewTableExec has one input");
        };
        Ok(Arc::new(Self { input, ..Self::clone(&self) }))
    }

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let ran = stream::once(self.clone().run(context));
        let rows = ran.try_filter_map(|()| async { Ok(None::<RecordBatch>) });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}
