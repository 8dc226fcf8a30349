//! What holds for all data: values pass operators unchanged, and answers do not depend on how the
//! work is divided.

#![expect(clippy::expect_used, reason = "a test stops at its first failure")]

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringViewArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::physical_plan::collect;
use gleam_sql_parser::parse_script;
use gleam_sql_planner::{Session, SessionOptions};
use libtest_mimic::{Arguments, Failed, Trial};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Each case starts children.
const CASES: u32 = 12;

fn main() -> ExitCode {
    // This program is the Lua child of its own queries.
    if let Some(code) = gleam_sql_executor::child::run_if_requested() {
        return code;
    }
    let mut trials: Vec<Trial> = PASSAGES
        .iter()
        .map(|(name, query)| {
            Trial::test(format!("values_pass_unchanged::{name}"), || check_passage(query))
        })
        .collect();
    trials.push(Trial::test("a_fold_does_not_depend_on_the_division", check_folds));
    trials.push(Trial::test("partitioned_pipes_count_right", check_counts));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Queries over `t (position BIGINT, a TEXT, b TEXT, n BIGINT)` that give its rows back.
const PASSAGES: &[(&str, &str)] = &[
    (
        "tsv",
        "FROM t |> PIPE 'cat' FORMAT TSV AS (position BIGINT, a TEXT, b TEXT, n BIGINT) |> ORDER BY position",
    ),
    (
        "csv",
        "FROM t |> PIPE 'cat' FORMAT CSV AS (position BIGINT, a TEXT, b TEXT, n BIGINT) |> ORDER BY position",
    ),
    (
        "json",
        "FROM t |> PIPE 'cat' FORMAT JSON AS (position BIGINT, a TEXT, b TEXT, n BIGINT) |> ORDER BY position",
    ),
    (
        "map",
        "FROM t |> MAP LUA 'function(position, a, b, n) return position, a, b, n end'
           AS (position BIGINT, a TEXT, b TEXT, n BIGINT) |> ORDER BY position",
    ),
    (
        "flatmap",
        "FROM t |> FLATMAP LUA 'function(position, a, b, n) emit(position, a, b, n) end'
           AS (position BIGINT, a TEXT, b TEXT, n BIGINT) |> ORDER BY position",
    ),
    (
        "reduce",
        "FROM t |> REDUCE LUA 'function(a1, b1, n1, a, b, n) return a, b, n end'
           BY (position) AS (a TEXT, b TEXT, n BIGINT) |> ORDER BY position",
    ),
    (
        "function",
        "CREATE OR REPLACE FUNCTION same_text(v TEXT) RETURNS TEXT LANGUAGE LUA AS 'function(v) return v end';
         CREATE OR REPLACE FUNCTION same_number(v BIGINT) RETURNS BIGINT LANGUAGE LUA AS 'function(v) return v end';
         SELECT position, same_text(a) AS a, same_text(b) AS b, same_number(n) AS n FROM t ORDER BY position",
    ),
];

#[derive(Debug, Clone)]
struct Row {
    a: Option<String>,
    b: Option<String>,
    n: Option<i64>,
}

fn check_passage(query: &str) -> Result<(), Failed> {
    let text = prop_oneof![
        1 => Just(None),
        1 => Just(Some(String::new())),
        1 => Just(Some("\\N".to_owned())),
        1 => Just(Some(" null ".to_owned())),
        1 => Just(Some("\u{1f680}\r\n".repeat(150_000))),
        16 => "([\t\n\r\\\\\"',;{}$ ]|\\PC|[a-z0\u{0}\u{85}\u{1f600}]){0,12}".prop_map(Some),
    ];
    let number = prop_oneof![
        1 => Just(None),
        1 => Just(Some(i64::MAX)),
        1 => Just(Some(-i64::MAX)),
        1 => Just(Some(i64::MIN)),
        1 => Just(Some((1 << 53) + 1)),
        4 => any::<i64>().prop_map(Some),
    ];
    let row = (text.clone(), text, number).prop_map(|(a, b, n)| Row { a, b, n });
    check(&prop::collection::vec(row, 1..12), |rows| {
        let written = batch_of(&rows);
        let read = run(query, 2, 8192, Some(&written));
        for column in ["position", "a", "b", "n"] {
            let (written, read) = (text_of(&written, column), text_of(&read, column));
            prop_assert_eq!(written, read, "column {}", column);
        }
        Ok(())
    })
}

fn batch_of(rows: &[Row]) -> RecordBatch {
    let positions: Int64Array = (0_i64..).take(rows.len()).map(Some).collect();
    let texts = |of: fn(&Row) -> &Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(|row| of(row).as_deref()).collect::<StringViewArray>())
    };
    let numbers: Int64Array = rows.iter().map(|row| row.n).collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("position", Arc::new(positions)),
        ("a", texts(|row| &row.a)),
        ("b", texts(|row| &row.b)),
        ("n", Arc::new(numbers)),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true)))
        .expect("the columns have one length")
}

fn text_of(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let column = batch.column_by_name(column).expect("the column is there");
    let text = cast(column, &DataType::Utf8View).expect("all of them have a text");
    text.as_string_view().iter().map(|value| value.map(str::to_owned)).collect()
}

fn check_folds() -> Result<(), Failed> {
    let rows = prop::collection::vec((0_u8..20, -1_000_000_i64..1_000_000), 0..200);
    let division =
        (prop::sample::select(vec![1, 2, 7]), prop::sample::select(vec![1, 3, 64, 8192]));
    check(&(rows, division), |(rows, (partitions, batch_rows))| {
        let mut expected = BTreeMap::<u8, (i64, i64, i64)>::new();
        for (key, value) in &rows {
            let folded = expected.entry(*key).or_insert((0, 0, i64::MIN));
            *folded = (folded.0 + 1, folded.1 + value, folded.2.max(*value));
        }
        let query = "FROM 'FILE'
            |> MAP LUA 'function(line) return line:match(''(%d+) (%S+)'') end' AS (k BIGINT, v BIGINT)
            |> REDUCE LUA 'function(n, total, peak, one, v, w)
                 return n + one, total + v, math.max(peak, w) end'
               USING (1, v, v) BY (k) AS (n BIGINT, total BIGINT, peak BIGINT)
            |> ORDER BY k";
        let answer = run_over(query, &rows, partitions, batch_rows);
        let expected: Vec<i64> = expected
            .into_iter()
            .flat_map(|(key, (n, total, peak))| [i64::from(key), n, total, peak])
            .collect();
        prop_assert_eq!(numbers_of(&answer), expected);
        Ok(())
    })
}

fn check_counts() -> Result<(), Failed> {
    let rows = prop::collection::vec((0_u8..9, 0_i64..3), 0..120);
    let division = (prop::sample::select(vec![1, 2, 7]), prop::sample::select(vec![1, 3, 8192]));
    check(&(rows, division), |(rows, (partitions, batch_rows))| {
        let mut expected = BTreeMap::<u8, i64>::new();
        for (key, _) in &rows {
            *expected.entry(*key).or_default() += 1;
        }
        let query = "FROM 'FILE'
            |> MAP LUA 'function(line) return line:match(''%d+'') end' AS (k)
            |> PIPE 'uniq -c | sed -E \"s/^ *([0-9]+) /\\1\\t/\"' PARTITION BY (k) ORDER BY k
               AS (n BIGINT, k BIGINT)
            |> SELECT k, n |> ORDER BY k";
        let answer = run_over(query, &rows, partitions, batch_rows);
        let expected: Vec<i64> =
            expected.into_iter().flat_map(|(key, n)| [i64::from(key), n]).collect();
        prop_assert_eq!(numbers_of(&answer), expected);
        Ok(())
    })
}

/// Runs a query over a file of the pairs, a line each, for which `FILE` stands in it.
fn run_over(query: &str, rows: &[(u8, i64)], partitions: usize, batch_rows: usize) -> RecordBatch {
    let mut file = tempfile::NamedTempFile::with_suffix(".log").expect("files can be made");
    for (key, value) in rows {
        writeln!(file, "{key} {value}").expect("the file can be written");
    }
    let path = file.path().to_str().expect("the path is UTF-8");
    run(&query.replace("FILE", path), partitions, batch_rows, None)
}

fn numbers_of(batch: &RecordBatch) -> Vec<i64> {
    let columns: Vec<_> =
        batch.columns().iter().map(|column| column.as_primitive::<Int64Type>()).collect();
    (0..batch.num_rows()).flat_map(|row| columns.iter().map(move |c| c.value(row))).collect()
}

/// Runs the statements of `script` over the table `t`, and gives the answer of the last one.
fn run(script: &str, partitions: usize, batch_rows: usize, t: Option<&RecordBatch>) -> RecordBatch {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be started");
    let options = SessionOptions { partitions: Some(partitions), ..Default::default() };
    let mut session = Session::new(options);
    if let Some(t) = t {
        session.context().register_batch("t", t.clone()).expect("t is a new name");
    }
    let settings = format!(
        "SET datafusion.optimizer.repartition_file_min_size = 1;
         SET datafusion.execution.batch_size = {batch_rows};"
    );
    let mut answer = None;
    for script in [settings.as_str(), script] {
        for statement in parse_script(script) {
            let statement = statement.map_err(|error| error.render(script, None));
            let statement = statement.expect("it can be parsed");
            answer = Some(runtime.block_on(async {
                let planned = session.plan(&statement, script).await;
                let planned = planned.map_err(|error| error.render(script, None));
                let planned = planned.expect("it can be planned");
                let schema = planned.plan.schema();
                let batches = collect(planned.plan, planned.context).await.expect("it runs");
                concat_batches(&schema, &batches).expect("they have one schema")
            }));
        }
    }
    answer.expect("there is a statement")
}

fn check<S: Strategy>(
    strategy: &S,
    test: impl Fn(S::Value) -> Result<(), TestCaseError>,
) -> Result<(), Failed> {
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(strategy, test).map_err(|error| Failed::from(error.to_string()))
}
