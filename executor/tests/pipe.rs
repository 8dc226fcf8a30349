//! `PipeExec` over rows in memory: who shares a child, what children are told and what they say, and
//! what becomes of the bad ones.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at its first failure"
)]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::array_value_to_string;
use datafusion::config::ConfigOptions;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::ensure_requirements::EnsureRequirements;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::SessionConfig;
use futures::StreamExt;
use gleam_sql_executor::child::{ChildCommand, ChildProcess, ChildStatus};
use gleam_sql_executor::error::OperatorError;
use gleam_sql_executor::exec::{
    Arrangement, OperatorArguments, PipeCommand, PipeExec, PipeScope, PipeSpec, row_errors,
};
use gleam_sql_executor::operator::{OnError, OperatorLabel, Place};
use gleam_sql_executor::policy::{Policy, Roots};
use gleam_sql_executor::wire::WireFormat;
use libtest_mimic::{Arguments, Failed, Trial};

type Test = (&'static str, fn() -> Result<(), Failed>);

fn main() -> ExitCode {
    if let Some(code) = gleam_sql_executor::child::run_if_requested() {
        return code;
    }
    let trials = TESTS.iter().map(|(name, test)| Trial::test(*name, test));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

const TESTS: &[Test] = &[
    ("requirements_of_scopes", requirements_of_scopes),
    ("equal_keys_share_a_child", equal_keys_share_a_child),
    ("single_runs_over_nothing", single_runs_over_nothing),
    ("formats_go_through_cat", formats_go_through_cat),
    ("output_without_last_newline", output_without_last_newline),
    ("binary_junk", binary_junk),
    ("bad_rows_fail", bad_rows_fail),
    ("bad_rows_are_null_or_skipped", bad_rows_are_null_or_skipped),
    ("ok_exit", ok_exit),
    ("timeout", timeout),
    ("per_row_arguments_are_real", per_row_arguments_are_real),
    ("per_row_keeps_the_order", per_row_keeps_the_order),
    ("per_row_failures", per_row_failures),
    ("per_row_origins", per_row_origins),
    ("per_row_refused_arguments", per_row_refused_arguments),
    ("per_row_timeout", per_row_timeout),
    ("per_row_timeout_waits_for_the_reader", per_row_timeout_waits_for_the_reader),
    ("per_row_slow_row_holds_up_little", per_row_slow_row_holds_up_little),
    ("per_row_many_rows", per_row_many_rows),
    ("per_row_drop_ends_children", per_row_drop_ends_children),
    ("per_row_output_that_cannot_be_held", per_row_output_that_cannot_be_held),
    ("killed_children", killed_children),
    ("children_that_never_read", children_that_never_read),
    ("listed_programs", listed_programs),
    ("metrics", metrics),
    ("processor_time_of_children", processor_time_of_children),
];

/// A PIPE over rows in memory.
struct Pipe {
    rows: Vec<Vec<RecordBatch>>,
    spec: PipeSpec,
    arrangement: Arrangement,
    columns: Vec<Field>,
    policy: Policy,
}

/// `code` over partitions of lines.
fn pipe(code: &str, partitions: &[&[&str]]) -> Pipe {
    let batch = |lines: &[&str]| {
        let lines: ArrayRef = Arc::new(StringViewArray::from_iter_values(lines));
        RecordBatch::try_from_iter_with_nullable([("line", lines, true)]).unwrap()
    };
    let rows = partitions.iter().map(|lines| vec![batch(lines)]).collect();
    Pipe {
        rows,
        spec: PipeSpec::new(PipeCommand {
            label: OperatorLabel { keyword: "PIPE".to_owned(), place: Place::default() },
            code: code.to_owned(),
        }),
        arrangement: Arrangement::default(),
        columns: vec![text("line")],
        policy: Policy::default(),
    }
}

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8View, true)
}

fn bigint(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

impl Pipe {
    fn columns(self, columns: &[Field]) -> Self {
        Self { columns: columns.to_vec(), ..self }
    }

    fn with(mut self, change: impl FnOnce(&mut PipeSpec)) -> Self {
        change(&mut self.spec);
        self
    }

    fn scope(self, scope: PipeScope) -> Self {
        self.with(|spec| spec.scope = scope)
    }

    fn on_error(self, on_error: OnError) -> Self {
        self.with(|spec| spec.on_error = on_error)
    }

    fn format(self, format: WireFormat) -> Self {
        self.with(|spec| (spec.input_format, spec.output_format) = (format, format))
    }

    fn input_schema(&self) -> SchemaRef {
        self.rows
            .iter()
            .flatten()
            .next()
            .map_or_else(|| Arc::new(Schema::new(vec![text("line")])), |batch| batch.schema())
    }

    fn plan(&self) -> Arc<dyn ExecutionPlan> {
        let schema = self.input_schema();
        let input = MemorySourceConfig::try_new_exec(&self.rows, Arc::clone(&schema), None);
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let values = names.map(|name| col(name, &schema).unwrap()).collect();
        let mut spec = self.spec.clone();
        spec.input_names = schema.fields().iter().map(|field| field.name().clone()).collect();
        Arc::new(PipeExec::new(
            input.unwrap(),
            Arc::new(spec),
            OperatorArguments { values, origin: None, roots: Roots::default() },
            self.arrangement.clone(),
            Arc::new(Schema::new(self.columns.clone())),
        ))
    }

    /// Only these programs run.
    fn listing(mut self, programs: &[&str]) -> Self {
        let programs = programs.iter().map(|program| (*program).to_owned());
        self.policy.allow_commands = Some(programs.collect());
        self
    }

    fn run(&self) -> Result<Vec<String>, DataFusionError> {
        run_under(&self.policy, self.plan())
    }

    fn check(&self, expected: &[&str]) {
        match self.run() {
            Ok(rows) => assert_eq!(rows, expected, "{}", self.spec.commands[0].code),
            Err(error) => panic!("{}: {error}", self.spec.commands[0].code),
        }
    }

    /// The query fails, and its error says all of that.
    fn fails(&self, expected: &[&str]) {
        let error = match self.run() {
            Ok(rows) => panic!("{} gives {rows:?}", self.spec.commands[0].code),
            Err(error) => error,
        };
        let hint = match error.find_root() {
            DataFusionError::External(error) => {
                error.downcast_ref::<OperatorError>().and_then(OperatorError::hint)
            }
            _ => None,
        };
        let said = format!("{error}\n{}", hint.unwrap_or_default());
        for words in expected {
            assert!(said.contains(words), "no `{words}` in:\n{said}");
        }
    }

    /// The rows, how many were looked at and had errors, and why.
    fn row_errors(&self, expected: &[&str], rows: u64, errors: u64, reasons: &[&str]) {
        let plan = self.plan();
        assert_eq!(run(Arc::clone(&plan)).unwrap(), expected);
        let summaries = row_errors(&plan);
        let [summary] = summaries.as_slice() else { panic!("{summaries:?}") };
        assert_eq!((summary.rows, summary.errors), (rows, errors));
        assert_eq!(metric(&plan, "rows_with_errors"), usize::try_from(errors).unwrap());
        for (sample, reason) in summary.samples.iter().zip(reasons) {
            assert!(sample.reason.contains(reason), "{} / {reason}", sample.reason);
        }
        assert_eq!(summary.samples.len(), reasons.len());
    }
}

fn in_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("a runtime can be started").block_on(future)
}

fn run(plan: Arc<dyn ExecutionPlan>) -> Result<Vec<String>, DataFusionError> {
    run_under(&Policy::default(), plan)
}

/// Rows as text, values with `|` between them.
fn run_under(
    policy: &Policy,
    plan: Arc<dyn ExecutionPlan>,
) -> Result<Vec<String>, DataFusionError> {
    let limit = Duration::from_secs(60);
    let config = Arc::new(policy.clone()).govern(SessionConfig::new());
    let context = Arc::new(TaskContext::default().with_session_config(config));
    let collected = async {
        let collecting = collect(plan, context);
        tokio::time::timeout(limit, collecting).await.expect("it does not hang")
    };
    let mut rows = Vec::new();
    for batch in in_runtime(collected)? {
        for row in 0..batch.num_rows() {
            let values = batch.columns().iter().map(|column| {
                if column.is_null(row) { "NULL".to_owned() } else { shown(column, row) }
            });
            rows.push(values.collect::<Vec<_>>().join("|"));
        }
    }
    Ok(rows)
}

fn shown(column: &ArrayRef, row: usize) -> String {
    array_value_to_string(column, row).unwrap()
}

fn metric(plan: &Arc<dyn ExecutionPlan>, name: &str) -> usize {
    let metrics = plan.metrics().expect("it has metrics");
    if name == "output_rows" {
        return metrics.output_rows().unwrap_or_default();
    }
    metrics.sum_by_name(name).map_or(0, |value| value.as_usize())
}

fn requirements_of_scopes() -> Result<(), Failed> {
    let planned = |pipe: &Pipe, partitions: usize| {
        let mut options = ConfigOptions::new();
        options.execution.target_partitions = partitions;
        options.optimizer.enable_round_robin_repartition = false;
        let plan = EnsureRequirements::new().optimize(pipe.plan(), &options).unwrap();
        let shown = displayable(plan.as_ref()).indent(false).to_string();
        let lines = shown.lines().filter(|line| !line.contains("DataSourceExec"));
        (lines.map(|line| line.trim().to_owned()).collect::<Vec<_>>(), plan)
    };
    let lines: &[&[&str]] = &[&["b", "a"], &["a", "b"]];
    let key = col("line", &pipe("cat", lines).input_schema())?;
    let options = SortOptions { descending: false, nulls_first: false };
    let order = LexOrdering::new([PhysicalSortExpr::new(Arc::clone(&key), options)]);

    let split = pipe("cat", lines);
    assert_eq!(
        planned(&split, 2).0,
        ["PipeExec: `cat`, using=[line@0], RAW -> (line), children=2"]
    );

    let mut keyed = pipe("uniq -c", lines).scope(PipeScope::Partitioned);
    keyed.arrangement.partition_by = vec![Arc::clone(&key)];
    keyed.arrangement.order_by = order.clone();
    let (shown, plan) = planned(&keyed, 2);
    assert_eq!(
        shown,
        [
            "PipeExec: `uniq -c`, using=[line@0], partition_by=[line@0], order_by=[line@0 ASC NULLS LAST], RAW -> (line), children=2",
            "SortExec: expr=[line@0 ASC NULLS LAST], preserve_partitioning=[true]",
            "RepartitionExec: partitioning=Hash([line@0], 2), input_partitions=2",
        ]
    );
    let mut counts = run(plan)?;
    counts.sort();
    assert_eq!(counts, ["      2 a", "      2 b"]);
    let single_input: &[&[&str]] = &[&["b", "a"]];
    let alone = Pipe { rows: pipe("", single_input).rows, ..keyed };
    let (shown, _) = planned(&alone, 1);
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[1].starts_with("SortExec"), "{shown:?}");

    let mut single = pipe("uniq", lines).scope(PipeScope::Single);
    single.arrangement.order_by = order;
    single.spec.ok_exit = vec![0, 3];
    single.spec.timeout = Some(Duration::from_secs(5));
    single.spec.on_error = OnError::Skip;
    let (shown, plan) = planned(&single, 2);
    assert_eq!(
        shown,
        [
            "PipeExec: `uniq`, using=[line@0], SINGLE, order_by=[line@0 ASC NULLS LAST], RAW -> (line), OK EXIT (0, 3), TIMEOUT 5s, ON ERROR SKIP, children=1",
            "SortPreservingMergeExec: [line@0 ASC NULLS LAST]",
            "SortExec: expr=[line@0 ASC NULLS LAST], preserve_partitioning=[true]",
        ]
    );
    assert_eq!(run(plan)?, ["a", "b"]);

    let per_row = pipe("echo $1", lines).scope(PipeScope::PerRow);
    let text = "PipeExec: `echo $1`, using=[line@0], PER ROW, RAW -> (line), tasks=2";
    assert_eq!(planned(&per_row, 2).0, [text]);
    let mut in_order = pipe("echo $1", lines).scope(PipeScope::PerRow);
    in_order.arrangement.in_order = true;
    assert_eq!(planned(&in_order, 2).0.len(), 2);
    Ok(())
}

fn equal_keys_share_a_child() -> Result<(), Failed> {
    let lines: Vec<String> = (0..1000).map(|row| format!("key {}", row % 17)).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut keyed = pipe("sort | uniq -d -c", &[&lines[..500], &lines[500..], &[]]);
    keyed.arrangement.partition_by = vec![col("line", &keyed.input_schema())?];
    let keyed = keyed.scope(PipeScope::Partitioned);
    let mut options = ConfigOptions::new();
    options.execution.target_partitions = 4;
    let plan = EnsureRequirements::new().optimize(keyed.plan(), &options)?;
    assert_eq!(run(plan)?.len(), 17);
    Ok(())
}

fn single_runs_over_nothing() -> Result<(), Failed> {
    let nothing: &[&[&str]] = &[&[]];
    pipe("wc -l", nothing).scope(PipeScope::Single).columns(&[bigint("n")]).check(&["0"]);
    for scope in [PipeScope::Split, PipeScope::Partitioned, PipeScope::PerRow] {
        let mut pipe = pipe("echo started", nothing).scope(scope);
        if scope == PipeScope::Partitioned {
            pipe.arrangement.partition_by = vec![col("line", &pipe.input_schema())?];
        }
        let plan = pipe.plan();
        assert_eq!(run(Arc::clone(&plan))?, [""; 0]);
        assert_eq!(metric(&plan, "children"), 0);
    }
    Ok(())
}

fn formats_go_through_cat() -> Result<(), Failed> {
    let odd = ["\t", "\n", "\r", "a\r\nb", "\\", "\"", ",", "", "🦀", "\\N", "\0", " x "];
    let odd = odd.map(Some).into_iter().chain([None]).collect::<StringViewArray>();
    let numbers = Int64Array::from_iter_values(
        (0..13).map(|n| if n % 2 == 0 { i64::MAX } else { -i64::MAX }),
    );
    let long: StringViewArray = (0..13)
        .map(|n| (n != 3).then(|| "long\n".repeat(if n == 5 { 210_000 } else { 1 })))
        .collect();
    let columns: [(&str, ArrayRef); 3] =
        [("a", Arc::new(odd)), ("n", Arc::new(numbers)), ("b", Arc::new(long))];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, column)| (name, column, true)),
    )?;
    for format in [WireFormat::Tsv, WireFormat::Csv, WireFormat::Json] {
        let mut pipe = pipe("cat", &[]).format(format);
        pipe.rows = vec![vec![batch.clone()]];
        let pipe = pipe.columns(&[text("a"), bigint("n"), text("b")]);
        let batches = in_runtime(collect(pipe.plan(), Arc::new(TaskContext::default())))?;
        let whole = arrow::compute::concat_batches(&batches[0].schema(), &batches)?;
        assert_eq!(whole.columns(), batch.columns(), "{format}");
    }
    let reversed = pipe(r#"sed 's/.*/{"x":1,"b":"two","a":[1, 2]}/'"#, &[&["x"]]);
    reversed
        .format(WireFormat::Json)
        .columns(&[text("a"), text("b"), text("c")])
        .check(&["[1, 2]|two|NULL"]);
    let nan: ArrayRef = Arc::new(arrow::array::Float64Array::from(vec![1.0, f64::NAN]));
    let mut pipe = pipe("cat", &[]).format(WireFormat::Json);
    pipe.rows = vec![vec![RecordBatch::try_from_iter([("x", nan)])?]];
    pipe.fails(&["column x: NaN is no number that JSON has"]);
    Ok(())
}

fn output_without_last_newline() -> Result<(), Failed> {
    let two = [text("a"), text("b")];
    let check = |format, output: &str| {
        let pipe = pipe(&format!("cat >/dev/null; printf '{output}'"), &[&["x"]]).format(format);
        pipe.columns(&two).check(&["1|2", "3|4"]);
    };
    check(WireFormat::Raw, r"1\t2\n3\t4");
    check(WireFormat::Tsv, r"1\t2\n3\t4");
    check(WireFormat::Csv, r"1,2\n3,4");
    check(WireFormat::Csv, r#"1,2\n3,"4""#);
    check(WireFormat::Json, r#"{"a":1,"b":2}\n{"a":3,"b":4}"#);
    pipe(r#"printf 'a,"b'"#, &[&["x"]])
        .format(WireFormat::Csv)
        .columns(&two)
        .fails(&["output record 1 has a quote that is not closed"]);
    Ok(())
}

fn binary_junk() -> Result<(), Failed> {
    for format in [WireFormat::Raw, WireFormat::Tsv, WireFormat::Csv, WireFormat::Json] {
        for on_error in [OnError::Fail, OnError::Null, OnError::Skip] {
            for scope in [PipeScope::Split, PipeScope::PerRow] {
                let junk = pipe("head -c 300000 /dev/urandom", &[&["x"]]);
                let junk = junk.format(format).on_error(on_error).scope(scope);
                // A quote may be open at the end; there is nothing else to go wrong.
                if let Err(error) = junk.columns(&[text("a"), bigint("b")]).run() {
                    assert!(
                        on_error == OnError::Fail || error.to_string().contains("a quote"),
                        "{error}"
                    );
                }
            }
        }
    }
    Ok(())
}

fn bad_rows_fail() -> Result<(), Failed> {
    let lines: Vec<String> =
        (1..=20).map(|n| if n == 17 { "abc".into() } else { format!(" {n} ") }).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let numbers = |format| pipe("cat", &[&lines]).format(format).columns(&[bigint("n")]);
    numbers(WireFormat::Raw).fails(&["output line 17: \"abc\" does not fit column n BIGINT"]);
    pipe("yes abc", &[&["x"]]).columns(&[bigint("n")]).fails(&["output line 1: \"abc\""]);
    numbers(WireFormat::Csv).fails(&["output record 17: \"abc\" does not fit column n BIGINT"]);
    let long = "x".repeat(1000);
    pipe("cat", &[&[&long]])
        .columns(&[bigint("n")])
        .fails(&[&format!("\"{}\"… does not", &long[..80])]);
    pipe("uniq -c", &[&["66.249.73.135"]]).columns(&[bigint("n"), text("ip")]).fails(&[
        "output line 1: 1 fields where AS has 2 columns: \"      1 66.249.73.135\"",
        "separated by tabs",
    ]);
    let tabbed = r"uniq -c | sed -E 's/^ *([0-9]+) /\1\t/'";
    pipe(tabbed, &[&["a b", "a b"]]).columns(&[bigint("n"), text("ip")]).check(&["2|a b"]);
    Ok(())
}

fn bad_rows_are_null_or_skipped() -> Result<(), Failed> {
    let lines: &[&[&str]] = &[&["1\ta", "x\tb", "3", "4\td"]];
    let typed = |on_error| pipe("cat", lines).columns(&[bigint("n"), text("t")]).on_error(on_error);
    let reasons = ["output line 2: \"x\" does not fit column n BIGINT", "output line 3: 1 fields"];
    typed(OnError::Null).row_errors(&["1|a", "NULL|b", "NULL|NULL", "4|d"], 4, 2, &reasons);
    typed(OnError::Skip).row_errors(&["1|a", "4|d"], 4, 2, &reasons);
    let per_row = typed(OnError::Skip).scope(PipeScope::PerRow).with(|spec| {
        spec.commands[0].code = "printf '%s\\n' \"$1\"".to_owned();
    });
    // Four rows of the input, and two bad ones of the output.
    per_row.row_errors(&["1|a", "4|d"], 6, 2, &["output line 1: \"x\" does", "output line 1: 1 f"]);
    Ok(())
}

fn ok_exit() -> Result<(), Failed> {
    let exits = |code: &str, ok_exit: &[i32]| {
        pipe(code, &[&["x"]]).with(|spec| spec.ok_exit = ok_exit.to_vec())
    };
    exits("cat; exit 3", &[0, 3]).check(&["x"]);
    exits("cat; exit 3", &[]).fails(&["exited with status 3"]);
    exits("cat", &[3]).fails(&["`cat` exited with status 0 (which OK EXIT does not list)"]);
    exits("grep nothing", &[]).check(&[]);
    exits("grep nothing", &[0]).fails(&["exited with status 1"]);
    exits("seq 100000 | head -n 1", &[0]).check(&["1"]);
    exits("kill -9 $$", &[0, 137]).fails(&["was killed by signal 9"]);
    exits("nosuchcommand", &[0]).fails(&["exited with status 127 (command not found)"]);
    Ok(())
}

fn timeout() -> Result<(), Failed> {
    let short = |code: &str| {
        let timeout = Some(Duration::from_millis(300));
        pipe(code, &[&["x"]]).with(|spec| spec.timeout = timeout)
    };
    short("sleep 100").fails(&["no progress for 0.3 s", "longer TIMEOUT"]);
    // It is slow, and makes progress.
    short("for i in 1 2 3 4 5; do echo $i; sleep 0.12; done").check(&["1", "2", "3", "4", "5"]);
    Ok(())
}

fn per_row_arguments_are_real() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("x");
    let hostile = format!("$(touch {0}); \"`touch {0}`' & | > {0} \\ *", file.display());
    let show = "printf '%s\\n' \"$#\" \"$0\" \"$1\"; cat";
    let rows: &[&[&str]] = &[&[&hostile, "", "-n"]];
    let pipe = pipe(show, rows).scope(PipeScope::PerRow);
    pipe.check(&["1", "gleam-sql", &hostile, "1", "gleam-sql", "", "1", "gleam-sql", "-n"]);
    assert!(!file.exists(), "the argument was run");
    Ok(())
}

fn per_row_keeps_the_order() -> Result<(), Failed> {
    let sleeps: &[&[&str]] = &[&["0.4", "0.1", "0", "0.2", "0"]];
    let code = "sleep $1; echo $1; [ $1 = 0 ] || echo more";
    pipe(code, sleeps)
        .scope(PipeScope::PerRow)
        .check(&["0.4", "more", "0.1", "more", "0", "0.2", "more", "0"]);
    // Two columns in, typed columns out, several rows a child, in another format.
    let pair =
        pipe("seq 1 $1 | sed 's/$/,\"x, y\"/'", &[&["2", "0", "1"]]).scope(PipeScope::PerRow);
    let pair = pair.format(WireFormat::Csv).columns(&[bigint("n"), text("t")]);
    pair.check(&["1|x, y", "2|x, y", "1|x, y"]);
    Ok(())
}

fn per_row_failures() -> Result<(), Failed> {
    let code = "echo out $1; echo why $1 >&2; exit $1";
    let rows: &[&[&str]] = &[&["0", "3", "0"]];
    let failing = |on_error| pipe(code, rows).scope(PipeScope::PerRow).on_error(on_error);
    failing(OnError::Fail).fails(&["exited with status 3", "why 3"]);
    let reason = &["exited with status 3: why 3"];
    failing(OnError::Skip).row_errors(&["out 0", "out 0"], 3, 1, reason);
    failing(OnError::Null).row_errors(&["out 0", "NULL", "out 0"], 3, 1, reason);
    failing(OnError::Fail)
        .with(|spec| spec.ok_exit = vec![0, 3])
        .check(&["out 0", "out 3", "out 0"]);
    Ok(())
}

fn per_row_origins() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("x.log");
    std::fs::write(&file, "0\n3\n0\n4\n")?;
    let path = file.to_str().ok_or("the path is UTF-8")?;
    // The name that is shown, and the path that was read.
    let origin = format!("{path}\0{path}");
    let columns: [(&str, ArrayRef); 3] = [
        ("line", Arc::new(StringViewArray::from(vec!["0", "3", "0", "4"]))),
        ("file", Arc::new(StringViewArray::from(vec![origin.as_str(); 4]))),
        ("offset", Arc::new(Int64Array::from(vec![0, 2, 4, 6]))),
    ];
    let batch = RecordBatch::try_from_iter(columns)?;
    let schema = batch.schema();
    let over = |on_error, roots: Roots| {
        let mut pipe = pipe("exit $1", &[]).scope(PipeScope::PerRow).on_error(on_error);
        pipe.rows = vec![vec![batch.clone()]];
        let input = MemorySourceConfig::try_new_exec(&pipe.rows, Arc::clone(&schema), None);
        let values = vec![col("line", &schema).unwrap()];
        let origin = Some(["file", "offset"].map(|name| col(name, &schema).unwrap()));
        let plan: Arc<dyn ExecutionPlan> = Arc::new(PipeExec::new(
            input.unwrap(),
            Arc::new(pipe.spec),
            OperatorArguments { values, origin, roots },
            Arrangement::default(),
            Arc::new(Schema::new(pipe.columns)),
        ));
        plan
    };
    let error = run(over(OnError::Fail, Roots::default())).expect_err("a child fails").to_string();
    assert!(error.contains(&format!("exited with status 3\n  at {path}:2")), "{error}");
    let plan = over(OnError::Skip, Roots::default());
    run(Arc::clone(&plan))?;
    let summary = row_errors(&plan).pop().ok_or("two rows have errors")?;
    let origins = summary.samples.iter().map(|sample| sample.origin.clone().unwrap().to_string());
    assert_eq!(origins.collect::<Vec<_>>(), [format!("{path}:2"), format!("{path}:4")]);
    // A file that may not be read is not read for its line numbers either.
    let elsewhere = tempfile::tempdir()?;
    let roots = Roots::new(&[elsewhere.path().to_owned()])?;
    let error = run(over(OnError::Fail, roots)).expect_err("a child fails").to_string();
    assert!(error.contains(path) && !error.contains(&format!("{path}:2")), "{error}");
    Ok(())
}

fn per_row_refused_arguments() -> Result<(), Failed> {
    let long = "x".repeat(200_000);
    let values =
        StringViewArray::from_iter([Some("a"), None, Some("nul\0"), Some(&long), Some("b")]);
    let values: ArrayRef = Arc::new(values);
    let batch = RecordBatch::try_from_iter_with_nullable([("line", values, true)])?;
    let over = |rows: RecordBatch, on_error| {
        let mut pipe = pipe("echo ${#1}", &[]).scope(PipeScope::PerRow).on_error(on_error);
        pipe.rows = vec![vec![rows]];
        pipe
    };
    let reasons = ["$1 is NULL", "$1 has a NUL byte", "arguments of 200000 bytes are longer"];
    for (row, reason) in (1..).zip(reasons) {
        over(batch.slice(row, 1), OnError::Fail).fails(&[reason]);
    }
    over(batch, OnError::Skip).row_errors(&["1", "1"], 5, 3, &reasons);
    Ok(())
}

fn per_row_timeout() -> Result<(), Failed> {
    let timed = |code: &str, on_error| {
        let timeout = Some(Duration::from_millis(400));
        let pipe = pipe(code, &[&["0", "100", "0"]]).scope(PipeScope::PerRow);
        pipe.on_error(on_error).with(|spec| spec.timeout = timeout)
    };
    let started = Instant::now();
    let sleep = "sleep $1; echo $1";
    timed(sleep, OnError::Fail).fails(&["ran for more than 0.4 s", "longer TIMEOUT"]);
    timed(sleep, OnError::Skip).row_errors(&["0", "0"], 3, 1, &["ran for more than"]);
    // Progress does not help it.
    let busy = "for i in $(seq $1); do echo $i; sleep 0.05; done";
    timed(busy, OnError::Skip).row_errors(&[], 3, 1, &["ran for more than"]);
    assert!(started.elapsed() < Duration::from_secs(30));
    Ok(())
}

/// A child that waits until its rows are taken is not to blame.
fn per_row_timeout_waits_for_the_reader() -> Result<(), Failed> {
    let pipe = pipe("yes $(printf '%01000d' 7) | head -n 20000", &[&["x"]]);
    let timeout = Some(Duration::from_secs(2));
    let pipe = pipe.scope(PipeScope::PerRow).with(|spec| spec.timeout = timeout);
    let rows = in_runtime(async {
        let mut batches = pipe.plan().execute(0, Arc::new(TaskContext::default()))?;
        let mut rows = 0;
        while let Some(batch) = batches.next().await.transpose()? {
            if rows == 0 {
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
            rows += batch.num_rows();
        }
        Ok::<_, DataFusionError>(rows)
    });
    assert_eq!(rows?, 20_000);
    Ok(())
}

/// While the first row takes long the others go on, as far as their rows may wait.
fn per_row_slow_row_holds_up_little() -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let marks = directory.path().display();
    // The first child waits for the third to have run, whatever the number of cores.
    let code = format!(
        "if [ $1 = 1 ]; then until [ -e {marks}/3 ]; do sleep 0.02; done; fi; touch {marks}/$1; echo $1"
    );
    let rows = pipe(&code, &[&["1", "2", "3", "4"]]).scope(PipeScope::PerRow);
    if std::thread::available_parallelism()?.get() > 1 {
        rows.check(&["1", "2", "3", "4"]);
    }
    Ok(())
}

fn per_row_many_rows() -> Result<(), Failed> {
    let rows: Vec<String> = (0..3000).map(|n| n.to_string()).collect();
    let lines: Vec<&str> = rows.iter().map(String::as_str).collect();
    let pipe = pipe("echo $1", &[&lines]).scope(PipeScope::PerRow);
    let plan = pipe.plan();
    assert_eq!(run(Arc::clone(&plan))?, rows);
    assert_eq!(metric(&plan, "children"), 3000);
    assert_eq!(metric(&plan, "input_rows"), 3000);
    Ok(())
}

/// Takes the first rows of the plan, lets go of it, and waits until no child has `mark` in its
/// command line.
fn drops_cleanly(pipe: &Pipe, mark: &str) {
    in_runtime(async {
        let plan = pipe.plan();
        let mut rows = plan.execute(0, Arc::new(TaskContext::default())).unwrap();
        assert!(rows.next().await.unwrap().unwrap().num_rows() > 0);
        assert!(lives(mark));
        drop(rows);
        let limit = Instant::now() + Duration::from_secs(20);
        while lives(mark) {
            assert!(Instant::now() < limit, "a child lives on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
}

fn lives(mark: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let own = std::process::id().to_string();
    processes.filter(|process| *process.file_name() != *own).any(|process| {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(mark)
    })
}

fn per_row_drop_ends_children() -> Result<(), Failed> {
    let code = "yes endless output of a child; : mark-of-endless-children";
    let rows = ["x"; 100];
    drops_cleanly(&pipe(code, &[&rows]).scope(PipeScope::PerRow), "mark-of-endless-children");
    Ok(())
}

fn per_row_output_that_cannot_be_held() -> Result<(), Failed> {
    let endless = pipe("yes endless output of a child", &[&["x"]]).scope(PipeScope::PerRow);
    endless.on_error(OnError::Skip).fails(&["longer than 67108864 bytes", "ON ERROR FAIL"]);
    Ok(())
}

fn killed_children() -> Result<(), Failed> {
    for scope in [PipeScope::Split, PipeScope::Partitioned, PipeScope::Single, PipeScope::PerRow] {
        let mut pipe = pipe("echo some; kill -9 $$", &[&["x"]]).scope(scope);
        if scope == PipeScope::Partitioned {
            pipe.arrangement.partition_by = vec![col("line", &pipe.input_schema())?];
        }
        pipe.fails(&["was killed by signal 9 (SIGKILL)"]);
    }
    let killed = pipe("[ $1 = b ] && kill -9 $$; echo $1", &[&["a", "b", "c"]]);
    let killed = killed.scope(PipeScope::PerRow).on_error(OnError::Skip);
    killed.row_errors(&["a", "c"], 3, 1, &["was killed by signal 9"]);
    Ok(())
}

fn children_that_never_read() -> Result<(), Failed> {
    let long = "x".repeat(3_000_000);
    for scope in [PipeScope::Split, PipeScope::Single] {
        pipe("echo done", &[&[&long]]).scope(scope).check(&["done"]);
        let stuck = pipe("sleep 100", &[&[&long]]).scope(scope);
        let timeout = Some(Duration::from_millis(300));
        stuck.with(|spec| spec.timeout = timeout).fails(&["no progress"]);
    }
    Ok(())
}

fn listed_programs() -> Result<(), Failed> {
    let listed = ["grep", "cut", "wc", "head", "seq", "printf", "bash"];
    let run = |code: &str| pipe(code, &[&["a 1", "b 2", "c 1"]]).listing(&listed);
    let chain = |codes: &[&str]| {
        run(codes[0]).with(|spec| {
            let label = spec.commands[0].label.clone();
            let command =
                |code: &&str| PipeCommand { label: label.clone(), code: (*code).to_owned() };
            spec.commands = codes.iter().map(command).collect();
        })
    };
    run("grep ' 1$'").check(&["a 1", "c 1"]);
    run("grep nothing").check(&[]);
    run("head -n 1").check(&["a 1"]);
    run("grep -z [").fails(&["without a shell", "`[`"]);
    run("grep '['").fails(&["`grep '['` exited with status 2"]);
    run("cat").fails(&["`cat` is not a program that this agent runs"]);
    run("bash -c 'kill -PIPE $$'").fails(&["was killed by signal 13 (SIGPIPE)"]);
    run("bash -c 'exit 3'").with(|spec| spec.ok_exit = vec![0, 3]).check(&[]);
    run("bash -c 'exit 127'").fails(&["exited with status 127"]);
    run("printf '<%s>\\n' 'a b'")
        .scope(PipeScope::PerRow)
        .check(&["<a b>", "<a 1>", "<a b>", "<b 2>", "<a b>", "<c 1>"]);
    chain(&["grep 1", "cut -c1", "grep c"]).check(&["c"]);
    chain(&["grep nothing", "wc -l"]).check(&["0"]);
    chain(&["seq 1000000", "head -n 2"]).check(&["1", "2"]);
    chain(&["grep 1", "id", "wc -l"]).fails(&["`id` is not a program"]);
    chain(&["bash -c 'exit 3'", "wc -l"]).fails(&["`bash -c 'exit 3'` exited with status 3"]);
    chain(&["grep 1", "bash -c 'exit 4'"]).fails(&["exited with status 4"]);
    let mut denied = run("grep 1");
    denied.policy.deny_pipe = true;
    denied.fails(&["PIPE failed: this agent runs no programs"]);
    let plan = chain(&["grep 1", "cut -c1"]).plan();
    run_under(&run("").policy, Arc::clone(&plan))?;
    assert_eq!(metric(&plan, "children"), 2);
    assert_eq!((metric(&plan, "input_rows"), metric(&plan, "output_rows")), (3, 2));
    Ok(())
}

fn metrics() -> Result<(), Failed> {
    let busy = "cat; for ((i = 0; i < 200000; i++)); do :; done; sleep 0.2; echo end";
    for scope in [PipeScope::Split, PipeScope::PerRow] {
        let plan = pipe(busy, &[&["one", "two"]]).scope(scope).plan();
        run(Arc::clone(&plan))?;
        let (children, rows, sent, said) = match scope {
            PipeScope::PerRow => (2, 2, 0, 8),
            _ => (1, 3, 8, 12),
        };
        assert_eq!(metric(&plan, "children"), children);
        assert_eq!(metric(&plan, "input_rows"), 2);
        assert_eq!(metric(&plan, "output_rows"), rows);
        assert_eq!(metric(&plan, "child_input_bytes"), sent);
        assert_eq!(metric(&plan, "child_output_bytes"), said);
        assert_eq!(metric(&plan, "rows_with_errors"), 0);
        let milliseconds = |name| metric(&plan, name) / 1_000_000;
        assert!(milliseconds("waiting_for_child") >= 200, "{}", plan.metrics().unwrap());
        assert!(milliseconds("child_time") >= 20, "{}", plan.metrics().unwrap());
    }
    Ok(())
}

fn processor_time_of_children() -> Result<(), Failed> {
    const LOOP: &str = "for ((i = 0; i < 200000; i++)); do :; done";
    in_runtime(async {
        let in_a_child = format!("bash -c '{LOOP}'; true");
        let (busy, parent, idle) =
            tokio::join!(cpu_time_of(LOOP), cpu_time_of(&in_a_child), cpu_time_of("sleep 0.3"));
        assert!(busy > idle * 2, "{busy:?} {idle:?}");
        assert!(parent > idle * 2, "{parent:?} {idle:?}");
    });
    Ok(())
}

async fn cpu_time_of(code: &str) -> Duration {
    let command = ChildCommand {
        program: "bash".into(),
        name: "bash".to_owned(),
        arguments: vec!["-c".into(), code.into()],
        address_space_bytes: None,
        inherited: None,
    };
    let (mut child, stdin, stdout) = ChildProcess::start(command).await.unwrap();
    drop((stdin, stdout));
    assert_eq!(child.cpu_time(), None);
    for _ in 0..2 {
        assert_eq!(child.exited().await.unwrap(), ChildStatus::Exited(0));
    }
    child.cpu_time().expect("this kernel tells")
}
