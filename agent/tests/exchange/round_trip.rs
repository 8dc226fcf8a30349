//! What goes in comes out.

use datafusion::arrow::compute::concat_batches;
use futures::TryStreamExt;

use crate::support::{Agent, Consumer, Source, Transport, numbers, numbers_schema};

const BUDGET_BYTES: usize = 64 * 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn rows_come_as_they_were() {
    let mut agent = Agent::start();
    let batches: Vec<_> = (0..100).map(|n| numbers(n * 8192, 8192)).collect();
    let partitions = vec![Source::batches(batches.clone()), Source::batches(vec![numbers(7, 1)])];
    let task = agent.set_task(&numbers_schema(), partitions).await;
    let consumer = Consumer::new(BUDGET_BYTES);
    let mut streams = agent.fetch(Transport::Ours, task, 2, &consumer).await.unwrap();
    let second: Vec<_> = streams.pop().unwrap().try_collect().await.unwrap();
    let first: Vec<_> = streams.pop().unwrap().try_collect().await.unwrap();
    let schema = numbers_schema();
    assert_eq!(concat_batches(&schema, &second).unwrap(), numbers(7, 1));
    let whole = concat_batches(&schema, &batches).unwrap();
    assert_eq!(concat_batches(&schema, &first).unwrap(), whole);
    assert_eq!(agent.traffic.bytes_out(), consumer.traffic.bytes_in());
    assert!(agent.traffic.bytes_out() > 8 * 819_200);
}
