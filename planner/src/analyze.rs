//! Runs a staged plan for its metrics.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use datafusion::arrow::array::StringArray;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_datafusion_err, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use datafusion_distributed::{
    DistributedExec, DistributedMetricsFormat, rewrite_distributed_plan_with_metrics,
};
use futures::{StreamExt, stream};
use url::Url;

use crate::cluster::METRICS_LIMIT;
use crate::staged::{self, Detail, MetricsShown};

/// Runs its input to the end, drops the rows, and gives the stages with what they measured.
#[derive(Debug)]
pub(crate) struct StagedAnalyzeExec {
    input: Arc<dyn ExecutionPlan>,
    agents: Vec<Url>,
    detail: Detail,
    properties: Arc<PlanProperties>,
}

impl StagedAnalyzeExec {
    /// `schema` is that of EXPLAIN ANALYZE: two columns of text.
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        agents: Vec<Url>,
        detail: Detail,
        schema: SchemaRef,
    ) -> Self {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        ));
        Self { input, agents, detail, properties }
    }
}

impl DisplayAs for StagedAnalyzeExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StagedAnalyzeExec")
    }
}

impl ExecutionPlan for StagedAnalyzeExec {
    fn name(&self) -> &'static str {
        "StagedAnalyzeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(input) = children.pop() else {
            return internal_err!("StagedAnalyzeExec needs an input");
        };
        let schema = self.schema();
        Ok(Arc::new(Self::new(input, self.agents.clone(), self.detail.clone(), schema)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let rows = self.input.execute(partition, context)?;
        let input = Arc::clone(&self.input);
        let (agents, detail) = (self.agents.clone(), self.detail.clone());
        let (schema, given) = (self.schema(), self.schema());
        let plans = async move {
            let started = Instant::now();
            let count = drain(rows).await?;
            let duration = started.elapsed();
            let mut shown = vec![("Plan with Metrics", draw(input, &agents, &detail).await?)];
            if detail.metrics == MetricsShown::Each {
                shown.push(("Output Rows", count.to_string()));
                shown.push(("Duration", format!("{duration:?}")));
            }
            let (names, bodies): (Vec<_>, Vec<_>) = shown.into_iter().unzip();
            let columns = vec![
                Arc::new(StringArray::from(names)) as _,
                Arc::new(StringArray::from(bodies)) as _,
            ];
            Ok(RecordBatch::try_new(schema, columns)?)
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(given, stream::once(plans))))
    }
}

/// The number of rows.
async fn drain(mut rows: SendableRecordBatchStream) -> Result<usize> {
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        count += batch?.num_rows();
    }
    Ok(count)
}

async fn draw(plan: Arc<dyn ExecutionPlan>, agents: &[Url], detail: &Detail) -> Result<String> {
    let no_plan = || internal_datafusion_err!("only staged plans have stages to show");
    let distributed = plan.downcast_ref::<DistributedExec>().ok_or_else(no_plan)?;
    if tokio::time::timeout(METRICS_LIMIT, distributed.wait_for_metrics()).await.is_err() {
        let stages = staged::draw(distributed, agents, &Detail::plan_only());
        let seconds = METRICS_LIMIT.as_secs();
        return Ok(format!("{stages}\nthe metrics of some tasks did not come within {seconds} s"));
    }
    let format = match detail.metrics {
        MetricsShown::Each => DistributedMetricsFormat::PerTask,
        MetricsShown::Summed | MetricsShown::None => DistributedMetricsFormat::Aggregated,
    };
    let measured = rewrite_distributed_plan_with_metrics(Arc::clone(&plan), format).await?;
    let measured = measured.downcast_ref::<DistributedExec>().ok_or_else(no_plan)?;
    Ok(staged::draw(measured, agents, detail))
}
