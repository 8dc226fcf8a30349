//! How fast REGEX, GROK and formats of well-known systems become columns.
//!
//! `cargo bench -p gleam-sql-formats --bench expressions [-- ROUNDS]`. A line for each format and
//! list of columns: the median of the rounds, in MB of lines per second on one core, and in
//! nanoseconds per line.

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::hint::black_box;
use std::io::Write as _;
use std::time::{Duration, Instant};

use arrow_array::StringViewArray;
use gleam_sql_formats::{FormatSpec, LineParser};

const BATCH_ROWS: usize = 8192;
const BATCHES: usize = 8;

const REGEX: &str = r#"^(?<ip>\S+) \S+ (?<user>\S+) \[(?<ts>[^\]]+)\] "(?<method>\S+) (?<path>\S+) [^"]*" (?<status>\d{3}) (?<bytes>\d+|-)"#;
const GROK: &str = r#"%{IPORHOST:ip} %{USER:ident} %{USER:user} \[%{HTTPDATE:ts}\] "%{WORD:method} %{NOTSPACE:path} HTTP/%{NUMBER:version}" %{INT:status:int}"#;
/// Its numbers stand where the backtracking engine must look around.
const GROK_EXACT: &str = r#"^%{IPORHOST:ip} .*" %{NUMBER:status}\s%{NUMBER:bytes}\s"#;

/// A format, what makes its lines, and the columns of each measurement.
type Case = (FormatSpec, fn(usize) -> String, &'static [&'static str]);

fn main() {
    let rounds = std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(7);
    let named = |name| FormatSpec::named(name).unwrap();
    let cases: [Case; 6] = [
        (FormatSpec::Regex(REGEX.into()), access, &["", "ip", "ip status"]),
        (FormatSpec::Grok(GROK.into()), access, &["", "ip", "ip status"]),
        (FormatSpec::Grok("%{COMBINEDAPACHELOG}".into()), access, &["", "clientip"]),
        (FormatSpec::Grok(GROK_EXACT.into()), access, &["ip"]),
        (named("NGINX_ERROR"), nginx, &["", "level", "level message"]),
        (named("LOG4J"), log4j, &["", "level", "level message"]),
    ];
    for (format, line, selections) in cases {
        let batches = batches(line);
        for names in selections {
            report(&format, Some(names), &batches, rounds);
        }
        report(&format, None, &batches, rounds);
    }
}

/// Parses into the columns of some names as text, or into all of them with their types.
fn report(format: &FormatSpec, names: Option<&str>, batches: &[StringViewArray], rounds: usize) {
    let mut columns = format.columns().unwrap().unwrap();
    if let Some(names) = names {
        columns.retain(|column| names.split(' ').any(|name| name == column.name));
    }
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
    let label = match names {
        None => "all columns",
        Some("") => "no column",
        Some(names) => names,
    };
    let text: String = format.text().unwrap_or_default().chars().take(20).collect();
    let name = format!("{} {text}", format.keyword());
    let mut output = std::io::stdout();
    // Nobody is told when nobody reads.
    let _ = writeln!(output, "{name:28} {label:16} {rate:7.0} MB/s {line:7.0} ns/line");
}

fn median(rounds: usize, mut run: impl FnMut()) -> Duration {
    run();
    let mut times: Vec<Duration> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

fn batches(line: fn(usize) -> String) -> Vec<StringViewArray> {
    let batch =
        |number: usize| (0..BATCH_ROWS).map(move |row| Some(line(number * BATCH_ROWS + row)));
    (0..BATCHES).map(|number| batch(number).collect()).collect()
}

fn access(number: usize) -> String {
    let (host, minute, status) = (number % 251, number % 60, [200, 304, 404][number % 3]);
    format!(
        r#"192.0.2.{host} - - [16/Nov/2026:10:{minute:02}:03 +0000] "GET /talks/query-{number}/images/plan-of-a-query.png HTTP/1.1" {status} {number} "http://www.example.com/talks/{number}/" "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36""#
    )
}

fn nginx(number: usize) -> String {
    let (host, minute) = (number % 251, number % 60);
    format!(
        r#"2024/01/02 10:{minute:02}:03 [error] 1234#5678: *{number} open() "/var/www/html/images/{number}.png" failed (2: No such file or directory), client: 192.0.2.{host}, server: example.com, request: "GET /images/{number}.png HTTP/1.1", host: "example.com""#
    )
}

fn log4j(number: usize) -> String {
    let minute = number % 60;
    format!(
        "2015-07-29 17:{minute:02}:44,747 - INFO  [QuorumPeer[myid=1]/0:0:0:0:0:0:0:0:2181:FastLeaderElection@774] - Notification time out: {number}"
    )
}
