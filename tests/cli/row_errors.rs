//! ON ERROR: what becomes of the rows, and what is said of them at the end.

use crate::support::{Place, check, fails};

const ROWS: usize = 5307;

/// A log of so many rows, of which every 480th has no number.
fn place() -> (Place, Vec<usize>) {
    let is_bad = |line: &usize| line % 480 == 79;
    let lines: Vec<String> = (1..=ROWS)
        .map(|line| if is_bad(&line) { "GET / -\n".to_owned() } else { format!("GET / {line}\n") })
        .collect();
    (Place::with("app.log", lines.concat()), (1..=ROWS).filter(is_bad).collect())
}

const MAP: &str = "FROM 'app.log'
|> MAP LUA 'function(line) return line:match(''%S+$'') end' AS (bytes BIGINT)";

#[test]
fn skipped_rows_are_counted_and_the_first_are_shown() {
    let (place, bad) = place();
    assert_eq!(bad.len(), 11);
    let sql = format!("{MAP} ON ERROR SKIP |> AGGREGATE count(*) AS n, count(bytes) AS b");
    let finished = place.sql(&sql).run();
    finished.code(0).says(&[
        "warning: MAP LUA (2:4) skipped 11 of 5,307 rows that had an error\n",
        "  app.log:79: \"-\" (string) does not fit column bytes BIGINT",
        "  app.log:559: ",
        "  app.log:1039: ",
        "  and 8 more\n",
    ]);
    finished.does_not_say("app.log:1519");
    assert_eq!(finished.text(), "n,b\n5296,5296\n");
}

#[test]
fn a_table_that_is_made_tells_what_was_skipped() {
    let (place, _) = place();
    let sql = format!("CREATE TABLE kept AS {MAP} ON ERROR SKIP; SELECT count(*) AS n FROM kept");
    let finished = place.sql(&sql).run();
    finished.code(0).says(&[
        "warning: MAP LUA (2:4) skipped 11 of 5,307 rows that had an error\n",
        "  app.log:79: \"-\" (string) does not fit column bytes BIGINT",
    ]);
    assert_eq!(finished.text(), "n\n5296\n");
    let sql = format!("CREATE OR REPLACE TABLE kept AS {MAP}");
    fails(&place, &sql, 1, &["MAP LUA failed: \"-\" (string) does not fit", "at app.log:79"]);
}

#[test]
fn null_keeps_the_rows() {
    let (place, _) = place();
    let sql = format!("{MAP} ON ERROR NULL |> AGGREGATE count(*) AS n, count(bytes) AS b");
    let finished = place.sql(&sql).run();
    finished.code(0).says(&["MAP LUA (2:4) gave NULL for 11 of 5,307 rows", "app.log:79: "]);
    assert_eq!(finished.text(), "n,b\n5307,5296\n");
}

#[test]
fn fail_names_the_row_at_once() {
    let (place, _) = place();
    for on_error in ["", "ON ERROR FAIL"] {
        let sql = format!("{MAP} {on_error} |> AGGREGATE count(*)");
        fails(&place, &sql, 1, &["MAP LUA failed: \"-\" (string) does not fit", "at app.log:79"]);
    }
}

#[test]
fn the_count_does_not_depend_on_fusing_or_on_tasks() {
    let (place, _) = place();
    let sql = "SET datafusion.execution.target_partitions = 7;
SET datafusion.optimizer.repartition_file_min_size = 1;
FROM 'app.log'
|> FILTER LUA 'function(line) return #line > 0 end'
|> MAP LUA 'function(line) return line:match(''%S+$'') end' AS (bytes BIGINT) ON ERROR SKIP
|> FILTER LUA 'function(bytes) if bytes > 5300 then error(''too big'') end return true end' ON ERROR SKIP
|> AGGREGATE count(*) AS n";
    let finished = place.sql(sql).run();
    finished.code(0).says(&[
        "MAP LUA (5:4) skipped 11 of 5,307 rows that had an error\n  app.log:79: ",
        "FILTER LUA (6:4) skipped 7 of 5,296 rows that had an error\n  app.log:5301: ",
    ]);
    assert_eq!(finished.text(), "n\n5289\n");
}

#[test]
fn rows_of_a_pipe() {
    let (place, _) = place();
    let pipe = "FROM 'app.log' |> PIPE 'cut -d\" \" -f3' AS (bytes BIGINT)";
    let finished = place
        .sql(format!("{pipe} ON ERROR SKIP |> AGGREGATE count(*) AS n, sum(bytes) AS b"))
        .run();
    finished.code(0).says(&[
        "PIPE (1:19) skipped 11 of 5,307 rows that had an error\n",
        "  output line 79: \"-\" does not fit column bytes BIGINT",
        "  and 8 more\n",
    ]);
    let finished = place.sql(format!("{pipe} ON ERROR NULL |> AGGREGATE count(*) AS n")).run();
    finished.code(0).says(&["PIPE (1:19) gave NULL for 11 of 5,307 rows"]);
    fails(&place, &format!("{pipe} |> AGGREGATE count(*)"), 1, &["output line 79"]);
}

#[test]
fn rows_with_children_of_their_own() {
    let place = Place::with("x", "1\n2\n3\n4\n");
    let pipe =
        "FROM 'x' |> PIPE 'if (( $1 % 2 )); then echo $1; else echo bad >&2; exit 7; fi' PER ROW";
    let finished = place.sql(format!("{pipe} ON ERROR SKIP")).run();
    finished.code(0).says(&["PIPE (1:13) skipped 2 of 4 rows", "x:2: ", "x:4: ", "status 7"]);
    assert_eq!(finished.text(), "line\n1\n3\n");
    let finished = place.sql(format!("{pipe} ON ERROR NULL")).run();
    finished.code(0).says(&["PIPE (1:13) gave NULL for 2 of 4 rows"]);
    fails(&place, pipe, 1, &["exited with status 7", "x:2", "bad"]);
}

#[test]
fn arguments_of_per_row_are_never_code() {
    let place = Place::with("x", "$(touch pwned); \"\n`touch pwned`\n'; touch pwned #\n-n\n");
    check(
        &place,
        "FROM 'x' |> PIPE 'printf \"%s\\n\" \"$1\"' PER ROW AS (same) |> AGGREGATE count(*) AS n",
        &[4],
    );
    assert!(!place.path("pwned").exists(), "an argument was run");
}

#[test]
fn rows_left_out_of_a_fold() {
    let (place, _) = place();
    let fold = "FROM 'app.log' |> MAP LUA 'function(line) return line:match(''%S+$'') end' AS (b)
|> REDUCE LUA 'function(peak, b) return math.max(peak, b) end' AS (peak BIGINT)";
    let finished = place.sql(format!("{fold} ON ERROR SKIP")).run();
    finished.code(0).says(&["REDUCE LUA (2:4) skipped 11 of 5,307 rows"]);
    assert_eq!(finished.text(), "peak\n5307\n");
    fails(&place, fold, 1, &["REDUCE LUA failed: \"-\" (string) does not fit column peak BIGINT"]);
}

#[test]
fn functions_name_themselves_and_the_row() {
    let place = Place::with("x", "1\ntwo\n");
    let sql =
        "CREATE FUNCTION number(s TEXT) RETURNS BIGINT LANGUAGE LUA AS 'function(s) return s end';
SELECT number(line) FROM 'x'";
    fails(
        &place,
        sql,
        1,
        &[
            "FUNCTION number failed: \"two\" (string) does not fit",
            "--> line 2, column 1",
            "at x:2",
        ],
    );
}

#[test]
fn a_copy_that_fails_leaves_no_file() {
    let (place, _) = place();
    for name in ["out.csv", "out.json", "out.parquet"] {
        place.write(name, "as it was");
        fails(&place, &format!("COPY ({MAP}) TO '{name}'"), 1, &["app.log:79"]);
        assert_eq!(std::fs::read_to_string(place.path(name)).expect(name), "as it was");
        place.sql(format!("COPY ({MAP} ON ERROR SKIP) TO '{name}'")).run().code(0);
        check(&place, &format!("SELECT count(*) FROM '{name}'"), &[5296]);
    }
    let left: Vec<String> = std::fs::read_dir(place.path("."))
        .expect("the directory is there")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(".gleam"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
