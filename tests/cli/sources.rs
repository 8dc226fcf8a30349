//! The same answers from the same lines, however they are kept.

use std::io::Write;
use std::path::Path;

use crate::support::log::csv;
use crate::support::{AccessLog, Gleam, Place, check, fails, succeeds};

const LINES: usize = 2_100;

/// Three questions that need every line, whole.
const QUESTIONS: &str = "
    SELECT count(*) FROM @;
    SELECT split_part(line, '\"', 3) AS s, count(*) AS n FROM @ GROUP BY s ORDER BY n DESC, s LIMIT 1;
    SELECT count(*), count(DISTINCT line), sum(length(line)), max(length(line)) FROM @;
    FROM @ |> MAP LUA 'function(line) return line:match(\"\\\" (%d+) \") end' AS (status)
      |> AGGREGATE count(*) AS n GROUP BY status |> ORDER BY n DESC, status;
    FROM @ |> PIPE 'cut -d\" \" -f9' AS (status)
      |> AGGREGATE count(*) AS n GROUP BY status |> ORDER BY n DESC, status;";

/// What they print, but for the headers.
fn answers(log: &AccessLog) -> Vec<String> {
    let lines = log.lines();
    let mut ends = std::collections::BTreeMap::<String, usize>::new();
    for line in &lines {
        let part = line.split('"').nth(2).expect("lines have quotes").to_owned();
        *ends.entry(part).or_default() += 1;
    }
    let most = ends.values().max().expect("there are lines");
    let (end, most) = ends.iter().find(|(_, count)| *count == most).expect("the maximum is of one");
    let lengths = || lines.iter().map(|line| line.chars().count());
    let distinct = lines.iter().collect::<std::collections::BTreeSet<_>>().len();
    let statuses = csv(&log.ranking(|request| request.status));
    let mut answers = vec![
        LINES.to_string(),
        format!("{end},{most}"),
        format!(
            "{LINES},{distinct},{},{}",
            lengths().sum::<usize>(),
            lengths().max().expect("there are lines")
        ),
    ];
    answers.extend(statuses.iter().cloned());
    answers.extend(statuses);
    answers
}

fn is_header(line: &str) -> bool {
    line.contains('(') || ["s,n", "status,n"].contains(&line)
}

/// `from` stands behind FROM.
#[track_caller]
fn check_answers(place: &Place, from: &str, log: &AccessLog) {
    check_gleam(place.sql(QUESTIONS.replace('@', from)), from, &answers(log));
}

#[track_caller]
fn check_gleam(gleam: Gleam, what: &str, expected: &[String]) {
    let finished = gleam.run();
    finished.success();
    let rows: Vec<&str> = finished.text().lines().filter(|line| !is_header(line)).collect();
    assert_eq!(rows, expected, "{what}");
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(text).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn xz(text: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(text).expect("memory takes everything");
    encoder.finish().expect("memory takes everything")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).expect("memory takes everything")
}

#[test]
fn plain_and_compressed() {
    let log = AccessLog::new(LINES);
    let text = log.text();
    let text = text.as_bytes();
    // Members end in the middle of lines.
    let (start, end) = text.split_at(text.len() / 3);
    let members = [gzip(start), gzip(b""), gzip(end)].concat();
    let frames = [zstd(start), zstd(end)].concat();
    let streams = [bzip2(start), bzip2(end)].concat();
    for (name, bytes) in [
        ("plain.log", text.to_vec()),
        ("one.log.gz", gzip(text)),
        ("members.log.gz", members),
        ("one.log.zst", zstd(text)),
        ("frames.zst", frames),
        ("one.bz2", bzip2(text)),
        ("streams.bz2", streams),
        ("one.xz", xz(text)),
        ("gzip under another name.txt", gzip(text)),
        ("zstd without any", zstd(text)),
        ("no newline at the end", text.trim_ascii_end().to_vec()),
        ("crlf.log", log.text().replace('\n', "\r\n").into_bytes()),
        ("crlf.gz", gzip(log.text().replace('\n', "\r\n").as_bytes())),
        ("crlf without the last", log.text().trim_end().replace('\n', "\r\n").into_bytes()),
    ] {
        let place = Place::with(name, bytes);
        check_answers(&place, &format!("'{name}'"), &log);
    }
}

#[test]
fn names_of_typed_files_as_text() {
    let log = AccessLog::new(LINES);
    for name in ["x.csv", "x.tsv", "x.json", "x.parquet", "x.csv.gz"] {
        let bytes = log.text().into_bytes();
        let bytes = if name.ends_with(".gz") { gzip(&bytes) } else { bytes };
        let place = Place::with(name, bytes);
        check_answers(&place, &format!("text('{name}')"), &log);
    }
}

#[test]
fn typed_files_by_their_names() {
    let place = Place::with("t.csv", "k,n\na,1\nb,2\n");
    check(&place, "SELECT sum(n) FROM 't.csv'", &[3]);
    place.write("t.tsv", "k\tn\na\t1\nb\t2\n");
    check(&place, "SELECT sum(n) FROM 't.tsv'", &[3]);
    place.write("t.ndjson", "{\"k\": \"a\", \"n\": 1}\n{\"k\": \"b\", \"n\": 2}\n");
    check(&place, "SELECT sum(n) FROM 't.ndjson'", &[3]);
    place.write("t.csv.gz", gzip(b"k,n\na,1\nb,2\n"));
    check(&place, "SELECT sum(n) FROM 't.csv.gz'", &[3]);
    check(&place, "SELECT count(*) FROM text('t.csv')", &[3]);
    check(
        &place,
        "FROM 't.csv' |> MAP LUA 'function(n, k) return k .. n * 2 end' AS (x) |> ORDER BY x",
        &["a2", "b4"],
    );
}

#[test]
fn split_in_seven_files() {
    let log = AccessLog::new(LINES);
    let place = Place::new();
    for (index, lines) in log.lines().chunks(LINES / 7).enumerate() {
        let text = lines.join("\n") + "\n";
        match index {
            5 => place.write("parts/5.log.gz", gzip(text.as_bytes())),
            // The last line of a file ends with it.
            6 => place.write("parts/6.log", text.trim_end()),
            _ => place.write(&format!("parts/{index}.log"), text),
        };
    }
    place.write("parts/other.txt", "not one of them\n");
    check_answers(&place, "'parts/*.log*'", &log);
    check_answers(&place, "'**/[0-6].log*'", &log);
    check(
        &place,
        "SELECT file, count(*), min(line_no), max(line_no) FROM 'parts/?.log*' GROUP BY file ORDER BY file",
        &(0..7)
            .map(|index| {
                let suffix = if index == 5 { ".gz" } else { "" };
                format!("parts/{index}.log{suffix},{n},1,{n}", n = LINES / 7)
            })
            .collect::<Vec<_>>(),
    );
}

#[test]
fn standard_input_in_all_ways() {
    let log = AccessLog::new(LINES);
    let place = Place::with("access.log", log.text());
    let packed = place.write("access.log.gz", gzip(log.text().as_bytes()));
    let expected = answers(&log);
    // It can be read once, so one question is asked at a time.
    let questions: Vec<&str> = QUESTIONS.split_inclusive(';').collect();
    for (input, compressed) in [("pipe", false), ("pipe", true), ("file", false), ("file", true)] {
        let mut rows = Vec::new();
        for (index, question) in questions.iter().enumerate() {
            let sql = question.replace('@', "stdin");
            let gleam = match index % 2 {
                0 => place.sql(&sql),
                _ => place.gleam().arg("-f").arg(place.write("q.sql", &sql)),
            };
            let gleam = match (input, compressed) {
                ("file", false) => gleam.input_file(place.path("access.log")),
                ("file", true) => gleam.input_file(&packed),
                (_, false) => gleam.input(log.text()),
                (_, true) => gleam.input(gzip(log.text().as_bytes())),
            };
            let finished = gleam.run();
            finished.success();
            rows.extend(finished.rows().into_iter().map(str::to_owned));
        }
        assert_eq!(rows, expected, "stdin from a {input}, compressed: {compressed}");
    }
}

#[test]
fn standard_input_is_called_stdin_and_is_read_once() {
    let place = Place::new();
    let finished = place.sql("SELECT file, line_no, line FROM stdin").input("a\r\nb").run();
    finished.success();
    assert_eq!(finished.text(), "file,line_no,line\nstdin,1,a\nstdin,2,b\n");
    let twice = "SELECT count(*) FROM stdin; SELECT count(*) FROM stdin";
    let finished = place.sql(twice).input("a\nb\n").run();
    finished.code(1).says(&["error: stdin can be read only once", "help: save it to a file"]);
    assert_eq!(finished.rows(), ["2"]);
}

#[test]
fn standard_input_may_be_closed_or_empty() {
    let place = Place::with("x", "a\n");
    let finished = place.sql("SELECT count(*) FROM stdin").run();
    finished.success();
    assert_eq!(finished.rows(), ["0"]);
    // Without descriptor 0 other queries work, children and all.
    let finished = place
        .sql("FROM 'x' |> PIPE 'cat' |> MAP LUA 'function(line) return line end' AS (line)")
        .closed_input()
        .run();
    finished.success();
    assert_eq!(finished.rows(), ["a"]);
}

/// Large enough to be read in ranges by several tasks.
#[test]
fn a_file_that_is_read_in_ranges() {
    const COPIES: usize = 60;
    let log = AccessLog::new(LINES);
    let text = log.text().repeat(COPIES);
    assert!(text.len() > 15_000_000);
    let place = Place::with("big.log", &text);
    let plan = succeeds(&place, "EXPLAIN SELECT line FROM 'big.log'").join("\n");
    assert!(plan.contains("big.log:0.."), "it is not read in ranges:\n{plan}");
    check(&place, "SELECT count(*) FROM 'big.log'", &[LINES * COPIES]);
    check(
        &place,
        "SELECT count(*), count(DISTINCT line_no), min(line_no), max(line_no) FROM 'big.log'",
        &[format!("{n},{n},1,{n}", n = LINES * COPIES)],
    );
    let statuses = log.ranking(|request| request.status);
    let expected: Vec<String> =
        statuses.iter().map(|(status, n)| format!("{status},{}", n * COPIES)).collect();
    for operator in [
        "MAP LUA 'function(line) return line:match(\"\\\" (%d+) \") end'",
        "PIPE 'cut -d\" \" -f9'",
    ] {
        let sql = format!(
            "FROM 'big.log' |> {operator} AS (status)
             |> AGGREGATE count(*) AS n GROUP BY status |> ORDER BY n DESC, status"
        );
        check(&place, &sql, &expected);
    }
    // Each number belongs to its line.
    let at = LINES * COPIES / 2 + 17;
    let line = log.lines()[(at - 1) % LINES].clone();
    let finished =
        place.sql(format!("SELECT line FROM 'big.log' WHERE line_no = {at}")).format("tsv").run();
    finished.success();
    assert_eq!(finished.rows(), [line]);
}

#[test]
fn an_empty_file() {
    let place = Place::with("empty.log", "");
    place.write("empty.log.gz", gzip(b""));
    for name in ["empty.log", "empty.log.gz", "*.log*"] {
        check(&place, &format!("SELECT count(*) FROM '{name}'"), &[0]);
        for operator in [
            "PIPE 'cat'",
            "PIPE 'grep x'",
            "MAP LUA 'function(line) return line end' AS (line)",
            "FILTER LUA 'function(line) return true end' |> SELECT line",
        ] {
            check::<&str>(&place, &format!("FROM '{name}' |> {operator}"), &[]);
        }
    }
}

#[test]
fn lines_at_the_edges() {
    let check = |text: &str, lines: &[&str]| {
        let place = Place::with("x", text);
        let finished = place.sql("SELECT '<' || line || '>' FROM 'x' ORDER BY line_no").run();
        finished.success();
        let shown: Vec<String> = lines.iter().map(|line| format!("<{line}>")).collect();
        assert_eq!(finished.rows(), shown, "{text:?}");
        check_children(&place, &shown);
    };
    fn check_children(place: &Place, shown: &[String]) {
        for operator in ["PIPE 'cat'", "MAP LUA 'function(line) return line end' AS (line)"] {
            let sql = format!("FROM 'x' |> {operator} |> SELECT '<' || line || '>'");
            crate::support::check(place, &sql, shown);
        }
    }
    check("\n", &[""]);
    check("\n\n", &["", ""]);
    check("a", &["a"]);
    check("a\n\nb", &["a", "", "b"]);
    check("\r\n", &[""]);
    check("a\r\n\r\nb\r\n", &["a", "", "b"]);
    check("  a\t\n\\N\n", &["  a\t", "\\N"]);
}

#[test]
fn odd_file_names() {
    for name in [
        "with space.log",
        "it's.log",
        "a#b.log",
        "100%.log",
        "a%20b.log",
        "caf\u{e9} \u{1f600}.log",
        "double\"quote.log",
        "semi;colon.log",
        "-c.log",
        "back\\slash.log",
        "q=1&r=2.log",
        "~x.log",
        "$HOME.log",
        "a:b.log",
    ] {
        let place = Place::with(name, "x\ny\n");
        let quoted = name.replace('\'', "''");
        let expected = format!("{name} 2");
        let sql =
            |from: &str| format!("SELECT file || ' ' || count(*) AS x FROM '{from}' GROUP BY file");
        for from in [quoted.as_str(), "*.log"] {
            let finished = place.sql(sql(from)).format("tsv").run();
            finished.success();
            let shown = expected.replace('\\', "\\\\");
            assert_eq!(finished.rows(), [shown], "{from}");
        }
        // An error in it names it, too.
        let failing =
            format!("FROM '{quoted}' |> MAP LUA 'function(line) error(\"boo\") end' AS (x)");
        fails(&place, &failing, 1, &["boo", &format!("at {name}:1")]);
    }
}

#[test]
fn names_with_glob_characters_can_be_had() {
    let place = Place::with("a[1].log", "x\n");
    check(&place, "SELECT count(*) FROM 'a[1].log'", &[1]);
    check(&place, "SELECT count(*) FROM 'a[[]1].log'", &[1]);
}

#[test]
fn absolute_paths_and_dots() {
    let place = Place::with("in/x.log", "a\n");
    let absolute = place.path("in/x.log").display().to_string();
    for name in ["in/x.log", "./in/x.log", "in/../in/x.log", &absolute] {
        check(&place, &format!("SELECT file FROM '{name}'"), &[name]);
    }
}

#[test]
fn three_thousand_files() {
    const FILES: usize = 3_000;
    let place = Place::new();
    for index in 0..FILES {
        place.write(&format!("d{}/{index}.log", index % 10), format!("{index}\n{index} again\n"));
    }
    check(
        &place,
        "SELECT count(*), count(DISTINCT file), max(line_no) FROM '**/*.log'",
        &[format!("{},{FILES},2", 2 * FILES)],
    );
    check(
        &place,
        "FROM 'd*/*.log' |> PIPE 'grep again' |> MAP LUA 'function(line)
           return line:match(\"%d+\") end' AS (n BIGINT)
         |> AGGREGATE count(*), count(DISTINCT n), sum(n)",
        &[format!("{FILES},{FILES},{}", FILES * (FILES - 1) / 2)],
    );
}

#[test]
fn symbolic_links_are_followed() {
    let place = Place::with("real/x.log", "a\n");
    std::os::unix::fs::symlink(Path::new("real/x.log"), place.path("link.log")).expect("a link");
    check(&place, "SELECT count(*) FROM 'link.log'", &[1]);
    check(&place, "SELECT file FROM '*.log'", &["link.log"]);
}
