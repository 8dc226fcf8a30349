//! Tasks of plans, wherever their bytes arrive: agents, the exchange between them, and connections.
//!
//! **Invariant:** the agent never sees the planner; they meet in plan bytes. It knows no SQL text.

pub mod address;
pub mod connection;
pub mod credit;
pub mod drain;
pub mod exchange;
pub mod local_agents;
mod network;
pub mod proto;
pub mod security;
pub mod server;
mod status;
pub mod version;
mod worker_session;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_extension_codec, physical_plan_to_bytes_with_extension_codec,
};
use gleam_sql_executor::codec::GleamCodec;

/// The bytes of `plan`, with everything that its tasks need, Lua and shell text included.
///
/// # Errors
/// When a node of the plan has no form in bytes.
pub fn encode(plan: Arc<dyn ExecutionPlan>) -> Result<Vec<u8>> {
    Ok(physical_plan_to_bytes_with_extension_codec(plan, &GleamCodec)?.to_vec())
}

/// The plan that [`encode`] wrote.
///
/// # Errors
/// When the bytes are not a plan, or call for functions that `context` does not have.
pub fn decode(bytes: &[u8], context: &TaskContext) -> Result<Arc<dyn ExecutionPlan>> {
    // DataFusion's decoder panics on some bytes that are no plan.
    let decoded = catch_unwind(AssertUnwindSafe(|| {
        physical_plan_from_bytes_with_extension_codec(bytes, context, &GleamCodec)
    }));
    decoded.unwrap_or_else(|_| datafusion::common::internal_err!("these bytes are no plan"))
}

/// Runs one task: the rows of partition `partition` of the plan in `bytes`. Dropping the stream ends
/// the task and its children.
///
/// # Errors
/// As [`decode`], and when the plan has no such partition.
pub fn run_task(
    bytes: &[u8],
    partition: usize,
    context: Arc<TaskContext>,
) -> Result<SendableRecordBatchStream> {
    let plan = decode(bytes, &context)?;
    let partitions = plan.properties().partitioning.partition_count();
    if partition >= partitions {
        return datafusion::common::internal_err!(
            "the plan has {partitions} partitions, and {partition} is not one of them"
        );
    }
    plan.execute(partition, context)
}
