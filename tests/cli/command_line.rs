//! Arguments, streams, formats and exit statuses.

use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

use crate::support::{AccessLog, Place, fails, processes};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn version_and_help() {
    let place = Place::new();
    let finished = place.gleam().arg("--version").run();
    finished.success();
    assert_eq!(finished.text(), format!("gleam-sql {}\n", env!("CARGO_PKG_VERSION")));
    for flag in ["--help", "-h"] {
        let finished = place.gleam().arg(flag).run();
        finished.success();
        for word in ["Usage:", "--file", "--command", "--format", "Examples:", "PIPE", "LUA"] {
            assert!(finished.text().contains(word), "{flag} lacks {word}");
        }
    }
}

#[test]
fn sql_from_standard_input() {
    let place = Place::with("x", "a\nb\n");
    let check = |sql: &str, expected: &str| {
        let finished = place.gleam().input(sql).run();
        finished.success();
        assert_eq!(finished.text(), expected, "{sql}");
    };
    check("SELECT count(*) AS n FROM 'x'", "n\n2\n");
    check("SELECT 1 AS a; SELECT 2 AS b;\n", "a\n1\nb\n2\n");
    check("-- nothing\n", "");
    check("", "");
    check(";;", "");
    check("FROM 'x'\n|> PIPE 'cat'\n|> ORDER BY line DESC\n;", "line\nb\na\n");
    let finished = place.gleam().input("SELECT count(*) FROM stdin").run();
    finished.code(2).says(&["standard input is where the SQL comes from", "--> <stdin>", "^^^^^"]);
}

#[test]
fn scripts_and_commands_run_in_the_order_of_the_command_line() {
    let place = Place::with("one.sql", "SELECT 1 AS one");
    place.write("three.sql", "SELECT 3 AS three;\nSELECT 4 AS four;\n");
    let finished = place
        .gleam()
        .arg("-f")
        .arg("one.sql")
        .arg("-c")
        .arg("SELECT 2 AS two;")
        .arg("--file=three.sql")
        .arg("--command")
        .arg("SELECT 5 AS five")
        .run();
    finished.success();
    assert_eq!(finished.text(), "one\n1\ntwo\n2\nthree\n3\nfour\n4\nfive\n5\n");
}

#[test]
fn tables_and_settings_outlive_their_statement() {
    let place = Place::with("x", "a\nb\n");
    let finished = place
        .sql("CREATE VIEW v AS FROM 'x' |> PIPE 'tr a-z A-Z'; SET gleam.operator_timeout = '1s'")
        .arg("-c")
        .arg("FROM v |> ORDER BY line; FROM v |> PIPE 'sleep 1000'")
        .run();
    finished.code(1).says(&["error: PIPE failed: no progress for 1 s"]);
    assert_eq!(finished.text(), "line\nA\nB\n");
}

#[test]
fn settings_can_be_looked_at() {
    let finished =
        Place::new().sql("SET gleam.operator_timeout = '10m'; SHOW gleam.operator_timeout").run();
    finished.success();
    assert_eq!(finished.rows(), ["gleam.operator_timeout,10m"]);
}

#[test]
fn the_first_error_ends_the_run() {
    let place = Place::with("x", "a\n");
    place.write("bad.sql", "SELECT 2 AS b;\nSELECT nosuch;\nSELECT 3 AS c;\n");
    let check = |code: i32, error: &str, statements: [&str; 3]| {
        let finished = place.sql(statements.join(";")).run();
        finished.code(code).says(&["error: ", error]);
        assert_eq!(finished.text(), "a\n1\n", "{statements:?}");
        let finished =
            statements.iter().fold(place.gleam(), |gleam, sql| gleam.arg("-c").arg(sql)).run();
        finished.code(code).says(&["error: ", error]);
        assert_eq!(finished.text(), "a\n1\n", "{statements:?}");
    };
    check(2, "nosuch", ["SELECT 1 AS a", "SELECT nosuch", "SELECT 3 AS c"]);
    check(2, "expected", ["SELECT 1 AS a", "SELECT FROM WHERE", "SELECT 3 AS c"]);
    check(1, "exit 3", ["SELECT 1 AS a", "FROM 'x' |> PIPE 'exit 3'", "SELECT 3 AS c"]);
    let finished =
        place.sql("SELECT 1 AS a").arg("-f").arg("bad.sql").arg("-c").arg("SELECT 4").run();
    finished.code(2).says(&["--> bad.sql:2:8"]);
    assert_eq!(finished.text(), "a\n1\nb\n2\n");
}

#[test]
fn exit_statuses() {
    let place = Place::with("x", "a\n");
    let check = |sql: &str, code: i32| {
        place.sql(sql).run().code(code);
    };
    check("SELECT 1", 0);
    check("FROM 'x' |> PIPE 'exit 3'", 1);
    check("FROM 'x' |> MAP LUA 'function(line) error(\"no\") end' AS (x)", 1);
    check("SELECT 1 / 0", 1);
    check("SELECT CAST(line AS INT) FROM 'x'", 1);
    check("SELECT", 2);
    check("SELECT nosuch FROM 'x'", 2);
    check("SELECT 1 FROM nosuch", 2);
    check("SELECT 1 FROM 'nosuch'", 2);
    check("SELECT 'unfinished", 2);
    check("FROM 'x' |> PARSE COMBINE", 2);
    check("FROM 'x' |> MAP LUA 'function(' AS (x)", 2);
    check("SET gleam.nosuch = 1", 2);
    check("SET gleam.operator_timeout = 'soon'", 2);
    for arguments in
        [&["--nosuch"][..], &["-c"], &["--format", "xml", "-c", "SELECT 1"], &["x.sql"]]
    {
        let gleam = arguments.iter().fold(place.gleam(), |gleam, argument| gleam.arg(argument));
        let finished = gleam.run();
        finished.code(2);
        assert!(!finished.stderr.is_empty() && finished.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn scripts_that_cannot_be_read() {
    let place = Place::with("latin1.sql", b"SELECT 1;\nSELECT '\xe9'");
    let check = |file: &str, reason: &str| {
        let finished = place.gleam().arg("-f").arg(file).run();
        finished.code(2).says(&["error: ", file, reason]);
        assert_eq!(finished.text(), "");
    };
    check("nosuch.sql", "No such file");
    check(".", "directory");
    check("latin1.sql", "line 2 is not UTF-8");
}

#[test]
fn each_format() {
    let place = Place::new();
    let rows = "SELECT * FROM (VALUES (1, 'a,\"b', 1.5, TRUE), (2, NULL, NULL, FALSE), \
                (3, 'x' || chr(9) || chr(10), -1, NULL)) AS t(i, s, f, b) ORDER BY i";
    let check = |format: &str, expected: &str| {
        let finished = place.sql(rows).format(format).run();
        finished.success();
        assert_eq!(finished.text(), expected, "{format}");
    };
    check("csv", "i,s,f,b\n1,\"a,\"\"b\",1.5,true\n2,,,false\n3,\"x\t\n\",-1.0,\n");
    check("tsv", "i\ts\tf\tb\n1\ta,\"b\t1.5\ttrue\n2\t\\N\t\\N\tfalse\n3\tx\\t\\n\t-1.0\t\\N\n");
    check(
        "ndjson",
        "{\"i\":1,\"s\":\"a,\\\"b\",\"f\":1.5,\"b\":true}\n\
         {\"i\":2,\"s\":null,\"f\":null,\"b\":false}\n\
         {\"i\":3,\"s\":\"x\\t\\n\",\"f\":-1.0,\"b\":null}\n",
    );
    for format in ["table", "markdown", "json"] {
        let finished = place.sql(rows).format(format).run();
        finished.success();
        for word in ["a,", "1.5", "true", "false", "-1.0"] {
            assert!(finished.text().contains(word), "{format}\n{}", finished.text());
        }
    }
    let finished = place.sql("SELECT 1 AS a, 'é' AS b").format("markdown").run();
    finished.success();
    let cells: Vec<Vec<&str>> = finished
        .text()
        .lines()
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    assert_eq!((cells[0].as_slice(), cells[2].as_slice()), (&["a", "b"][..], &["1", "é"][..]));
    let finished = place.sql("SELECT 1 AS a WHERE FALSE").format("json").run();
    finished.success();
    assert_eq!(finished.text().split_whitespace().collect::<String>(), "[]");
}

#[test]
fn csv_is_the_format_of_a_pipe() {
    let finished = Place::new().sql("SELECT 1 AS a, 'x y' AS b").run();
    finished.success();
    assert_eq!(finished.text(), "a,b\n1,x y\n");
}

#[test]
fn a_reader_that_has_enough_is_a_normal_end() {
    let place = Place::with("big.log", AccessLog::new(3000).text().repeat(10));
    for operators in [
        "",
        "|> PIPE 'cat'",
        "|> PIPE 'yes'",
        "|> MAP LUA 'function(line) return line end' AS (line)",
        "|> FLATMAP LUA 'function(line) for i = 1, 1e12 do emit(i) end end' AS (i BIGINT)",
    ] {
        for format in ["csv", "tsv", "json", "ndjson", "table", "markdown"] {
            let sql = format!("FROM 'big.log' {operators}");
            let mut running = place.sql(&sql).format(format).start();
            assert_ne!(running.read_line(), "", "{sql}");
            running.close_output();
            let finished = running.finish(SOON);
            finished.code(0);
            assert_eq!(finished.stderr, "", "{sql} --format {format}");
        }
    }
}

/// The statements behind it are not run: nobody would see what they say.
#[test]
fn a_reader_that_has_enough_ends_the_whole_run() {
    let place = Place::with("big.log", AccessLog::new(3000).text().repeat(10));
    place.write("x", "a\n");
    let mut running = place.sql("FROM 'big.log'; FROM 'x' |> PIPE 'touch made; cat'").start();
    running.read_line();
    running.close_output();
    running.finish(SOON).success();
    assert!(!place.path("made").exists());
}

#[test]
fn a_full_disk_is_an_error() {
    let place = Place::with("big.log", AccessLog::new(3000).text());
    for sql in ["SELECT 1", "FROM 'big.log'", "FROM 'big.log' |> PIPE 'cat'"] {
        for format in ["csv", "json", "table"] {
            let full = File::options().write(true).open("/dev/full").expect("/dev/full is there");
            let finished = place.sql(sql).format(format).start_into(full.into()).finish(SOON);
            finished.code(1).says(&["error: ", "No space left"]);
        }
    }
}

/// What cannot be said does not change the exit status.
#[test]
fn nobody_listens_on_stderr() {
    let place = Place::with("x", b"a\xff\n");
    for (sql, code) in [
        ("SELECT nosuch", 2),
        ("SELECT line FROM 'x'", 0),
        ("FROM 'x' |> PIPE 'exit 3'", 1),
        ("FROM 'x' |> PIPE 'cat' |> MAP LUA 'function(line) error(1) end' AS (x)", 1),
    ] {
        let finished = place.sql(sql).errors_into("/dev/full").run();
        assert_eq!(finished.code, Some(code), "{sql}\n{}", finished.shown());
    }
}

#[test]
fn copy_writes_a_file_and_says_when_it_cannot() {
    let place = Place::with("x", "a\nb\n");
    let finished = place.sql("COPY (FROM 'x' |> PIPE 'tac') TO 'out.csv'").run();
    finished.success();
    let written = std::fs::read_to_string(place.path("out.csv")).expect("it was written");
    assert_eq!(written, "line\nb\na\n");
    fails(&place, "COPY (FROM 'x' |> PIPE 'cat; exit 3') TO 'no.csv'", 1, &["status 3"]);
    let finished = place.sql("COPY (FROM 'x') TO '/proc/nosuch/out.csv'").run();
    assert!(matches!(finished.code, Some(1 | 2)), "{}", finished.shown());
    finished.says(&["error: ", "/proc/nosuch"]);
}

#[test]
fn rows_come_as_they_arrive() {
    for operators in [
        "",
        "|> PIPE 'cat'",
        "|> PIPE 'grep --line-buffered .' |> PIPE 'cat'",
        "|> MAP LUA 'function(line) return line end' AS (line)",
        "|> FILTER LUA 'function(line) return true end' |> PIPE 'cat'",
        "|> EXTEND upper(line) AS u |> SELECT line",
    ] {
        check_arrival(operators);
    }
}

#[test]
fn rows_come_as_they_arrive_behind_a_where() {
    check_arrival("|> WHERE length(line) > 1");
    check_arrival("|> WHERE line LIKE '%s%'");
    check_arrival("|> PIPE 'cat' |> WHERE line LIKE '%s%'");
}

#[track_caller]
fn check_arrival(operators: &str) {
    let place = Place::new();
    for format in ["csv", "ndjson"] {
        let sql = format!("FROM stdin |> SELECT line {operators}");
        let mut running = place.sql(&sql).format(format).held_input().start();
        running.write("first\n");
        // The rest of the input is not there yet.
        let mut line = running.read_line();
        if line == "line\n" {
            line = running.read_line();
        }
        assert!(line.contains("first"), "{sql} {format}: {line:?}");
        running.write("second\n");
        assert!(running.read_line().contains("second"), "{sql} {format}");
        running.close_input();
        running.finish(SOON).success();
    }
}

#[test]
fn stdout_is_for_data_and_stderr_for_words() {
    let place = Place::with("bad", b"a\xff\nb\n");
    let finished = place.sql("SELECT count(line) FROM (SELECT DISTINCT line FROM 'bad')").run();
    finished.code(0).says(&["warning: 1 line was not UTF-8"]);
    assert_eq!(finished.rows(), ["2"]);
    let finished = fails(&place, "FROM 'bad' |> PIPE 'exit 3'", 1, &["exit 3"]);
    assert!(finished.text().is_empty() || finished.text() == "line\n", "{}", finished.shown());
}

/// Nobody reads, so memory must not grow with what is to be written.
#[test]
fn a_slow_reader_does_not_fill_the_memory() {
    let place = Place::with("x", "a\n");
    for operator in [
        "PIPE 'yes'",
        "FLATMAP LUA 'function(line) for i = 1, 1e12 do emit(\"yyyyyyyyyyyyyyyyyyy\") end end' AS (x)",
    ] {
        let mut running = place.sql(format!("FROM 'x' |> {operator}")).start();
        for _ in 0..100_000 {
            running.read_line();
        }
        // Everything is in flow and stands still now: what is buffered has its full size.
        let peak = processes::peak_memory_bytes(running.id());
        assert!(peak > 0 && peak < 400_000_000, "{operator}: {peak} bytes");
        running.close_output();
        running.finish(SOON).success();
    }
}

#[test]
fn no_stdout_at_all() {
    let finished = Place::new().sql("SELECT 1").start_into(Stdio::null()).finish(SOON);
    finished.success();
}
