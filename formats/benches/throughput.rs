//! How fast lines become columns, on one core, in MB of lines a second.
//!
//! `cargo bench -p gleam-sql-formats [-- ROUNDS [WORD]]`: a line for each case whose name holds the
//! word, of the median batch of all rounds and of the fastest tenth. Beside them what the memory
//! allows: newlines counted in the same bytes.

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

#[path = "throughput/lines.rs"]
mod lines;

use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use arrow_array::Array;
use gleam_sql_formats::{ColumnSpec, FormatSpec, LineParser};
use lines::Lines;

const LINES: usize = 262_144;
const PATTERN: &str =
    r#"<ip> - - [<ts>] "<method> <path> <protocol>" <status> <bytes> "<referer>" "<user_agent>""#;

struct Case {
    name: &'static str,
    format: FormatSpec,
    /// None for the columns of the format.
    columns: Option<Vec<ColumnSpec>>,
    /// The names of the columns that are wanted, or all.
    wanted: &'static [&'static str],
}

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with('-'));
    let rounds = words.next().and_then(|word| word.parse().ok()).unwrap_or(15);
    let filter = words.next().unwrap_or_default();
    let text = lines::access_log(LINES);
    let batches = lines::batches(&text);
    let mut output = std::io::stdout();
    let mut report = |name: &str, run: &mut dyn FnMut(&Lines)| {
        if name.contains(&filter) {
            let (median, fast) = measure(rounds, &batches, run);
            writeln!(output, "{name:<40} {median:>8.0} MB/s, a tenth from {fast:.0} on").unwrap();
        }
    };
    report("newlines counted by memchr", &mut |lines| {
        black_box(memchr::memchr_iter(b'\n', lines.text.as_bytes()).count());
    });
    for case in cases() {
        let (parser, wanted) = case.parser();
        report(case.name, &mut |lines| {
            let parsed = parser.parse(&lines.views, &wanted, 3).unwrap();
            assert!(parsed.failures.rows.is_empty(), "{:?}", parsed.failures.reasons);
            assert!(parsed.columns.iter().all(|column| column.len() == lines.views.len()));
            black_box(parsed);
        });
    }
}

fn cases() -> Vec<Case> {
    let case = |name, wanted| Case { name, format: FormatSpec::Combined, columns: None, wanted };
    let pattern = FormatSpec::Pattern(PATTERN.into());
    let mut typed = pattern.columns().unwrap().unwrap();
    for column in &mut typed {
        *column = match column.name.as_str() {
            "ts" => ColumnSpec::moment("ts"),
            "status" => ColumnSpec::new("status", arrow_schema::DataType::Int32),
            "bytes" => ColumnSpec::new("bytes", arrow_schema::DataType::Int64),
            _ => continue,
        };
    }
    vec![
        case("COMBINED, no column", &["-"]),
        case("COMBINED, status", &["status"]),
        case("COMBINED, status and bytes", &["status", "bytes"]),
        case("COMBINED, path and ts", &["path", "ts"]),
        case("COMBINED, all 11 columns", &[]),
        Case { format: pattern.clone(), ..case("PATTERN of texts, status", &["status"]) },
        Case {
            format: pattern.clone(),
            ..case("PATTERN of texts, status and bytes", &["status", "bytes"])
        },
        Case { format: pattern.clone(), ..case("PATTERN of texts, all 9 columns", &[]) },
        Case {
            format: pattern.clone(),
            columns: Some(typed.clone()),
            ..case("PATTERN with types, status and bytes", &["status", "bytes"])
        },
        Case {
            format: pattern,
            columns: Some(typed),
            ..case("PATTERN with types, all 9 columns", &[])
        },
    ]
}

impl Case {
    /// With the columns that are wanted.
    fn parser(&self) -> (LineParser, Vec<usize>) {
        let columns = match &self.columns {
            Some(columns) => columns.clone(),
            None => self.format.columns().unwrap().unwrap(),
        };
        let is_wanted = |slot: &usize| {
            self.wanted.is_empty() || self.wanted.contains(&columns[*slot].name.as_str())
        };
        let wanted = (0..columns.len()).filter(is_wanted).collect();
        (LineParser::try_new(&self.format, &columns).unwrap(), wanted)
    }
}

/// MB a second in the median batch, and in the one that only a tenth of the batches are faster than.
/// Batches take milliseconds, so that other work on the machine falls between them.
fn measure(rounds: usize, batches: &[Lines], run: &mut dyn FnMut(&Lines)) -> (f64, f64) {
    let mut speeds = Vec::with_capacity(rounds * batches.len());
    for _ in 0..rounds {
        for batch in batches {
            let start = Instant::now();
            run(batch);
            speeds.push(batch.text.len() as f64 / 1e6 / start.elapsed().as_secs_f64());
        }
    }
    speeds.sort_by(f64::total_cmp);
    (speeds[speeds.len() / 2], speeds[speeds.len() * 9 / 10])
}
