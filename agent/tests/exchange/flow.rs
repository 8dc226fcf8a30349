//! Credit at work: what a consumer holds, and who stops when.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::error::Result;
use futures::StreamExt;
use tokio::sync::Notify;

use crate::support::{Agent, Consumer, Rows, Source, Transport, drain, numbers, numbers_schema};

const MIB: usize = 1024 * 1024;
const BATCH_ROWS: i64 = 8192;

/// `batches` batches of 64 KiB; `pulled` counts them.
fn counted(batches: usize, pulled: &Arc<AtomicUsize>) -> Source {
    let pulled = Arc::clone(pulled);
    Source::new(move || {
        let pulled = Arc::clone(&pulled);
        futures::stream::iter(0..batches).map(move |batch| {
            pulled.fetch_add(1, Ordering::SeqCst);
            Ok(numbers(batch as i64 * BATCH_ROWS, BATCH_ROWS))
        })
    })
}

/// Waits until the producers have said so many times that they wait for credit.
async fn stalls(consumer: &Consumer, count: usize) {
    while consumer.metric("credit_stalls") < count {
        tokio::task::yield_now().await;
    }
}

async fn fetch(
    agent: &Agent,
    task: datafusion_distributed::TaskKey,
    partitions: usize,
    consumer: &Consumer,
) -> Vec<Rows> {
    agent.fetch(Transport::Ours, task, partitions, consumer).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeping_consumer_holds_its_windows_and_no_more() -> Result<()> {
    const BATCHES: usize = 2000;
    let mut agent = Agent::start();
    let pulled = Arc::new(AtomicUsize::new(0));
    let partitions = vec![counted(BATCHES, &pulled), counted(BATCHES, &pulled)];
    let task = agent.set_task(&numbers_schema(), partitions).await;
    let consumer = Consumer::new(4 * MIB);
    let mut streams = fetch(&agent, task, 2, &consumer).await;
    let mut rows = 0;
    for stream in &mut streams {
        rows += stream.next().await.unwrap()?.num_rows();
    }
    stalls(&consumer, 2).await;
    let buffered = consumer.context.memory_pool().reserved();
    assert!(buffered > 3 * MIB && buffered <= 4 * MIB, "{buffered} bytes are held");
    let produced = pulled.load(Ordering::SeqCst) * 64 * 1024;
    assert!(produced < 6 * MIB, "{produced} bytes were produced");
    for stream in &mut streams {
        rows += drain(stream).await?;
    }
    assert_eq!(rows, 2 * BATCHES * BATCH_ROWS as usize);
    assert!(consumer.metric("max_buffered_bytes") <= 4 * MIB);
    assert_eq!(consumer.context.memory_pool().reserved(), 0);
    assert!(consumer.metric("time_stalled_for_credit") > 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_are_a_small_share_of_frames() -> Result<()> {
    let mut agent = Agent::start();
    let pulled = Arc::default();
    let partitions = vec![counted(4000, &pulled), counted(4000, &pulled)];
    let task = agent.set_task(&numbers_schema(), partitions).await;
    let consumer = Consumer::new(64 * MIB);
    let streams = fetch(&agent, task, 2, &consumer).await;
    let rows = futures::stream::select_all(streams);
    let count = rows.fold(0, async |count, batch| count + batch.unwrap().num_rows()).await;
    assert_eq!(count, 8000 * BATCH_ROWS as usize);
    let (grants, frames) = (consumer.metric("grants_sent"), consumer.metric("frames_received"));
    assert_eq!(frames, 8000);
    assert!(grants * 50 < frames, "{grants} grants for {frames} frames");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_produced_before_it_is_asked_for() -> Result<()> {
    let mut agent = Agent::start();
    let (first, second) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let partitions = vec![counted(10, &first), counted(10, &second)];
    let task = agent.set_task(&numbers_schema(), partitions).await;
    let consumer = Consumer::new(4 * MIB);
    let mut streams = fetch(&agent, task, 2, &consumer).await;
    assert_eq!(drain(&mut streams[0]).await?, 10 * BATCH_ROWS as usize);
    assert_eq!(second.load(Ordering::SeqCst), 0);
    assert_eq!(drain(&mut streams[1]).await?, 10 * BATCH_ROWS as usize);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_partition_ends_it_at_the_producer_and_no_other() -> Result<()> {
    let mut agent = Agent::start();
    let dropped = Arc::new(Notify::new());
    let partitions = vec![noticed(&dropped), counted(500, &Arc::default())];
    let task = agent.set_task(&numbers_schema(), partitions).await;
    let consumer = Consumer::new(2 * MIB);
    let mut streams = fetch(&agent, task, 2, &consumer).await;
    let mut second = streams.pop().unwrap();
    let mut first = streams.pop().unwrap();
    first.next().await.unwrap()?;
    drop(first);
    dropped.notified().await;
    assert_eq!(drain(&mut second).await?, 500 * BATCH_ROWS as usize);
    assert!(consumer.metric("max_buffered_bytes") <= 2 * MIB);
    assert_eq!(consumer.context.memory_pool().reserved(), 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_all_partitions_ends_the_call() -> Result<()> {
    for polls in [0, 1] {
        let mut agent = Agent::start();
        let dropped = Arc::new(Notify::new());
        let partitions = (0..2).map(|_| noticed(&dropped)).collect();
        let task = agent.set_task(&numbers_schema(), partitions).await;
        let consumer = Consumer::new(2 * MIB);
        let mut streams = fetch(&agent, task, 2, &consumer).await;
        for _ in 0..polls {
            streams[0].next().await.unwrap()?;
        }
        assert_eq!(agent.traffic.running_exchanges(), 1);
        assert_eq!(agent.traffic.running_tasks(), 1);
        drop(streams);
        dropped.notified().await;
        while agent.traffic.running_exchanges() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(agent.traffic.running_tasks(), 0);
        assert_eq!(consumer.context.memory_pool().reserved(), 0);
    }
    Ok(())
}

/// An endless stream that tells when it is dropped.
fn noticed(dropped: &Arc<Notify>) -> Source {
    struct Notice(Arc<Notify>);
    impl Drop for Notice {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }
    let dropped = Arc::clone(dropped);
    Source::new(move || {
        let notice = Notice(Arc::clone(&dropped));
        futures::stream::repeat_with(move || {
            let _ = &notice;
            Ok(numbers(0, BATCH_ROWS))
        })
    })
}
