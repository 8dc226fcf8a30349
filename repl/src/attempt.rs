//! One run of a plan, and whether there may be another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, future};
use gleam_sql_executor::exec::PipeExec;

/// Whether the reader of a query has seen any of its rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown(Arc<AtomicBool>);

impl Shown {
    /// The rows of `stream`, which are seen as they pass. Batches without rows are left out, so that
    /// nothing is printed before there is a row.
    pub(crate) fn watch(&self, stream: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let schema = stream.schema();
        let seen = Arc::clone(&self.0);
        let rows = stream.filter(move |batch| {
            let passes = batch.as_ref().map_or(true, |batch| batch.num_rows() > 0);
            if passes && batch.is_ok() {
                seen.store(true, Ordering::Relaxed);
            }
            future::ready(passes)
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }

    /// Whether a row has passed.
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whether running `plan` twice may do more than running it once: a program may do anything, and a
/// sink may have written some of its rows. Lua functions have nothing that they could do it to.
pub(crate) fn has_effects(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let mut found = false;
    let walked = plan.apply(|node| {
        found |= node.is::<PipeExec>() || node.is::<DataSinkExec>();
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    // What cannot be looked at is not run twice.
    found || walked.is_err()
}
