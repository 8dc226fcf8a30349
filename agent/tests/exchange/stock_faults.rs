//! The two faults of datafusion-distributed's own transport (4.0.0) for which the exchange exists. Each
//! test runs the same task over both.
//!
//! What was seen with the stock transport:
//! - It reads all partitions of a task from one stream, and stops reading when the frames of all
//!   partitions together fill `worker_connection_buffer_budget_bytes`. An ordered merge that needs
//!   partition 1 while partition 0 fills the budget waits for ever: the query hangs, without an error.
//! - A task of the producer that panics only closes its queue. The consumer sees the end of the stream:
//!   no error, and the rows after the panic are missing.
//! - The same inside of an agent, whatever the transport, below a `BroadcastExec`: the task that feeds
//!   its copies is joined by nobody.

use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::physical_expr::PhysicalSortExpr;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, common};
use datafusion::prelude::SessionContext;
use datafusion_distributed::{BroadcastExec, ProducerHead, TaskKey};
use futures::StreamExt;

use crate::support::{
    Agent, Consumer, Rows, Source, Transport, drain, fetched_plan, numbers, numbers_schema,
    source_plan,
};

const BUDGET_BYTES: usize = 1024 * 1024;
/// Long enough for the exchange to move this data many times over.
const PATIENCE: Duration = Duration::from_secs(5);

const BATCH_ROWS: i64 = 8192;
/// Each partition is 8 MiB: eight times the budget.
const BATCHES: i64 = 128;

/// Two sorted partitions: all numbers of the first are below those of the second.
async fn sorted_task(agent: &mut Agent) -> TaskKey {
    let partition = |first: i64| -> Vec<RecordBatch> {
        (0..BATCHES).map(|batch| numbers((first + batch) * BATCH_ROWS, BATCH_ROWS)).collect()
    };
    let partitions = vec![Source::batches(partition(0)), Source::batches(partition(BATCHES))];
    agent.set_task(&numbers_schema(), partitions).await
}

/// Rows of an ordered merge of both partitions, or none within the time.
async fn merge(transport: Transport) -> Option<usize> {
    let mut agent = Agent::start();
    let task = sorted_task(&mut agent).await;
    let consumer = Consumer::new(BUDGET_BYTES);
    let streams = agent.fetch(transport, task, 2, &consumer).await.unwrap();
    let order = PhysicalSortExpr::new_default(col("n", &numbers_schema()).unwrap());
    let input = fetched_plan(&numbers_schema(), streams);
    let merge = SortPreservingMergeExec::new([order].into(), input);
    let rows = merge.execute(0, SessionContext::new().task_ctx()).unwrap();
    let collected = tokio::time::timeout(PATIENCE, common::collect(rows)).await.ok()?.unwrap();
    Some(collected.iter().map(RecordBatch::num_rows).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_merge_hangs_over_the_stock_transport() {
    assert_eq!(merge(Transport::Stock).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ordered_merge_is_complete_over_the_exchange() {
    assert_eq!(merge(Transport::Ours).await, Some(2 * (BATCHES * BATCH_ROWS) as usize));
}

/// The rows of the second partition while the first is asked for and not read, then those of the first.
async fn second_before_first(transport: Transport) -> Option<(usize, usize)> {
    let mut agent = Agent::start();
    let task = sorted_task(&mut agent).await;
    let consumer = Consumer::new(BUDGET_BYTES);
    let mut streams = agent.fetch(transport, task, 2, &consumer).await.unwrap();
    let (mut second, mut first) = (streams.pop().unwrap(), streams.pop().unwrap());
    let begun = first.next().await.unwrap().unwrap().num_rows();
    let second = tokio::time::timeout(PATIENCE, drain(&mut second)).await.ok()?.unwrap();
    Some((begun + drain(&mut first).await.unwrap(), second))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unread_partition_starves_another_over_the_stock_transport() {
    assert_eq!(second_before_first(Transport::Stock).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unread_partition_starves_no_other_over_the_exchange() {
    let rows = (BATCHES * BATCH_ROWS) as usize;
    assert_eq!(second_before_first(Transport::Ours).await, Some((rows, rows)));
}

/// Ten rows, and then a panic.
fn panicking() -> Source {
    Source::new(|| {
        futures::stream::iter(0..2).map(|step| match step {
            0 => Ok(numbers(0, 10)),
            _ => panic!("the producer's own message"),
        })
    })
}

async fn panic_over(transport: Transport) -> datafusion::error::Result<usize> {
    let mut agent = Agent::start();
    let task = agent.set_task(&numbers_schema(), vec![panicking()]).await;
    let consumer = Consumer::new(BUDGET_BYTES);
    let mut streams: Vec<Rows> = agent.fetch(transport, task, 1, &consumer).await?;
    let reading = SpawnedTask::spawn(async move { drain(&mut streams[0]).await });
    reading.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_the_end_of_the_rows_over_the_stock_transport() {
    assert_eq!(panic_over(Transport::Stock).await.unwrap(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_an_error_over_the_exchange_a_hundred_times() {
    for _ in 0..100 {
        let error = panic_over(Transport::Ours).await.unwrap_err().to_string();
        assert!(error.contains("the producer's own message"), "{error}");
        assert!(error.contains("on agent 127.0.0.1:"), "{error}");
    }
}

/// The rows of one copy of a broadcast whose input panics.
async fn panic_below_broadcast(mut agent: Agent) -> datafusion::error::Result<usize> {
    let plan = BroadcastExec::new(source_plan(&numbers_schema(), vec![panicking()]), 1);
    let task = agent.set_plan(Arc::new(plan)).await;
    let consumer = Consumer::new(BUDGET_BYTES);
    let head = ProducerHead::BroadcastExec { output_partitions: 1 };
    let mut streams = agent.fetch_from(Transport::Ours, task, 1, head, &consumer).await?;
    drain(&mut streams[0]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_below_a_broadcast_is_the_end_of_the_rows() {
    assert_eq!(panic_below_broadcast(Agent::start()).await.unwrap(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_below_a_guarded_broadcast_is_an_error() {
    let error = panic_below_broadcast(Agent::start_guarded()).await.unwrap_err().to_string();
    assert!(error.contains("the producer's own message"), "{error}");
}
