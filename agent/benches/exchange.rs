//! The exchange beside the transport of datafusion-distributed: the same batches over loopback, in turn.
//!
//! `cargo bench -p gleam-sql-agent --bench exchange [-- ROUNDS]`. A line for each kind of rows and each
//! compression: the medians of both throughputs, in bytes of rows, the ratios of throughput and of
//! processor time per byte (which other work on the machine disturbs less), and the messages. With
//! `-- sleep`: the memory of both sides, which are this process, while 10 GB want to come and the
//! consumer sleeps.

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
use futures::StreamExt;
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
    processor: Duration,
    frames: usize,
    grants: usize,
}

fn main() {
    let rounds = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(5);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut output = std::io::stdout();
    if std::env::args().any(|word| word == "sleep") {
        return runtime.block_on(sleep(&mut output));
    }
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
    let line = |n: u64| {
        let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let agent =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0";
        let start = format!(
            "10.{}.{}.{} - - [25/Nov/2026:22:{:02}:{:02} +0000] \"GET /item/{mixed:016x}?s={n} HTTP/1.1\" \
             200 {} \"https://example.org/{:x}\" \"{agent}\"",
            mixed >> 56,
            mixed >> 48 & 255,
            n % 251,
            n / 60 % 60,
            n % 60,
            mixed >> 44,
            mixed >> 20,
        );
        format!("{start:x<237}")
    };
    let lines = (0..BATCH_ROWS as u64).map(line);
    let column: ArrayRef = Arc::new(StringViewArray::from_iter_values(lines));
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
    let bytes = (PARTITIONS * batches * batch_bytes) as f64 / 1e6;
    let mut rate = |measure: fn(&Run) -> Duration| {
        let median = |runs: &mut Vec<Run>| {
            runs.sort_by_key(measure);
            bytes / measure(&runs[runs.len() / 2]).as_secs_f64()
        };
        (median(&mut stock), median(&mut ours))
    };
    let processor = rate(|run| run.processor);
    let elapsed = rate(|run| run.elapsed);
    let last = &ours[ours.len() / 2];
    format!(
        "{compression:>4}, {:<22} stock {:5.0} MB/s, exchange {:5.0} MB/s, ratio {:.2}, of processor \
         {:.2}; {} frames, {} grants ({:.2} %)",
        workload.name,
        elapsed.0,
        elapsed.1,
        elapsed.1 / elapsed.0,
        processor.1 / processor.0,
        last.frames,
        last.grants,
        100.0 * last.grants as f64 / last.frames as f64,
    )
}

/// What this process has used, of all cores.
fn processor_time() -> Duration {
    const TICKS_PER_SECOND: u64 = 100;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
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
    let (began, used) = (Instant::now(), processor_time());
    let mut reading = JoinSet::new();
    for mut rows in agent.fetch(transport, task, PARTITIONS, &consumer).await.unwrap() {
        reading.spawn(async move { drain(&mut rows).await.unwrap() });
    }
    let rows: usize = reading.join_all().await.into_iter().sum();
    let (elapsed, processor) = (began.elapsed(), processor_time() - used);
    assert_eq!(rows, PARTITIONS * batches * workload.batch.num_rows());
    let (frames, grants) = (consumer.metric("frames_received"), consumer.metric("grants_sent"));
    Run { elapsed, processor, frames, grants }
}

async fn sleep(output: &mut impl std::io::Write) {
    const BYTES: usize = 10_000_000_000;
    let batch = lines();
    let batches = BYTES / batch.get_array_memory_size();
    let mut agent = Agent::start();
    let rows = batch.num_rows() * batches;
    let schema = batch.schema();
    let source = Source::new(move || {
        let batch = batch.clone();
        futures::stream::iter((0..batches).map(move |_| Ok(batch.clone())))
    });
    let task = agent.set_task(&schema, vec![source]).await;
    let consumer = Consumer::with(BUDGET_BYTES, "none");
    let mut tell = |when: &str, consumer: &Consumer| {
        let (resident, queued) = (resident_mib(), consumer.context.memory_pool().reserved());
        writeln!(output, "{when:<28} {resident:4} MiB resident, {queued:8} bytes queued").unwrap();
    };
    tell("before", &consumer);
    let mut streams = agent.fetch(Transport::Ours, task, 1, &consumer).await.unwrap();
    let mut taken = streams[0].next().await.unwrap().unwrap().num_rows();
    while consumer.metric("credit_stalls") == 0 {
        tokio::task::yield_now().await;
    }
    tell("the producer waits", &consumer);
    tokio::time::sleep(Duration::from_secs(5)).await;
    tell("after five seconds of sleep", &consumer);
    taken += drain(&mut streams[0]).await.unwrap();
    tell("all rows have come", &consumer);
    assert_eq!(taken, rows);
    let most = consumer.metric("max_buffered_bytes");
    writeln!(output, "{BYTES} bytes; at most {most} were queued").unwrap();
}

fn resident_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() / 1024
}
