//! An operator that fails while rows run: which one, what, and at which line of which file.

use std::io::Write;

use crate::support::{AccessLog, Place, fails};

/// Lines `1` to `count`.
fn numbers(count: usize) -> String {
    (1..=count).map(|number| format!("{number}\n")).collect()
}

const BOO: &str = "function(line)\n  if line == '777' then error('boo') end\n  return line\nend";

#[test]
fn a_lua_error_names_everything() {
    let place = Place::with("numbers.log", numbers(1000));
    let sql = format!("SELECT 1 AS one;\nFROM 'numbers.log'\n  |> MAP LUA $${BOO}$$ AS (x)");
    let finished = fails(
        &place,
        &sql,
        1,
        &[
            "MAP LUA failed: boo (Lua line 2)",
            "--> line 3, column 6\n",
            "3 |   |> MAP LUA $$function(line)\n",
            "|      ^^^",
            "line = \"777\" (string, 3 bytes)",
            "at numbers.log:777\n",
        ],
    );
    assert!(!finished.stderr.contains("at numbers.log:777-"), "{}", finished.shown());
}

#[test]
fn each_lua_operator_is_named() {
    let place = Place::with("numbers.log", numbers(1000));
    for (operator, name) in [
        (format!("MAP LUA $${BOO}$$ AS (x)"), "MAP LUA"),
        (format!("FILTER LUA $${BOO}$$"), "FILTER LUA"),
        (
            format!("FLATMAP LUA $${}$$ AS (x)", BOO.replace("return line\n", "emit(line)\n")),
            "FLATMAP LUA",
        ),
    ] {
        let message = format!("error: {name} failed: boo (Lua line 2)");
        let found = ["(string, 3 bytes)", "at numbers.log:777\n"];
        let expected: Vec<&str> = std::iter::once(message.as_str()).chain(found).collect();
        fails(&place, &format!("FROM 'numbers.log' |> {operator}"), 1, &expected);
        fails(&place, &format!("SELECT * FROM 'numbers.log' {operator}"), 1, &expected);
    }
}

#[test]
fn an_error_in_an_iterator_of_flatmap() {
    let place = Place::with("numbers.log", numbers(1000));
    fails(
        &place,
        "FROM 'numbers.log' |> FLATMAP LUA $$ function(line)
           return coroutine.wrap(function()
             coroutine.yield(line)
             if line == '500' then error('late') end
           end)
         end $$ AS (x)",
        1,
        &["FLATMAP LUA failed:", "late", "at numbers.log:500\n"],
    );
}

#[test]
fn the_failing_one_of_a_fused_chain() {
    let place = Place::with("numbers.log", numbers(1000));
    let chain = |filter: &str, map: &str, flatmap: &str| {
        format!(
            "FROM 'numbers.log'\n\
             |> FILTER LUA $${filter}$$\n\
             |> MAP LUA $${map}$$ AS (n BIGINT)\n\
             |> FLATMAP LUA $${flatmap}$$ AS (x)"
        )
    };
    let good = [
        "function(line) return tonumber(line) % 7 == 0 end",
        "function(line) return tonumber(line) * 2 end",
        "function(n) emit('x' .. n) end",
    ];
    let plan = place.sql(format!("EXPLAIN {}", chain(good[0], good[1], good[2]))).run();
    plan.success();
    assert_eq!(plan.text().matches("LuaExec:").count(), 1, "one child runs all:\n{}", plan.text());

    let filter =
        "function(line)\n\n if line == '776' then error('in 1') end return line == '777' end";
    fails(
        &place,
        &chain(filter, good[1], good[2]),
        1,
        &[
            "FILTER LUA failed: in 1 (Lua line 3)",
            "line 2, column 4",
            "line = \"776\"",
            "at numbers.log:776\n",
        ],
    );
    let map = "function(line)\nif line == '777' then error('in 2') end return tonumber(line) end";
    fails(
        &place,
        &chain(good[0], map, good[2]),
        1,
        &["error: MAP LUA failed: in 2 (Lua line 2)", "line 3, column 4", "at numbers.log:777\n"],
    );
    let flatmap = "function(n) if n == 1554 then error('in 3') end emit(n) end";
    fails(
        &place,
        &chain(good[0], good[1], flatmap),
        1,
        &[
            "FLATMAP LUA failed: in 3 (Lua line 1)",
            "line 4, column 4",
            "n = 1554 (",
            "at numbers.log:777\n",
        ],
    );
}

#[test]
fn behind_steps_that_change_the_rows() {
    let place = Place::with("numbers.log", numbers(1000));
    let boo = format!("MAP LUA $${BOO}$$ AS (x)");
    for steps in [
        "|> WHERE line LIKE '%7%'",
        "|> WHERE line_no > 700",
        "|> WHERE CAST(line AS INT) % 777 = 0",
        "|> EXTEND line_no + 1 AS next",
        "|> SELECT line_no, line",
        "|> SELECT line AS other, line",
        "|> ORDER BY line_no DESC",
        "|> LIMIT 900",
        "|> ORDER BY line_no DESC |> LIMIT 900",
        "|> FILTER LUA 'function(line) return line:find(\"7\") end' |> WHERE line_no > 3",
    ] {
        fails(
            &place,
            &format!("FROM 'numbers.log' {steps} |> {boo}"),
            1,
            &["MAP LUA failed: boo (Lua line 2)", "at numbers.log:777\n"],
        );
    }
    // Subqueries, CTEs and views keep the place of a line.
    for sql in [
        format!("SELECT * FROM (SELECT line FROM 'numbers.log' WHERE line_no > 5) AS s {boo}"),
        format!("WITH s AS (FROM 'numbers.log' |> WHERE line_no > 5) FROM s |> {boo}"),
        format!("CREATE VIEW v AS SELECT line FROM 'numbers.log'; FROM v |> {boo}"),
    ] {
        fails(&place, &sql, 1, &["MAP LUA failed: boo (Lua line 2)", "at numbers.log:777\n"]);
    }
}

#[test]
fn where_a_line_has_no_place_none_is_claimed() {
    let place = Place::with("numbers.log", numbers(1000));
    for steps in [
        "|> PIPE 'cat'",
        "|> PIPE 'tac'",
        "|> AGGREGATE count(*) GROUP BY line |> SELECT line",
        "|> MAP LUA 'function(line) return line end' AS (line) |> DISTINCT",
    ] {
        let sql = format!("FROM 'numbers.log' {steps} |> MAP LUA $${BOO}$$ AS (x)");
        let finished = fails(&place, &sql, 1, &["MAP LUA failed: boo (Lua line 2)", "\"777\""]);
        finished.does_not_say("numbers.log:");
    }
}

#[test]
fn in_a_file_of_a_glob() {
    let place = Place::new();
    for name in ["a", "b", "c"] {
        place.write(&format!("{name}.log"), numbers(300));
    }
    place.write("b.log", numbers(200) + "bad\n" + &numbers(100));
    place.write("deep/er/d.log", "x\nworse\n");
    let boo = |word: &str| {
        format!("MAP LUA 'function(line) if line == \"{word}\" then error(\"boo\") end end' AS (x)")
    };
    fails(&place, &format!("FROM '?.log' |> {}", boo("bad")), 1, &["boo", "at b.log:201\n"]);
    fails(
        &place,
        &format!("FROM '**/*.log' |> {}", boo("worse")),
        1,
        &["boo", "at deep/er/d.log:2\n"],
    );
    let absolute = place.path("b.log").display().to_string();
    fails(
        &place,
        &format!("FROM '{absolute}' |> {}", boo("bad")),
        1,
        &[&format!("at {absolute}:201\n")],
    );
    // The same of a side of a join and a part of a union.
    let sql = format!("FROM 'a.log' |> SELECT line |> UNION ALL (FROM 'b.log' |> {})", boo("bad"));
    fails(&place, &sql, 1, &["boo", "at b.log:201\n"]);
}

#[test]
fn in_a_compressed_file_and_stdin() {
    let place = Place::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(numbers(50_000).as_bytes()).expect("memory takes everything");
    place.write("numbers.gz", encoder.finish().expect("memory takes everything"));
    let boo = "MAP LUA 'function(line) if line == \"44444\" then error(\"boo\") end end' AS (x)";
    fails(&place, &format!("FROM 'numbers.gz' |> {boo}"), 1, &["boo", "at numbers.gz:44444\n"]);
    let finished = place.sql(format!("FROM stdin |> {boo}")).input(numbers(50_000)).run();
    finished.code(1).says(&["error: MAP LUA failed: boo (Lua line 1)", "at stdin"]);
    assert!(
        !finished.stderr.contains("stdin:") || finished.stderr.contains("stdin:44444\n"),
        "a wrong line number is worse than none\n{}",
        finished.shown()
    );
}

#[test]
fn in_a_range_of_a_large_file() {
    let log = AccessLog::new(3000);
    let mut text = log.text().repeat(20);
    let lines = text.lines().count();
    text.push_str("the bad one\n");
    text.push_str(&log.text());
    let place = Place::with("big.log", text);
    for (operator, message) in [
        ("MAP LUA 'function(line) return line:match(\"(%d+) \") + 1 end' AS (x)", "arithmetic"),
        ("FILTER LUA 'function(line)\n\n return line:match(\"(%d+) \") + 1 end'", "(Lua line 3)"),
    ] {
        fails(
            &place,
            &format!("FROM 'big.log' |> {operator}"),
            1,
            &[message, "(string, 11 bytes)", &format!("at big.log:{}\n", lines + 1)],
        );
    }
}

#[test]
fn arguments_are_shown_with_their_types() {
    let place = Place::with("x", "first\n");
    fails(
        &place,
        "SELECT 7 AS i, 1.5 AS f, TRUE AS b, CAST(NULL AS TEXT) AS n, 'q\"' AS s,
                9007199254740993 AS big, [1, 2] AS l
         |> MAP LUA 'function(i, f, b, n, s, big, l) return nosuch.x end' AS (x)",
        1,
        &[
            "attempt to index global 'nosuch' (a nil value)",
            "i = 7 (number)",
            "f = 1.5 (number)",
            "b = true (boolean)",
            "n = nil",
            "s = \"q\\\"\" (string, 2 bytes)",
            "big = 9007199254740993",
            "l = a table",
        ],
    );
    // A long one is cut, with its size beside it.
    place.write("long", "x".repeat(100_000));
    let finished = fails(
        &place,
        "FROM 'long' |> MAP LUA 'function(line) error(1) end' AS (x)",
        1,
        &["100000 bytes", "long:1"],
    );
    assert!(finished.stderr.len() < 2000, "{}", finished.shown());
}

#[test]
fn no_row_of_a_failed_batch_is_taken_for_the_answer() {
    let place = Place::with("numbers.log", numbers(1000));
    let sql = format!("FROM 'numbers.log' |> MAP LUA $${BOO}$$ AS (x) |> AGGREGATE count(*)");
    let finished = fails(&place, &sql, 1, &["boo"]);
    assert!(!finished.text().contains(|c: char| c.is_ascii_digit()), "{}", finished.shown());
}

#[test]
fn commands_that_do_not_exist_or_do_not_run() {
    let place = Place::with("x", "a\n");
    place.write("plain.sh", "echo hello\n");
    fails(
        &place,
        "FROM 'x'\n|> PIPE 'nosuchcommand'",
        1,
        &[
            "PIPE failed: `nosuchcommand`",
            "127",
            "command not found",
            "line 2, column 4",
            "^^^^",
            "nosuchcommand: command not found",
        ],
    );
    fails(
        &place,
        "FROM 'x' |> PIPE './plain.sh'",
        1,
        &["`./plain.sh`", "126", "cannot be executed", "Permission denied"],
    );
    fails(&place, "FROM 'x' |> PIPE 'cat | nosuchcommand | cat'", 1, &["127"]);
    fails(
        &place,
        "FROM 'x' |> PIPE 'cat' |> PIPE 'nosuchcommand' |> PIPE 'cat'",
        1,
        &["`nosuchcommand`", "127", "column 27"],
    );
}

#[test]
fn exit_statuses_of_commands() {
    let place = Place::with("x", "a\nb\n");
    let failing = |code: &str, status: &str| {
        let sql = format!("FROM 'x' |> PIPE $code${code}$code$ |> AGGREGATE count(*)");
        let finished = fails(&place, &sql, 1, &["PIPE failed: `", status, "^^^^"]);
        assert!(!finished.text().contains(|c: char| c.is_ascii_digit()), "{}", finished.shown());
    };
    failing("exit 3", "exited with status 3");
    failing("cat; exit 3", "exited with status 3");
    failing("cat\nexit 3", "exited with status 3");
    failing("false | cat", "exited with status 1");
    failing("cat | exit 4 | cat", "exited with status 4");
    failing("cat | false", "exited with status 1");
    failing("grep a | (cat; exit 5) | sort", "exited with status 5");
    failing("grep -E '['", "exited with status 2");
    failing("grep --nosuchoption x", "exited with status 2");
    failing("awk 'BEGIN { exit 7 }'", "exited with status 7");
    failing("set -e; false; cat", "exited with status 1");
    failing("exec false", "exited with status 1");
    failing("kill -9 $$", "signal 9 (SIGKILL)");
    failing("cat | (kill -TERM $BASHPID; sleep 50) | cat", "signal 15 (SIGTERM)");
    failing("ls /nosuchdirectory", "exited with status 2");
    failing("trap '' EXIT; exit 3", "exited with status 3");
    failing("trap 'echo bye' EXIT; exit 3", "exited with status 3");
}

#[test]
fn ends_that_are_no_failure() {
    let place = Place::with("x", "a\nb\nc\n");
    let check = |code: &str, expected: &[&str]| {
        crate::support::check(&place, &format!("FROM 'x' |> PIPE $${code}$$"), expected);
    };
    check("head -1", &["a"]);
    check("cat | head -1", &["a"]);
    check("yes | head -2", &["y", "y"]);
    check("grep b", &["b"]);
    check("grep nosuchword", &[]);
    check("grep nosuchword || true", &[]);
    check("grep -c nosuchword", &["0"]);
    check("false || cat", &["a", "b", "c"]);
    check("false; cat", &["a", "b", "c"]);
    check("exit 0", &[]);
    check("cat; exit", &["a", "b", "c"]);
    check("exec cat", &["a", "b", "c"]);
    check("trap 'echo bye' EXIT; cat", &["a", "b", "c", "bye"]);
    check("cat # a comment", &["a", "b", "c"]);
    check("cat\n# a comment", &["a", "b", "c"]);
}

#[test]
fn a_pipe_without_a_program() {
    let place = Place::with("x", "a\n");
    crate::support::fails(&place, "FROM 'x' |> PIPE ' '", 2, &["PIPE has no program to run"]);
}

#[test]
fn a_command_that_reads_one_line_of_a_large_file() {
    let place = Place::with("big.log", AccessLog::new(3000).text().repeat(10));
    for code in [
        "head -1",
        "sed q",
        "cat | head -1",
        "head -1 | cat",
        "read -r l; echo x",
        "exec head -1",
        "true",
    ] {
        let finished = place.sql(format!("FROM 'big.log' |> PIPE '{code}'")).run();
        finished.success();
    }
    // As many first lines as there are tasks, and more children behind.
    let finished = place.sql("FROM 'big.log' |> PIPE 'cat' |> PIPE 'head -1' |> PIPE 'cat'").run();
    finished.success();
}

#[test]
fn the_words_of_a_failed_command_are_told() {
    let place = Place::with("x", "a\n");
    let finished = fails(
        &place,
        "FROM 'x' |> PIPE $$for i in {1..3000}; do echo word $i >&2; done; exit 9$$",
        1,
        &["exited with status 9", "it wrote to stderr", "word 2999\n", "word 3000\n"],
    );
    assert!(finished.stderr.len() < 12_000, "only the last 4 KiB\n{}", finished.shown());
    finished.does_not_say("word 100\n");
    // Control characters do not reach the terminal.
    let finished =
        fails(&place, "FROM 'x' |> PIPE $$printf 'a\\033[31mred\\n' >&2; exit 9$$", 1, &["red"]);
    finished.does_not_say("\x1b");
    // The words of a success are nobody's business, or shown as they are; they are no error.
    crate::support::check(
        &place,
        "FROM 'x' |> PIPE 'echo hello >&2; cat' |> AGGREGATE count(*)",
        &[1],
    );
}

#[test]
fn output_that_does_not_fit_its_declaration() {
    let place = Place::with("x", "1\ntwo\n3\n");
    fails(&place, "FROM 'x' |> PIPE 'cat' AS (n INT)", 1, &["\"two\" does not fit column n INT"]);
    fails(&place, "FROM 'x' |> PIPE 'cat' AS (a, b)", 1, &["PIPE failed: output line 1"]);
    fails(
        &place,
        "FROM 'x' |> PIPE $$awk '{ print $1 \"\\t\" $1 \"\\t\" $1 }'$$ AS (a, b)",
        1,
        &["output line 1"],
    );
    fails(
        &place,
        "SELECT 'a' || chr(10) || 'b' AS line |> PIPE 'cat'",
        1,
        &["PIPE failed", "newline", "FORMAT TSV"],
    );
}

#[test]
fn errors_outside_operators_name_what_they_are() {
    let place = Place::with("x", "1\ntwo\n");
    let finished = fails(&place, "SELECT CAST(line AS INT) FROM 'x'", 1, &["two"]);
    for layer in [
        "External error",
        "Arrow error:",
        "Execution error:",
        "DataFusion",
        "backtrace",
        "This was likely",
    ] {
        finished.does_not_say(layer);
    }
    fails(&place, "SELECT 1 / 0", 1, &["ivide by zero"]);
}

#[test]
fn an_error_behind_an_aggregation_is_told_too() {
    let place = Place::with("numbers.log", numbers(1000));
    fails(
        &place,
        &format!(
            "SELECT a.x FROM (FROM 'numbers.log' |> MAP LUA $${BOO}$$ AS (x)) AS a
             JOIN 'numbers.log' AS b ON a.x = b.line ORDER BY 1"
        ),
        1,
        &["boo", "at numbers.log:777\n"],
    );
    fails(
        &place,
        "SELECT count(*) FROM 'numbers.log' WHERE line IN (FROM 'numbers.log' |> PIPE 'cat; exit 3')",
        1,
        &["exit 3", "status 3"],
    );
}
