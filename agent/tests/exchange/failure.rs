//! Errors of a producer, and an agent that goes away.

use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::physical_expr::Partitioning;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion_distributed::{MaybeEncoded, ProducerHead};
use futures::StreamExt;
use gleam_sql_agent::exchange::{AgentLost, RemoteFault};
use gleam_sql_executor::error::{OperatorError, OperatorFault};
use gleam_sql_executor::operator::{OperatorLabel, Place};
use tokio::sync::Notify;

use crate::support::{
    Agent, Consumer, Rows, Source, Transport, drain, find, numbers, numbers_schema, source_plan,
};

const BUDGET_BYTES: usize = 4 * 1024 * 1024;

fn failing(make: impl Fn() -> DataFusionError + Send + Sync + 'static) -> Source {
    let make = Arc::new(make);
    Source::new(move || {
        let make = Arc::clone(&make);
        futures::stream::iter(0..2).map(move |step| match step {
            0 => Ok(numbers(0, 10)),
            _ => Err(make()),
        })
    })
}

async fn first_error(agent: &mut Agent, partitions: Vec<Source>) -> DataFusionError {
    let count = partitions.len();
    let task = agent.set_task(&numbers_schema(), partitions).await;
    let consumer = Consumer::new(BUDGET_BYTES);
    let streams = agent.fetch(Transport::Ours, task, count, &consumer).await.unwrap();
    let mut all: Rows = futures::stream::select_all(streams).boxed();
    drain(&mut all).await.unwrap_err()
}

fn operator_error() -> DataFusionError {
    let label =
        OperatorLabel { keyword: "MAP LUA".to_owned(), place: Place { line: 3, column: 8 } };
    let fault = OperatorFault::Lua {
        message: "attempt to index a nil value".to_owned(),
        lua_line: Some(2),
        arguments: String::new(),
        hint: Some("check for nil".to_owned()),
    };
    OperatorError::new(&label, fault).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_keeps_its_operator_hint_and_place() {
    let mut agent = Agent::start();
    let error = first_error(&mut agent, vec![failing(operator_error)]).await;
    let fault = find::<RemoteFault>(&error).unwrap();
    assert_eq!(fault.message, "MAP LUA failed: attempt to index a nil value (Lua line 2)");
    assert_eq!(fault.hint.as_deref(), Some("check for nil"));
    assert_eq!(fault.operator.as_ref().unwrap().place, Place { line: 3, column: 8 });
    assert_eq!((fault.agent.as_str(), fault.stage, fault.task), (agent.name().as_str(), 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_that_passes_two_agents_names_the_first() {
    let mut agent = Agent::start();
    let inner = RemoteFault {
        message: "no space left".to_owned(),
        agent: "http://far:1".to_owned(),
        stage: 7,
        task: 3,
        hint: None,
        operator: None,
    };
    let passed = inner.clone();
    let error = first_error(&mut agent, vec![failing(move || passed.clone().into())]).await;
    assert_eq!(find::<RemoteFault>(&error), Some(&inner));
    let lost = AgentLost {
        agent: "http://far:1".to_owned(),
        stage: 7,
        task: 3,
        reason: "connection reset".to_owned(),
    };
    let passed = lost.clone();
    let shared = move || DataFusionError::Shared(Arc::new(passed.clone().into()));
    let error = first_error(&mut agent, vec![failing(shared)]).await;
    assert_eq!(find::<AgentLost>(&error), Some(&lost));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_partition_fails_all() -> Result<()> {
    let mut agent = Agent::start();
    let endless = Source::new(futures::stream::pending);
    let failing = failing(|| DataFusionError::Execution("out of luck".to_owned()));
    let task = agent.set_task(&numbers_schema(), vec![endless, failing]).await;
    let consumer = Consumer::new(BUDGET_BYTES);
    let mut streams = agent.fetch(Transport::Ours, task, 2, &consumer).await?;
    let mut second = streams.pop().unwrap();
    let (first, second) = tokio::join!(drain(&mut streams[0]), drain(&mut second));
    for error in [first.unwrap_err(), second.unwrap_err()] {
        assert!(error.to_string().contains("out of luck"), "{error}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_cut_in_the_middle_is_a_lost_agent() -> Result<()> {
    let mut agent = Agent::start();
    let pending = Source::new(|| {
        futures::stream::iter([Ok(numbers(0, 10))]).chain(futures::stream::pending())
    });
    let task = agent.set_task(&numbers_schema(), vec![pending]).await;
    let consumer = Consumer::new(BUDGET_BYTES);
    let mut streams = agent.fetch(Transport::Ours, task, 1, &consumer).await?;
    assert_eq!(streams[0].next().await.unwrap()?.num_rows(), 10);
    agent.kill();
    let error = drain(&mut streams[0]).await.unwrap_err();
    let lost = find::<AgentLost>(&error).unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!((lost.agent.as_str(), lost.stage, lost.task), (agent.name().as_str(), 1, 0));
    assert!(streams[0].next().await.is_none(), "a stream ends after its error");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_killed_while_rows_flow_is_lost_every_time() -> Result<()> {
    for taken in 0..10 {
        let mut agent = Agent::start();
        let flowing = Source::new(|| futures::stream::repeat_with(|| Ok(numbers(0, 8192))));
        let task = agent.set_task(&numbers_schema(), vec![flowing.clone(), flowing]).await;
        let consumer = Consumer::new(BUDGET_BYTES);
        let streams = agent.fetch(Transport::Ours, task, 2, &consumer).await?;
        let mut all: Rows = futures::stream::select_all(streams).boxed();
        for _ in 0..taken {
            all.next().await.unwrap()?;
        }
        agent.kill();
        let error = drain(&mut all).await.unwrap_err();
        assert!(find::<AgentLost>(&error).is_some(), "{error:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_partition_is_an_error_of_that_agent() {
    let mut agent = Agent::start();
    let task = agent.set_task(&numbers_schema(), vec![Source::batches(vec![])]).await;
    let consumer = Consumer::new(BUDGET_BYTES);
    let mut streams = agent.fetch(Transport::Ours, task, 3, &consumer).await.unwrap();
    let error = drain(&mut streams[2]).await.unwrap_err();
    let fault = find::<RemoteFault>(&error).unwrap();
    assert!(fault.message.contains("partition 1 not available"), "{fault}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_after_a_partition_was_dropped_still_fails_the_rest() -> Result<()> {
    let mut agent = Agent::start();
    let go = Arc::new(Notify::new());
    let gate = Arc::clone(&go);
    let panicking = Source::new(move || {
        let gate = Arc::clone(&gate);
        futures::stream::once(async move {
            gate.notified().await;
            panic!("too late")
        })
    });
    let quiet = Source::batches(vec![numbers(0, 1)]);
    let task = agent.set_task(&numbers_schema(), vec![quiet, panicking]).await;
    let consumer = Consumer::new(BUDGET_BYTES);
    let mut streams = agent.fetch(Transport::Ours, task, 2, &consumer).await?;
    let mut second = streams.pop().unwrap();
    drop(streams);
    go.notify_one();
    let error = drain(&mut second).await.unwrap_err();
    assert!(error.to_string().contains("too late"), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_below_a_repartition_keeps_its_message() -> Result<()> {
    let mut agent = Agent::start();
    let panicking = Source::new(|| futures::stream::once(async { panic!("deep below") }));
    let input = source_plan(&numbers_schema(), vec![panicking]);
    let plan = RepartitionExec::try_new(input, Partitioning::RoundRobinBatch(2))?;
    let task = agent.set_plan(Arc::new(plan.clone())).await;
    let consumer = Consumer::new(BUDGET_BYTES);
    let partitioning = MaybeEncoded::Decoded(plan.partitioning().clone());
    let head = ProducerHead::RepartitionExec { partitioning };
    let mut streams = agent.fetch_from(Transport::Ours, task, 2, head, &consumer).await?;
    let error = drain(&mut streams[1]).await.unwrap_err().to_string();
    assert!(error.contains("deep below"), "{error}");
    Ok(())
}
