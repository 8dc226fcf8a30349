//! Looks for lines that make a format panic, or that match only for some of its columns.
//!
//! `cargo run --release -p gleam-sql-formats --example fuzz -- SECONDS FORMAT [TEXT]`, where FORMAT is
//! a keyword of PARSE and TEXT what stands behind it. Lines of all kinds are cut, joined and changed
//! at random; a line that fails is in the message of the panic. Ends with the number of executions.

#![expect(clippy::unwrap_used, reason = "a panic is what is looked for")]

use std::io::Write as _;
use std::time::{Duration, Instant};

use arrow_array::StringViewArray;
use gleam_sql_formats::{FormatSpec, LineParser, TimestampFormat};

const BATCH_LINES: usize = 256;

/// Lines to begin with, and pieces of lines.
const SEEDS: [&str; 24] = [
    r#"127.0.0.1 - bob [17/May/2015:10:05:03 +0000] "GET /a?b=\"c\" HTTP/1.1" 200 512 "-" "UA (x)""#,
    r#"{"a":{"b":[1,2.5e-3,{"c":null}],"d":"\u00e9\ud83d\ude00\n"},"a.b":true,"t":"2024-01-02T10:05:03Z"}"#,
    r#"level=info msg="two \"words\"" n=5 flag empty= a.b=x"#,
    "<34>Oct 11 22:14:15 mymachine su[77]: 'su root' failed",
    "Jun  4 15:16:01 combo sshd(pam_unix)[19939]: failure; uid=0",
    r#"<165>1 2003-10-11T22:14:15.003Z h app 8710 ID47 [a@1 b="c\"\]"][d e="f"] An event"#,
    "[Sun Dec 04 04:47:44.123456 2005] [error] [client 10.0.0.1] mod_jk child",
    "2005/06/09 06:07:05 [error] 7#8: *9 open() failed, client: 10.0.0.1",
    "081109 203615 148 INFO dfs.DataNode$PacketResponder: block blk_38",
    "2015-07-29 17:41:44,747 - INFO  [main:Class@774] - message",
    "I0102 15:04:05.123456    7 file.go:12] message",
    "2024-01-02 10:05:03.123 UTC [77] LOG:  statement",
    "\u{feff}",
    "é",
    "😀",
    "\u{fffd}",
    "\0",
    "\t",
    "\\",
    "\"",
    "[[[[[[[[",
    "}}}}",
    "= = =\"",
    "1700000000",
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let seconds = words.first().and_then(|word| word.parse().ok()).unwrap_or(10);
    let keyword = words.get(1).map_or("JSON", String::as_str).to_uppercase();
    let spec = FormatSpec::from_parts(&keyword, words.get(2).map(String::as_str)).unwrap();
    let executions = fuzz(&spec, Duration::from_secs(seconds));
    let mut output = std::io::stdout();
    writeln!(output, "{keyword}: {executions} executions in {seconds} s").unwrap();
}

fn fuzz(spec: &FormatSpec, duration: Duration) -> u64 {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let start = Instant::now();
    let mut executions = 0;
    while start.elapsed() < duration {
        let lines: Vec<String> = (0..BATCH_LINES).map(|_| random.line()).collect();
        run(spec, &StringViewArray::from_iter_values(&lines));
        executions += BATCH_LINES as u64;
    }
    executions
}

/// Parses with all columns and with none of them wanted, which must fail on the same lines.
fn run(spec: &FormatSpec, lines: &StringViewArray) {
    let columns = spec.columns().unwrap().unwrap_or_else(|| spec.discover(lines));
    let dated = |column: gleam_sql_formats::ColumnSpec| {
        column.with_time(TimestampFormat::RecognisedBefore(1_720_000_000))
    };
    let columns: Vec<_> = columns.into_iter().map(dated).collect();
    let parser = LineParser::try_new(spec, &columns).unwrap();
    let wanted: Vec<usize> = (0..columns.len()).collect();
    let all = parser.parse(lines, &wanted, 1).unwrap();
    let none = parser.parse(lines, &[], 1).unwrap();
    assert_eq!(all.failures, none.failures, "{lines:?}");
    for column in &all.columns {
        column.to_data().validate_full().unwrap();
    }
}

/// Marsaglia's xorshift (<https://www.jstatsoft.org/article/view/v008i14>).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn line(&mut self) -> String {
        let mut line: Vec<char> = SEEDS[self.below(SEEDS.len())].chars().collect();
        for _ in 0..self.below(6) {
            self.change(&mut line);
        }
        line.into_iter().collect()
    }

    fn change(&mut self, line: &mut Vec<char>) {
        let at = self.below(line.len() + 1);
        let length = self.below(line.len() - at + 1).min(8);
        match self.below(5) {
            0 => drop(line.drain(at..at + length)),
            1 => {
                let copy = line[at..at + length].to_vec();
                let to = self.below(line.len() + 1);
                line.splice(to..to, copy);
            }
            2 => {
                let other = SEEDS[self.below(SEEDS.len())];
                line.splice(at..at + length, other.chars());
            }
            3 => line.insert(at, char::from(self.below(128) as u8)),
            _ => line.truncate(at.max(line.len() / 2)),
        }
    }
}
