//! How fast JSON, LOGFMT and SYSLOG become columns, and how fast times are recognised.
//!
//! `cargo bench -p gleam-sql-formats --bench keyed [-- ROUNDS]`. A line for each format and list of
//! columns: the median of the rounds, in MB of lines per second on one core, and in nanoseconds per
//! line. Behind them a line for each form of time.

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use arrow_array::StringViewArray;
use gleam_sql_formats::{ColumnSpec, FormatSpec, LineParser, TimestampFormat};

const BATCH_ROWS: usize = 8192;
const BATCHES: usize = 16;

/// A format, what makes its lines, and the columns of each measurement.
type Case = (FormatSpec, fn(usize) -> String, &'static [&'static str]);

fn main() {
    let rounds = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(9);
    let mut output = std::io::stdout();
    let cases: [Case; 4] = [
        (FormatSpec::Json, json, &["", "status", "msg", "level status", "req.path"]),
        (FormatSpec::Logfmt, logfmt, &["", "status", "msg", "level status"]),
        (FormatSpec::Syslog, bsd, &["", "app", "app message", "ts app pid message"]),
        (FormatSpec::Syslog, ietf, &["", "app", "app message", "severity ts app message"]),
    ];
    for (format, line, selections) in cases {
        let batches = batches(line);
        for names in selections {
            let columns = names.split_whitespace().map(|name| column(&format, name)).collect();
            let label = if names.is_empty() { "no column" } else { names };
            report(&mut output, &format, label, columns, &batches, rounds);
        }
        report(&mut output, &format, "all columns", all(&format, &batches[0]), &batches, rounds);
    }
    times(&mut output, rounds);
}

/// A column as the format has it, or as it is discovered.
fn column(format: &FormatSpec, name: &str) -> ColumnSpec {
    let known = format.columns().unwrap().unwrap_or_default();
    known
        .into_iter()
        .map(dated)
        .find(|column| column.name == name)
        .unwrap_or(ColumnSpec::text(name))
}

fn all(format: &FormatSpec, sample: &StringViewArray) -> Vec<ColumnSpec> {
    let columns = format.columns().unwrap().unwrap_or_else(|| format.discover(sample));
    columns.into_iter().map(dated).collect()
}

fn dated(column: ColumnSpec) -> ColumnSpec {
    column.with_time(TimestampFormat::RecognisedBefore(1_720_000_000))
}

fn report(
    output: &mut impl std::io::Write,
    format: &FormatSpec,
    label: &str,
    columns: Vec<ColumnSpec>,
    batches: &[StringViewArray],
    rounds: usize,
) {
    let parser = LineParser::try_new(format, &columns).unwrap();
    let wanted: Vec<usize> = (0..columns.len()).collect();
    let elapsed = median(rounds, || {
        for batch in batches {
            let parsed = parser.parse(batch, &wanted, 1).unwrap();
            assert_eq!(parsed.failures.reasons, Vec::<String>::new());
            black_box(parsed);
        }
    });
    let bytes: usize = batches.iter().flat_map(|batch| batch.iter().flatten()).map(str::len).sum();
    let rate = bytes as f64 / elapsed.as_secs_f64() / 1e6;
    let line = elapsed.as_nanos() as f64 / (BATCH_ROWS * BATCHES) as f64;
    let name = format.keyword();
    writeln!(output, "{name:7} {label:24} {rate:7.0} MB/s {line:7.0} ns/line").unwrap();
}

fn times(output: &mut impl std::io::Write, rounds: usize) {
    const REPEATS: u32 = 100_000;
    let recognised = TimestampFormat::RecognisedBefore(1_720_000_000);
    let strftime = TimestampFormat::strftime("%Y-%m-%d %H:%M:%S").unwrap();
    let cases = [
        ("recognised", &recognised, "2024-01-02T10:05:03.123456Z"),
        ("recognised", &recognised, "2024-01-02 10:05:03"),
        ("recognised", &recognised, "17/May/2015:10:05:03 +0000"),
        ("recognised", &recognised, "Jun 14 15:16:01"),
        ("recognised", &recognised, "Sun Dec 04 04:47:44 2005"),
        ("recognised", &recognised, "081109 203615"),
        ("recognised", &recognised, "1700000000123"),
        ("strftime", &strftime, "2024-01-02 10:05:03"),
    ];
    for (name, format, text) in cases {
        let elapsed = median(rounds, || {
            for _ in 0..REPEATS {
                black_box(format.parse(black_box(text)).unwrap());
            }
        });
        let each = elapsed.as_nanos() as f64 / f64::from(REPEATS);
        writeln!(output, "{name:10} {text:30} {each:6.1} ns").unwrap();
    }
}

fn median(rounds: usize, mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..rounds.max(1))
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn batches(line: fn(usize) -> String) -> Vec<StringViewArray> {
    let batch = |batch: usize| {
        let lines = (0..BATCH_ROWS).map(|row| line(batch * BATCH_ROWS + row));
        StringViewArray::from_iter_values(lines)
    };
    (0..BATCHES).map(batch).collect()
}

const LEVELS: [&str; 4] = ["debug", "info", "info", "warning"];
const MESSAGES: [&str; 3] =
    ["request served", "connection to the database was lost, trying again in a second", "done"];
const PATHS: [&str; 3] = ["/", "/api/v1/items?page=2", "/images/logo.png"];

/// The same numbers for the same row, in no order.
fn number(row: usize, below: usize) -> usize {
    row.wrapping_mul(7919) % below
}

fn time(row: usize) -> String {
    let (minute, second, micros) = (number(row, 60), row % 60, number(row, 1_000_000));
    format!("2024-05-17T10:{minute:02}:{second:02}.{micros:06}Z")
}

fn json(row: usize) -> String {
    format!(
        "{{\"ts\":\"{}\",\"level\":\"{}\",\"logger\":\"http.server\",\"msg\":\"{}\",\
         \"req\":{{\"method\":\"GET\",\"path\":\"{}\",\"remote\":\"10.0.{}.{}\"}},\
         \"status\":{},\"bytes\":{},\"seconds\":0.{:06},\"cached\":{}}}",
        time(row),
        LEVELS[number(row, 4)],
        MESSAGES[number(row, 3)],
        PATHS[number(row, 3)],
        number(row, 256),
        row % 256,
        [200, 304, 404, 500][number(row, 4)],
        number(row, 100_000),
        number(row, 1_000_000),
        row.is_multiple_of(2),
    )
}

fn logfmt(row: usize) -> String {
    format!(
        "ts={} level={} logger=http.server msg=\"{}\" method=GET path=\"{}\" remote=10.0.{}.{} \
         status={} bytes={} seconds=0.{:06} cached={}",
        time(row),
        LEVELS[number(row, 4)],
        MESSAGES[number(row, 3)],
        PATHS[number(row, 3)],
        number(row, 256),
        row % 256,
        [200, 304, 404, 500][number(row, 4)],
        number(row, 100_000),
        number(row, 1_000_000),
        row.is_multiple_of(2),
    )
}

fn bsd(row: usize) -> String {
    format!(
        "Jun {:2} 10:{:02}:{:02} web{} sshd[{}]: Failed password for root from 10.0.{}.{} port {} ssh2",
        1 + row % 30,
        number(row, 60),
        row % 60,
        number(row, 9),
        1000 + number(row, 30_000),
        number(row, 256),
        row % 256,
        number(row, 65_536),
    )
}

fn ietf(row: usize) -> String {
    format!(
        "<{}>1 {} web{}.example.com app {} ID{} [origin@32473 software=\"app\" ip=\"10.0.0.{}\"] {}",
        number(row, 192),
        time(row),
        number(row, 9),
        1000 + number(row, 30_000),
        row % 50,
        row % 256,
        MESSAGES[number(row, 3)],
    )
}
