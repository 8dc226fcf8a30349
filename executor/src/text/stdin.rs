use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::internal_err;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::{EquivalenceProperties, Partitioning};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PhysicalExpr, PlanProperties,
    ReplaceChildrenOptions,
};

use super::columns::Columns;
use super::input::Input;
use super::names::FileName;
use super::reader::{Recipe, TextReader};
use super::threaded::read_in_thread;
use super::{TextError, schema, schema_with_origin};

/// The value of `file` in rows from standard input.
pub const STDIN_NAME: &str = "stdin";

/// Set when a scan begins: what was read is gone.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Standard input as a table of text. It can be scanned once in the life of the process.
pub fn stdin_table() -> Arc<dyn TableProvider> {
    Arc::new(StdinTable { has_origin: false })
}

/// The table of [`stdin_table`].
#[derive(Debug, Clone)]
pub struct StdinTable {
    has_origin: bool,
}

impl StdinTable {
    /// The same input, with two more columns that tell where a row comes from.
    pub fn with_origin(&self) -> Arc<dyn TableProvider> {
        Arc::new(Self { has_origin: true })
    }
}

#[async_trait]
impl TableProvider for StdinTable {
    fn schema(&self) -> SchemaRef {
        if self.has_origin { schema_with_origin() } else { schema() }
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.schema().fields().len()).collect();
        Ok(Arc::new(StdinExec::new(projection.cloned().unwrap_or_else(all))))
    }
}

/// Reads standard input, in one partition.
#[derive(Debug, Clone)]
pub struct StdinExec {
    /// Places in [`schema_with_origin`].
    indices: Vec<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl StdinExec {
    pub(crate) fn new(indices: Vec<usize>) -> Self {
        let schema = Arc::clone(Columns::new(indices.clone()).schema());
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        Self { indices, properties: Arc::new(properties), metrics }
    }

    pub(crate) fn indices(&self) -> &[usize] {
        &self.indices
    }
}

impl DisplayAs for StdinExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let schema = self.schema();
        let names = schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>();
        write!(f, "StdinExec: projection=[{}]", names.join(", "))
    }
}

impl ExecutionPlan for StdinExec {
    fn name(&self) -> &str {
        "StdinExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        if partition > 0 {
            return internal_err!("stdin has one partition, not {partition}");
        }
        if IS_TAKEN.swap(true, Ordering::Relaxed) {
            return Err(TextError::StdinTaken.into());
        }
        let batch_rows = context.session_config().batch_size();
        let columns = Columns::new(self.indices.clone());
        let recipe = Recipe::new(columns, batch_rows, &self.metrics, 0);
        let batches = read_in_thread(STDIN_NAME.to_owned(), move || open_stdin(recipe).map(Some))?;
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}

fn open_stdin(recipe: Recipe) -> Result<TextReader, TextError> {
    let opening = |source| TextError::Open { file: STDIN_NAME.to_owned(), source };
    let file = io::stdin().as_fd().try_clone_to_owned().map_err(opening)?;
    let input = Input::of_stream(File::from(file), &recipe.scanned).map_err(opening)?;
    let name = FileName { shown: STDIN_NAME.to_owned(), path: None };
    Ok(TextReader::new(name, input, recipe))
}
