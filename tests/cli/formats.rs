//! Every format, with and without a terminal.

use std::process::Command;

use crate::support::{Place, Tty};

const TEXT: [&str; 7] = ["table", "vertical", "csv", "tsv", "json", "ndjson", "markdown"];
const BINARY: [&str; 2] = ["arrow", "parquet"];
const ROWS: &str = "SELECT * FROM (VALUES (1, 'plain', 1.5, TRUE), (2, 'a,\"b', -2.25, FALSE), \
                    (3, 'tab' || chr(9) || 'end', 0.1, NULL)) AS t(i, s, f, b) ORDER BY i";
/// Orders to a terminal, in a value and in the name of a column.
const HOSTILE: &str = "SELECT chr(27) || '[31m' || chr(155) || '2J' || chr(7) AS \"a\u{1b}[5m\"";

#[test]
fn a_terminal_changes_no_byte_and_gets_no_footer() {
    let place = Place::new();
    for format in TEXT {
        let piped = place.sql(ROWS).format(format).run();
        piped.success();
        for no_color in ["", "1"] {
            let gleam = place.sql(ROWS).format(format);
            let gleam = gleam.env("NO_COLOR", no_color).env("TERM", "xterm-256color");
            let (finished, screen) = gleam.run_on_terminal();
            finished.code(0).says(&["(3 rows, "]);
            assert!(!finished.stderr.contains('\u{1b}'), "{format}: {}", finished.shown());
            assert_eq!(screen, piped.text(), "{format}");
            assert!(!screen.contains('\u{1b}'), "{format}: {screen:?}");
        }
    }
}

#[test]
fn a_value_gives_no_orders_to_a_terminal() {
    let place = Place::new();
    for format in TEXT {
        let (finished, screen) =
            place.sql(HOSTILE).format(format).env("TERM", "xterm").run_on_terminal();
        finished.code(0);
        let is_harmful = |found: char| found.is_control() && found != '\n';
        assert!(!screen.contains(is_harmful), "{format}: {screen:?}");
        assert!(screen.contains("[31m"), "{format}: {screen:?}");
    }
}

/// What is read by programs is what was there.
#[test]
fn a_value_in_a_pipe_stays_as_it_is() {
    let place = Place::new();
    let finished = place.sql("SELECT chr(27) || '[31m' AS a").format("csv").run();
    finished.success();
    assert_eq!(finished.text(), "a\n\u{1b}[31m\n");
}

#[test]
fn quiet_leaves_the_last_line_out() {
    let place = Place::with("bad", b"a\xff\n");
    let (finished, screen) = place.sql("SELECT 1 AS a").arg("-q").run_on_terminal();
    finished.success();
    assert!(screen.contains('1'), "{screen}");
    place.sql("SELECT line FROM 'bad'").run().code(0).says(&["warning: 1 line was not UTF-8"]);
    place.sql("SELECT line FROM 'bad'").arg("--quiet").run().success();
    place.sql("SELECT nosuch").arg("--quiet").run().code(2).says(&["error: ", "nosuch"]);
}

#[test]
fn the_last_line_tells_rows_time_and_bytes() {
    let place = Place::with("x", "a\n".repeat(2000));
    let (finished, _) = place.sql("SELECT line FROM 'x' LIMIT 1").run_on_terminal();
    finished.code(0).says(&["(1 row, ", "s, 3.9 KiB scanned)\n"]);
    let (finished, _) =
        place.sql("SELECT count(line) FROM 'x'; SET gleam.lua_memory_mib = 64").run_on_terminal();
    finished.code(0).says(&["(1 row, ", "3.9 KiB scanned)\n"]);
    assert_eq!(finished.stderr.matches("row").count(), 1, "{}", finished.shown());
}

/// The file reads back as the rows that it was made of.
#[test]
fn files_read_back_equal() {
    let place = Place::new();
    let expected = place.sql(ROWS).format("json").run();
    expected.success();
    for name in ["out.parquet", "out.arrow", "out.csv", "out.ndjson", "out.jsonl"] {
        let written = place.sql(ROWS).arg("-o").arg(name).run();
        written.success();
        assert_eq!(written.text(), "", "{name}");
        let read = place.sql(format!("FROM '{name}' |> SELECT i, s, f, b |> ORDER BY i"));
        let read = read.format("json").run();
        read.success();
        assert_eq!(read.text(), expected.text(), "{name}");
    }
}

#[test]
fn binary_formats_go_into_pipes() {
    let place = Place::new();
    for format in BINARY {
        let finished = place.sql(ROWS).format(format).run();
        finished.success();
        let path = place.write(&format!("piped.{format}"), &finished.stdout);
        let read = place.sql(format!("SELECT sum(i) FROM 'piped.{format}'")).run();
        read.success();
        assert_eq!(read.rows(), ["6"], "{}", path.display());
    }
    let finished = place.sql("SELECT 1 AS a WHERE FALSE").format("parquet").run();
    finished.success();
    assert!(finished.stdout.starts_with(b"PAR1") && finished.stdout.ends_with(b"PAR1"));
}

#[test]
fn binary_formats_do_not_go_to_terminals() {
    let place = Place::with("x", "a\n");
    for format in BINARY {
        let sql = "FROM 'x' |> PIPE 'touch made; cat'";
        let (finished, screen) = place.sql(sql).format(format).run_on_terminal();
        let message = format!("error: {format} is binary, and standard output is a terminal");
        finished.code(2).says(&[&message, "help: ", "-o FILE"]);
        assert_eq!(screen, "");
        assert!(!place.path("made").exists());
    }
}

#[test]
fn a_binary_file_holds_one_result() {
    let place = Place::new();
    for format in BINARY {
        let sql = "SET gleam.lua_memory_mib = 64; SELECT 1 AS a;\nSELECT 2 AS b";
        let finished = place.sql(sql).format(format).arg("-o").arg("out").run();
        let message = format!("error: {format} holds the rows of one statement");
        finished.code(2).says(&[&message, "line 2, column 1", "help: "]);
        assert!(!place.path("out").exists());
    }
}

#[test]
fn a_query_that_fails_leaves_no_end_mark() {
    let place = Place::with("x", "a\n".repeat(100_000));
    let sql = "FROM 'x' |> PIPE 'cat; exit 3'";
    let finished = place.sql(sql).format("parquet").run();
    finished.code(1);
    assert!(finished.stdout.len() < 8 || !finished.stdout.ends_with(b"PAR1"));
    place.sql(sql).arg("-o").arg("out.parquet").run().code(1);
    assert!(!place.path("out.parquet").exists());
}

#[test]
fn vertical_is_for_wide_rows() {
    let place = Place::new();
    let sql = "SELECT 1 AS i, NULL AS nothing, 'two' || chr(10) || 'lines' AS \"a long name\" \
               UNION ALL SELECT 2, 'x', '' ORDER BY i";
    let finished = place.sql(sql).format("vertical").run();
    finished.success();
    let expected = "─[ record 1 ]─\n\
                    i           │ 1\n\
                    nothing     │ ∅\n\
                    a long name │ two\\nlines\n\
                    ─[ record 2 ]─\n\
                    i           │ 2\n\
                    nothing     │ x\n\
                    a long name │ \n";
    assert_eq!(finished.text(), expected);
}

#[test]
fn progress_is_for_terminals() {
    let place = Place::with("x", "a\n".repeat(100));
    let sql = "FROM 'x' |> PIPE 'sleep 1.2; cat' |> AGGREGATE count(*) AS n";
    let run = |terminal: &str, quiet: bool| {
        let tty = Tty::new(120);
        let gleam = place.sql(sql).env("TERM", terminal).errors_into(tty.path());
        let gleam = if quiet { gleam.arg("-q") } else { gleam };
        let finished = gleam.run();
        assert_eq!(finished.text(), "n\n100\n", "{}", finished.shown());
        tty.contents()
    };
    let screen = run("xterm", false);
    for part in ["200 B of 200 B (100 %)", "100 rows", "1 child"] {
        assert!(screen.contains(part), "{part} is not in {screen:?}");
    }
    // The line is gone in the end.
    let last = screen.rsplit(['\r', '\n']).next().unwrap_or_default();
    assert!(!last.contains("rows"), "{screen:?}");
    assert_eq!(run("dumb", false), "");
    assert_eq!(run("xterm", true), "");
}

#[test]
fn a_fast_query_shows_no_progress() {
    let place = Place::with("x", "a\n");
    let tty = Tty::new(120);
    let gleam = place.sql("SELECT count(line) FROM 'x'").env("TERM", "xterm");
    gleam.errors_into(tty.path()).run().code(0);
    assert_eq!(tty.contents(), "");
}

#[test]
fn errors_have_colours_on_terminals_that_want_them() {
    let place = Place::with("x", "a\n");
    let run = |variables: [(&str, &str); 2]| {
        let tty = Tty::new(120);
        let mut gleam = place.sql("SELECT lin FROM 'x'").errors_into(tty.path());
        for (name, value) in variables {
            gleam = gleam.env(name, value);
        }
        gleam.run().code(2);
        let screen = tty.contents();
        assert!(screen.contains("did you mean `line`?"), "{screen:?}");
        screen.contains('\x1b')
    };
    assert!(run([("TERM", "xterm"), ("NO_COLOR", "")]));
    assert!(!run([("TERM", "xterm"), ("NO_COLOR", "1")]));
    assert!(!run([("TERM", "dumb"), ("NO_COLOR", "")]));
    let piped = place.sql("SELECT lin FROM 'x'").env("TERM", "xterm").env("NO_COLOR", "").run();
    assert!(!piped.stderr.contains('\x1b'), "{}", piped.shown());
}

#[test]
fn pages_and_completions_are_generated() {
    let place = Place::new();
    for (shell, word) in [
        ("bash", "_gleam__sql()"),
        ("zsh", "#compdef gleam-sql"),
        ("fish", "complete -c gleam-sql"),
    ] {
        let finished = place.gleam().arg("completions").arg(shell).run();
        finished.success();
        for part in [word, "keep-going", "parquet", "doctor"] {
            assert!(finished.text().contains(part), "{shell} lacks {part}");
        }
    }
    let finished = place.gleam().arg("completions").arg("bash").run();
    let script = place.write("completions.bash", &finished.stdout);
    let checked = Command::new("bash").arg("-n").arg(script).status().expect("bash is there");
    assert!(checked.success());
    let finished = place.gleam().arg("man").run();
    finished.success();
    for part in [".TH gleam-sql 1", "keep\\-going", "vertical", "124"] {
        assert!(finished.text().contains(part), "the page lacks {part}");
    }
}
