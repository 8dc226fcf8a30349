//! Keeps panics below a broadcast from being lost. datafusion-distributed (4.0.0) feeds the copies of a
//! `BroadcastExec` from a task that nobody joins: when that panics, all consumers see a proper end of
//! the rows, on the same agent and on others. A guard below the node makes an error of the panic before
//! that task sees it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::MetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties,
    ReplaceChildrenOptions,
};
use datafusion_distributed::{
    BroadcastExec, WorkerPlanRewriteEvent, WorkerPlanRewriteEventResponse,
};
use futures::StreamExt;

use super::fault::panic_message;

/// Puts a guard below the broadcast at the head of a task's plan, if it has one. For
/// `with_distributed_worker_plan_rewrite_handler`.
///
/// # Errors
/// When the broadcast refuses its new input.
pub fn guard_broadcast(
    event: WorkerPlanRewriteEvent<'_>,
) -> Result<WorkerPlanRewriteEventResponse> {
    let plan = event.plan;
    let Some(input) = plan.downcast_ref::<BroadcastExec>().map(BroadcastExec::input) else {
        return Ok(WorkerPlanRewriteEventResponse::new(plan));
    };
    let guarded: Arc<dyn ExecutionPlan> = Arc::new(GuardExec { guarded: Arc::clone(input) });
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Ok(WorkerPlanRewriteEventResponse::new(plan.replace_children(vec![guarded], options)?))
}

/// Stands in the place of the plan that it guards: metrics are found by position, so that there must not
/// be one node more.
#[derive(Debug)]
struct GuardExec {
    guarded: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for GuardExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.guarded.fmt_as(format, f)
    }
}

impl ExecutionPlan for GuardExec {
    fn name(&self) -> &str {
        self.guarded.name()
    }

    fn downcast_delegate(&self) -> Option<&dyn ExecutionPlan> {
        Some(self.guarded.as_ref())
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.guarded.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.guarded.children()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.guarded.apply_expressions(f)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        let guarded = Arc::clone(&self.guarded).replace_children(children, options)?;
        Ok(Arc::new(Self { guarded }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        Ok(guard(self.guarded.execute(partition, context)?))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        self.guarded.metrics()
    }
}

/// The same rows; a panic is the last item, and an error.
fn guard(rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
    let schema = rows.schema();
    let mut rows = Some(rows);
    let guarded = futures::stream::poll_fn(move |context| {
        let Some(stream) = &mut rows else { return Poll::Ready(None) };
        match catch_unwind(AssertUnwindSafe(|| stream.poll_next_unpin(context))) {
            Ok(polled) => polled,
            Err(panic) => {
                rows = None;
                let message = format!("a task panicked: {}", panic_message(panic.as_ref()));
                Poll::Ready(Some(Err(DataFusionError::Execution(message))))
            }
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, guarded))
}
