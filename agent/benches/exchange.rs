//! The exchange beside the transport of datafusion-distributed: the same batches over loopback, in turn.
//!
//! `cargo bench -p gleam-sql-agent --bench exchange [-- ROUNDS]`. A line for each kind of rows and each
//! compression: the median of both throughputs, in bytes of rows, their ratio, and the messages.

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

#[path = "../tests/exchange/support.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod support;

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::arrow::array::{
    Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringViewArray,
};
use datafusion::common::runtime::JoinSet;
use support::{Agent, Consumer, Source, Transport, drain, numbers};

const BATCH_ROWS: i64 = 8192;
const PARTITIONS: usize = 2;
const BUDGET_BYTES: usize = 64 * 1024 * 1024;
const BYTES_A_ROUND: usize = 1 << 30;

struct Workload {
    name: &'static str,
    batch: RecordBatch,
}

struct Run {
    elapsed: Duration,
    frames: usize,
    grants: usize,
}

fn main() {
    let rounds = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(5);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut output = std::io::stdout();
    for compression in ["none", "lz4"] {
        for workload in workloads() {
            let line = runtime.block_on(compare(&workload, compression, rounds));
            writeln!(output, "{line}").unwrap();
        }
    }
}

fn workloads() -> Vec<Workload> {
    vec![
        Workload { name: "one column of numbers", batch: numbers(0, BATCH_ROWS) },
        Workload { name: "three columns", batch: mixed() },
        Workload { name: "lines of 237 bytes", batch: lines() },
    ]
}

fn mixed() -> RecordBatch {
    let words = (0..BATCH_ROWS).map(|n| format!("word {}", n * 7919 % 1000));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("n", Arc::new(Int64Array::from_iter_values((0..BATCH_ROWS).map(|n| n * 7919 % 100_003)))),
        ("f", Arc::new(Float64Array::from_iter_values((0..BATCH_ROWS).map(|n| n as f64 / 7.0)))),
        ("s", Arc::new(StringViewArray::from_iter_values(words))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

fn lines() -> RecordBatch {
    let line = |n: i64| {
        let start = format!(
            "10.0.{}.{} - - [{n}] \"GET /page/{n} HTTP/1.1\" 200 {}",
            n % 256,
            n % 251,
            n * 31
        );
        format!("{start:x<237}")
    };
    let column: ArrayRef = Arc::new(StringViewArray::from_iter_values((0..BATCH_ROWS).map(line)));
    RecordBatch::try_from_iter([("line", column)]).unwrap()
}

async fn compare(workload: &Workload, compression: &str, rounds: usize) -> String {
    let batch_bytes: usize =
        workload.batch.columns().iter().map(|column| column.get_array_memory_size()).sum();
    let batches = BYTES_A_ROUND / PARTITIONS / batch_bytes;
    let (mut stock, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        stock.push(run(Transport::Stock, workload, batches, compression).await);
        ours.push(run(Transport::Ours, workload, batches, compression).await);
    }
    let rate = |runs: &mut Vec<Run>| {
        runs.sort_by_key(|run| run.elapsed);
        let median = runs[runs.len() / 2].elapsed;
        (PARTITIONS * batches * batch_bytes) as f64 / 1e6 / median.as_secs_f64()
    };
    let (stock, ours_rate) = (rate(&mut stock), rate(&mut ours));
    let last = &ours[ours.len() / 2];
    format!(
        "{compression:>4}, {:<22} stock {stock:6.0} MB/s, exchange {ours_rate:6.0} MB/s, ratio {:.2}; \
         {} frames, {} grants ({:.2} %)",
        workload.name,
        ours_rate / stock,
        last.frames,
        last.grants,
        100.0 * last.grants as f64 / last.frames as f64,
    )
}

async fn run(transport: Transport, workload: &Workload, batches: usize, compression: &str) -> Run {
    let mut agent = Agent::start();
    let batch = workload.batch.clone();
    let source = Source::new(move || {
        let batch = batch.clone();
        futures::stream::iter((0..batches).map(move |_| Ok(batch.clone())))
    });
    let partitions = vec![source; PARTITIONS];
    let task = agent.set_task(&workload.batch.schema(), partitions).await;
    let consumer = Consumer::with(BUDGET_BYTES, compression);
    let began = Instant::now();
    let mut reading = JoinSet::new();
    for mut rows in agent.fetch(transport, task, PARTITIONS, &consumer).await.unwrap() {
        reading.spawn(async move { drain(&mut rows).await.unwrap() });
    }
    let rows: usize = reading.join_all().await.into_iter().sum();
    let elapsed = began.elapsed();
    assert_eq!(rows, PARTITIONS * batches * workload.batch.num_rows());
    let (frames, grants) = (consumer.metric("frames_received"), consumer.metric("grants_sent"));
    Run { elapsed, frames, grants }
}
