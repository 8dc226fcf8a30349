//! What the ancestor got wrong (DESIGN.md, "What the ancestor does"): each is answered rightly.

use std::time::Duration;

use crate::support::log::csv;
use crate::support::{AccessLog, Place, check, check_as, fails, processes, succeeds, wait_until};

const SOON: Duration = Duration::from_secs(20);

/// It printed some words twice and others with too small a count.
#[test]
fn word_count_over_two_files() {
    let log = AccessLog::new(4000);
    let place = Place::new();
    let lines = log.lines();
    place.write("a.log", lines[..1500].join("\n") + "\n");
    place.write("b.log", lines[1500..].join("\n") + "\n");
    let expected = csv(&log.words());
    for words in [
        "FLATMAP LUA 'function(line) return line:gmatch(\"%w+\") end' AS (word)",
        "PIPE $$tr -cs 'A-Za-z0-9' '\\n' | grep .$$ AS (word)",
        "PIPE $$tr -cs 'A-Za-z0-9' '\\n' | grep . | sort$$ AS (word)",
    ] {
        let sql = format!(
            "FROM '*.log' |> {words} |> AGGREGATE count(*) AS n GROUP BY word |> ORDER BY n DESC, word"
        );
        let counts = succeeds(&place, &sql);
        if words.starts_with("FLATMAP") {
            check_as(&sql, counts, &expected);
        } else {
            // `é` is two bytes to tr and none to Lua's %w: the words are the same.
            check_as(&sql, counts, &expected);
        }
    }
    // A sum of partial sums, in two steps of grouping.
    check(
        &place,
        "FROM '*.log' |> FLATMAP LUA 'function(line) return line:gmatch(\"%w+\") end' AS (word)
         |> AGGREGATE count(*) AS n GROUP BY word |> AGGREGATE sum(n), count(*), count(DISTINCT word)",
        &[format!(
            "{},{words},{words}",
            log.words().iter().map(|(_, count)| count).sum::<usize>(),
            words = log.words().len()
        )],
    );
}

/// It took that for a failed task, tried three times, gave no rows and called it a success.
#[test]
fn a_grep_without_a_match_in_some_tasks() {
    let text = AccessLog::new(3000).text();
    let place = Place::with("big.log", format!("{}needle\n", text.repeat(10)));
    check(&place, "FROM 'big.log' |> PIPE 'grep needle'", &["needle"]);
    check::<&str>(&place, "FROM 'big.log' |> PIPE 'grep haystack'", &[]);
    check(&place, "FROM 'big.log' |> PIPE 'grep haystack' |> AGGREGATE count(*)", &[0]);
}

/// It passed silently, with some of the rows.
#[test]
fn exit_3_with_some_of_the_rows() {
    let place = Place::with("big.log", AccessLog::new(3000).text().repeat(10));
    for code in ["exit 3", "head -5; exit 3", "cat; exit 3", "cat | (head -5; exit 3)"] {
        let finished = fails(
            &place,
            &format!("FROM 'big.log' |> PIPE '{code}' |> AGGREGATE count(*)"),
            1,
            &["PIPE failed: `", "exited with status 3"],
        );
        assert!(!finished.text().contains(|c: char| c.is_ascii_digit()), "{}", finished.shown());
    }
    // In the last of many tasks only.
    let code = "awk '/the last line/ { exit 3 } { print }'";
    let place = Place::with("big.log", AccessLog::new(3000).text().repeat(10) + "the last line\n");
    fails(&place, &format!("FROM 'big.log' |> PIPE $${code}$$"), 1, &["status 3"]);
}

/// It dropped the rest of the file and succeeded.
#[test]
fn a_line_of_a_megabyte_does_not_end_the_file() {
    for bytes in [65_535, 65_536, 65_537, 1_000_000, 3_000_000] {
        let text = format!("first\n{}\nlast\n", "x".repeat(bytes));
        let place = Place::with("x", &text);
        check(&place, "SELECT length(line) FROM 'x' ORDER BY line_no", &[5, bytes, 4]);
        check(&place, "SELECT count(*) FROM 'x'", &[3]);
        check(
            &place,
            "FROM 'x' |> MAP LUA 'function(line_no, line) return line_no, #line end' AS (i INT, n INT)
             |> ORDER BY i |> SELECT n",
            &[5, bytes, 4],
        );
        let finished = place.sql("SELECT length(line) FROM stdin").input(&text).run();
        finished.success();
        assert_eq!(finished.rows(), ["5".to_owned(), bytes.to_string(), "4".to_owned()]);
    }
}

/// It hung.
#[test]
fn a_line_of_a_megabyte_from_a_command() {
    let place = Place::with("x", "a\n");
    for bytes in [65_536, 1_000_000, 3_000_000] {
        let code = format!("echo first; head -c {bytes} /dev/zero | tr \"\\0\" x; echo; cat");
        check(&place, &format!("FROM 'x' |> PIPE '{code}' |> SELECT length(line)"), &[5, bytes, 1]);
    }
    let text = format!("first\n{}\nlast\n", "x".repeat(1_000_000));
    let place = Place::with("x", text);
    check(
        &place,
        "FROM 'x' |> PIPE 'cat' |> PIPE 'cat' |> SELECT length(line)",
        &[5, 1_000_000, 4],
    );
}

/// It gave no result and exit 0, or hung.
#[test]
fn a_missing_file_and_a_lua_error() {
    let place = Place::with("x", "a\n");
    fails(&place, "SELECT count(*) FROM 'nosuch.log'", 2, &["no such file: nosuch.log"]);
    fails(&place, "SELECT count(*) FROM '*.nosuch'", 2, &["no file matches"]);
    let failing = "MAP LUA 'function(line) error(\"boo\") end' AS (line)";
    for operators in [
        failing.to_owned(),
        format!("PIPE 'cat' |> {failing}"),
        format!("{failing} |> PIPE 'cat'"),
        format!("{failing} |> AGGREGATE count(*)"),
    ] {
        let finished = place.sql(format!("FROM 'x' |> {operators}")).start().finish(SOON);
        finished.code(1).says(&["error: MAP LUA failed: boo"]);
    }
    // Before the first row of many tasks, and in the last row of one.
    let log = AccessLog::new(3000).text().repeat(10);
    let place = Place::with("big.log", log + "bad\n");
    let sql = format!("FROM 'big.log' |> {failing}");
    place.sql(sql).start().finish(SOON).code(1);
    let late = "MAP LUA 'function(line) if line == \"bad\" then error(\"boo\") end return line end' AS (x)";
    let finished = place.sql(format!("FROM 'big.log' |> {late}")).start().finish(SOON);
    finished.code(1).says(&["boo", "big.log:30001\n"]);
}

/// A file that goes away between planning and reading.
#[test]
fn a_file_that_vanishes() {
    let place = Place::with("a.log", "a\n");
    place.write("b.log", "b\n");
    let sql = "CREATE VIEW v AS SELECT count(*) AS n FROM '*.log'; FROM stdin; FROM v";
    let mut running = place.sql(sql).held_input().start();
    running.write("go\n");
    running.read_line();
    std::fs::remove_file(place.path("b.log")).expect("it was there");
    running.close_input();
    let finished = running.finish(SOON);
    match finished.code {
        Some(0) => {
            assert!(finished.text().ends_with("n\n1\n"), "looked for anew\n{}", finished.shown())
        }
        _ => drop(finished.says(&["error: ", "b.log"])),
    }
}

/// It left its executors running.
#[test]
fn a_killed_driver_leaves_nothing() {
    let place = Place::with("big.log", AccessLog::new(3000).text().repeat(10));
    let lua = "MAP LUA 'function(line) while true do end end' AS (x)";
    for operator in [lua, "PIPE 'cat > /dev/null; exec sleep 1000'", "PIPE 'while :; do :; done'"] {
        let running = place.sql(format!("FROM 'big.log' |> {operator}")).start();
        running.wait_for_children(1);
        let session = running.id();
        running.signal(libc::SIGKILL);
        wait_until("every process of it is gone", || processes::of_session(session).is_empty());
        let finished = running.finish(SOON);
        assert_eq!(finished.signal, Some(libc::SIGKILL));
    }
}
