//! Plans as bytes and back: the decoded plan shows itself as the original does, and answers the
//! same. Broken bytes give an error, never a panic.

#![expect(clippy::expect_used, reason = "a test stops at its first failure")]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use arrow::compute::SortOptions;
use arrow::util::pretty::pretty_format_batches;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use gleam_sql_executor::exec::{
    Arrangement, OperatorArguments, PipeCommand, PipeExec, PipeScope, PipeSpec,
};
use gleam_sql_executor::operator::{OnError, OperatorLabel, Place};
use gleam_sql_executor::policy::Roots;
use gleam_sql_executor::wire::WireFormat;
use gleam_sql_parser::parse_script;
use gleam_sql_planner::{Planned, Session, SessionOptions};
use libtest_mimic::{Arguments, Failed, Trial};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Runtime;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/slt/data");

/// A name, the node that the plan must have, and a query; statements before it are carried out.
const CASES: &[(&str, &str, &str)] = &[
    // Scans of text
    ("scan", "file_type=text", "SELECT * FROM 'data/app.log'"),
    ("scan_line", "projection=[line]", "SELECT line FROM 'data/app.log'"),
    ("scan_file", "projection=[file]", "SELECT file FROM 'data/parts/*.log'"),
    ("scan_line_no", "projection=[line_no]", "SELECT line_no FROM 'data/parts/*.log'"),
    ("scan_reordered", "projection=[line, file]", "SELECT line, file FROM 'data/app.log'"),
    ("scan_computed", "length(line", "SELECT length(line) AS n, line_no FROM 'data/app.log'"),
    ("scan_nothing", "file_type=text", "SELECT count(*) FROM 'data/parts/*.log'"),
    ("scan_limit", "limit=2", "SELECT count(*) FROM (SELECT line FROM 'data/app.log' LIMIT 2)"),
    ("scan_ranges", "app.log:0..", "SELECT line FROM 'data/app.log'"),
    ("scan_compressed", "access.log.gz", "SELECT line FROM 'data/access.log.gz'"),
    ("scan_empty", "empty.log", "SELECT * FROM 'data/empty.log'"),
    ("scan_typed_as_text", "file_type=text", "SELECT line FROM text('data/requests.csv')"),
    ("scan_csv", "file_type=csv", "SELECT * FROM 'data/requests.csv'"),
    // Lua
    (
        "map",
        "LuaExec",
        "FROM 'data/app.log' |> MAP LUA 'function(line) return line:upper(), #line end' AS (u, n BIGINT)",
    ),
    (
        "map_without_origin",
        "LuaExec",
        "FROM 'data/requests.csv' |> MAP LUA 'function(hits) return hits end' AS (n BIGINT)",
    ),
    (
        "map_on_error",
        "LuaExec",
        "FROM 'data/app.log' |> MAP LUA 'function(line) return line end' AS (n BIGINT) ON ERROR NULL",
    ),
    (
        "function",
        "FUNCTION shout",
        "CREATE FUNCTION shout(s TEXT) RETURNS TEXT STRICT LANGUAGE LUA AS 'function(s) return s:upper() end';
         SELECT line_no, CASE WHEN line_no > 2 THEN shout(line) END AS s FROM 'data/app.log'",
    ),
    // REDUCE
    (
        "reduce",
        "partial, by=[tier@1], using=[hits@0]",
        "FROM 'data/requests.csv' |> REDUCE LUA 'function(a, hits) return a + hits end' BY (tier) AS (n BIGINT)",
    ),
    (
        "reduce_one_group",
        "final, by=[]",
        "FROM 'data/app.log' |> REDUCE LUA 'function(a, line_no) return a + line_no end' AS (n BIGINT)",
    ),
    (
        "reduce_in_order",
        "in order",
        "FROM 'data/app.log' |> ORDER BY line |> REDUCE LUA 'function(a, line) return a .. line end' AS (s)",
    ),
    (
        "map_types",
        "LuaExec",
        "SELECT 1 AS x |> MAP LUA 'function(x) return true, 1, 2, 3, 4, 0.5, 0.25, 86400, 86400, {1}, nil end' AS (b BOOLEAN, l BIGINT, i INT, s SMALLINT, t TINYINT, d DOUBLE, f FLOAT, ts TIMESTAMP, day DATE, list BIGINT[], nothing)",
    ),
    (
        "map_using",
        "upper(",
        "FROM 'data/app.log' |> MAP LUA 'function(a, b) return a .. b end' USING (upper(line), line_no + 1) AS (v)",
    ),
    (
        "map_vararg",
        "LuaExec",
        "FROM 'data/requests.csv' |> MAP LUA 'function(...) return select(''#'', ...) end' USING (hits, tier) AS (n BIGINT)",
    ),
    (
        "flatmap",
        "FLATMAP LUA",
        "FROM 'data/app.log' |> FLATMAP LUA $$ function(line) return line:gmatch('%a+') end $$ AS (word)",
    ),
    (
        "filter",
        "FILTER LUA",
        "FROM 'data/app.log' |> FILTER LUA 'function(line) return line:find(\"ERROR\") end'",
    ),
    (
        "filter_kept",
        "-> (line",
        "FROM 'data/app.log' |> FILTER LUA 'function(line_no) return line_no > 2 end' |> SELECT line",
    ),
    (
        "filter_without_origin",
        "FILTER LUA",
        "FROM 'data/requests.csv' |> FILTER LUA 'function(hits) return hits > 2 end'",
    ),
    (
        "filter_of_literals",
        "LuaExec",
        "FROM (VALUES (1, 'a'), (2, 'b')) AS t(x, y) |> FILTER LUA 'function(x) return x > 1 end'",
    ),
    (
        "fused",
        "| FLATMAP LUA",
        "FROM 'data/app.log' |> FILTER LUA 'function(line) return not line:find(\"INFO\") end' |> MAP LUA 'function(line) return line, #line end' AS (t, n BIGINT) |> FILTER LUA 'function(n) return n > 28 end' |> FLATMAP LUA $$ function(t) return t:gmatch('%a+') end $$ AS (word)",
    ),
    (
        "fused_without_origin",
        "| FILTER LUA",
        "FROM 'data/requests.csv' |> FILTER LUA 'function(hits) return hits > 2 end' |> FILTER LUA 'function(tier) return tier == \"front\" end'",
    ),
    // PIPE
    ("pipe_raw", "RAW", "FROM 'data/app.log' |> PIPE 'grep ERROR'"),
    ("pipe_raw_columns", "(a, b)", "FROM 'data/pairs.log' |> PIPE 'cat' AS (a, b)"),
    ("pipe_raw_typed", "RAW", "FROM 'data/numbers.log' |> PIPE 'cat' AS (n BIGINT)"),
    ("pipe_tsv", "TSV", "FROM 'data/requests.csv' |> PIPE 'cat' AS (service, hits BIGINT, tier)"),
    ("pipe_tsv_to_raw", "TSV", "FROM 'data/requests.csv' |> PIPE 'cut -f2'"),
    ("pipe_tsv_of_one", "TSV", "SELECT E'a\\nb' AS x |> PIPE 'cat' FORMAT TSV AS (x)"),
    ("pipe_using", "upper(", "FROM 'data/app.log' |> PIPE 'cat' USING (upper(line))"),
    (
        "pipe_fused",
        "` | `",
        "FROM 'data/app.log' |> PIPE 'grep -v INFO' |> PIPE 'cut -d\" \" -f3' |> PIPE 'tr a-z A-Z' AS (service)",
    ),
    ("pipe_odd_text", "PipeExec", "FROM 'data/app.log' |> PIPE $$\n  # naïve ☃ `'\"\\\n  cat\n$$"),
    // PARSE, FOLD and GAPFILL
    ("parse", "PARSE COMBINED", "FROM 'data/access.log' |> PARSE COMBINED"),
    (
        "parse_pruned",
        "-> (path), predicate=",
        "SELECT path FROM 'data/formats/mixed.log' PARSE COMBINED ON ERROR SKIP WHERE status = 200 AND ip <> 'x'",
    ),
    (
        "parse_pattern",
        "PARSE PATTERN",
        "FROM 'data/app.log' |> PARSE PATTERN '<day> <level> <_>' AS (day TIMESTAMP FORMAT '%Y-%m-%d', Level)",
    ),
    ("parse_builtin", "PARSE APACHE_ERROR", "FROM 'data/access.log' |> PARSE APACHE_ERROR"),
    (
        "parse_without_origin",
        "ParseExec",
        "FROM 'data/requests.csv' |> PARSE LOGFMT FROM service AS (a BIGINT, b DECIMAL(10, 2))",
    ),
    ("parse_in_order", "in order", "FROM 'data/access.log' |> ORDER BY line |> PARSE COMBINED"),
    ("fold", "FoldExec", "FROM 'data/events/*.log' |> FOLD START '^2' MAX 2 LINES"),
    ("fold_in_order", "in order", "FROM 'data/app.log' |> ORDER BY line |> FOLD START 'INFO'"),
    (
        "gapfill",
        "partition_by=[tier",
        "FROM 'data/requests.csv' |> GAPFILL hits BY 1 PARTITION BY (tier) |> ORDER BY tier, hits",
    ),
    (
        "gapfill_months",
        "by 1 months",
        "FROM 'data/app.log' |> SELECT CAST(substr(line, 1, 10) AS DATE) AS day |> GAPFILL day BY INTERVAL '1 month'",
    ),
    // Among DataFusion's own nodes
    (
        "aggregated",
        "AggregateExec",
        "FROM 'data/parts/*.log' |> PIPE 'cut -d\" \" -f9' |> AGGREGATE count(*) AS n GROUP AND ORDER BY line",
    ),
    (
        "joined",
        "JoinExec",
        "FROM 'data/app.log' |> MAP LUA $$ function(line) return line:match('%u+ (%a+)') end $$ AS (s) |> JOIN 'data/owners.tsv' AS o ON s = o.service",
    ),
    (
        "united",
        "UnionExec",
        "FROM 'data/app.log' |> PIPE 'rev' |> UNION ALL (FROM 'data/app.log' |> MAP LUA 'function(line) return line end' AS (line))",
    ),
    (
        "filtered",
        "FilterExec",
        "FROM 'data/app.log' |> FILTER LUA 'function(line) return true end' |> WHERE line LIKE '%db%' |> SELECT line_no",
    ),
];

fn main() -> ExitCode {
    // This program is the Lua child of its own queries.
    if let Some(code) = gleam_sql_executor::child::run_if_requested() {
        return code;
    }
    let survive = CASES.iter().map(|(name, node, query)| {
        Trial::test(format!("survives::{name}"), move || survives(node, query))
    });
    let others = [
        Trial::test("stdin_survives", stdin_survives),
        Trial::test("pipes_with_clauses_survive", pipes_with_clauses_survive),
        Trial::test("truncated_bytes_are_refused", || broken(truncated())),
        Trial::test("changed_bytes_do_not_panic", || broken(changed())),
    ];
    libtest_mimic::run(&Arguments::from_args(), survive.chain(others).collect()).exit_code()
}

fn survives(node: &str, query: &str) -> Result<(), Failed> {
    runtime().block_on(async {
        let planned = plan(query).await?;
        if !shown(&planned.plan).contains(node) {
            return Err(Failed::from(format!("no {node} in\n{}", shown(&planned.plan))));
        }
        plan_survives(planned).await
    })
}

async fn plan_survives(Planned { plan, context, .. }: Planned) -> Result<(), Failed> {
    let bytes = encode(&plan)?;
    let decoded = decode(&bytes, &context)?;
    same("plans", &shown(&plan), &shown(&decoded))?;
    same("schemas", &format!("{:?}", plan.schema()), &format!("{:?}", decoded.schema()))?;
    same("bytes", &format!("{bytes:?}"), &format!("{:?}", encode(&decoded)?))?;
    let expected = rows(plan, &context).await?;
    same("rows", &expected, &rows(decoded, &context).await?)
}

/// Pipes in whose bytes each field has each of its choices.
fn pipes_with_clauses_survive() -> Result<(), Failed> {
    runtime().block_on(async {
        for (scope, format, on_error) in CLAUSES {
            let planned = pipe_with_clauses(scope, format, on_error).await?;
            let original = spec_of(&planned.plan)?.clone();
            let decoded = decode(&encode(&planned.plan)?, &planned.context)?;
            same("specifications", &format!("{original:?}"), &format!("{:?}", spec_of(&decoded)?))?;
            plan_survives(planned).await?;
        }
        Ok(())
    })
}

const CLAUSES: [(PipeScope, WireFormat, OnError); 4] = [
    (PipeScope::Split, WireFormat::Raw, OnError::Fail),
    (PipeScope::Partitioned, WireFormat::Tsv, OnError::Null),
    (PipeScope::Single, WireFormat::Csv, OnError::Skip),
    (PipeScope::PerRow, WireFormat::Json, OnError::Skip),
];

async fn pipe_with_clauses(
    scope: PipeScope,
    format: WireFormat,
    on_error: OnError,
) -> Result<Planned, Failed> {
    let Planned { plan, context, .. } = plan("SELECT line FROM 'data/app.log'").await?;
    let line = col("line", &plan.schema())?;
    let label = OperatorLabel { keyword: "PIPE".into(), place: Place { line: 2, column: 7 } };
    let command = PipeCommand { label, code: "cat; exit 3".to_owned() };
    let is_split = scope == PipeScope::Split;
    let spec = PipeSpec {
        input_format: format,
        input_names: vec!["naïve".to_owned()],
        output_format: format,
        scope,
        ok_exit: if is_split { vec![3] } else { vec![0, 3, -1] },
        timeout: (!is_split).then(|| Duration::new(5, 250_000_000)),
        on_error,
        ..PipeSpec::new(command)
    };
    let options = SortOptions { descending: true, nulls_first: scope == PipeScope::Single };
    let order = LexOrdering::new([PhysicalSortExpr::new(Arc::clone(&line), options)]);
    let is_partitioned = scope == PipeScope::Partitioned;
    let arrangement = Arrangement {
        partition_by: if is_partitioned { vec![Arc::clone(&line)] } else { Vec::new() },
        order_by: order.filter(|_| is_partitioned || scope == PipeScope::Single),
        in_order: scope == PipeScope::PerRow,
    };
    let arguments = OperatorArguments { values: vec![line], origin: None, roots: Roots::default() };
    let schema = plan.schema();
    let pipe = PipeExec::new(plan, Arc::new(spec), arguments, arrangement, schema);
    Ok(Planned { plan: Arc::new(pipe), context, notes: Vec::new() })
}

fn spec_of(plan: &Arc<dyn ExecutionPlan>) -> Result<&PipeSpec, Failed> {
    let pipe = plan.downcast_ref::<PipeExec>().ok_or("the plan is no PIPE")?;
    Ok(pipe.spec().as_ref())
}

/// Whoever runs the tests decides what standard input is, so that it is not read.
fn stdin_survives() -> Result<(), Failed> {
    let check = |node: &str, query| {
        runtime().block_on(async {
            let Planned { plan, context, .. } = plan(query).await?;
            let decoded = decode(&encode(&plan)?, &context)?;
            same("plans", &shown(&plan), &shown(&decoded))?;
            if shown(&decoded).contains(node) { Ok(()) } else { Err(Failed::from(shown(&decoded))) }
        })
    };
    check("StdinExec: projection=[line]", "SELECT line FROM stdin")?;
    check("StdinExec: projection=[file, line]", "SELECT file, line FROM stdin")?;
    check("StdinExec: projection=[line, __gleam_file", "FROM stdin |> PIPE 'cat'")?;
    check("StdinExec: projection=[]", "SELECT count(*) FROM stdin")
}

/// What happens to the bytes of a plan on their way.
#[derive(Debug, Clone)]
enum Damage {
    CutTo(prop::sample::Index),
    Change(Vec<(prop::sample::Index, u8)>),
}

fn truncated() -> BoxedStrategy<Damage> {
    any::<prop::sample::Index>().prop_map(Damage::CutTo).boxed()
}

fn changed() -> BoxedStrategy<Damage> {
    prop::collection::vec(any::<(prop::sample::Index, u8)>(), 1..4).prop_map(Damage::Change).boxed()
}

/// Decodes the damaged bytes of every kind of node. Where they still are a plan, it can be shown.
///
/// Not of literal tables: DataFusion writes them as Arrow IPC, and arrow's reader panics.
fn broken(damage: BoxedStrategy<Damage>) -> Result<(), Failed> {
    let runtime = runtime();
    let _entered = runtime.enter();
    let mut plans = Vec::new();
    for (_, _, query) in CASES.iter().filter(|(name, ..)| *name != "filter_of_literals") {
        let Planned { plan, context, .. } = runtime.block_on(plan(query))?;
        plans.push((encode(&plan)?, context));
    }
    for (scope, format, on_error) in CLAUSES {
        let Planned { plan, context, .. } =
            runtime.block_on(pipe_with_clauses(scope, format, on_error))?;
        plans.push((encode(&plan)?, context));
    }
    let case = (0..plans.len(), damage);
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, cases: 3000, ..Config::default() });
    let outcome = runner.run(&case, |(case, damage)| {
        let (bytes, context) = &plans[case];
        let mut bytes = bytes.clone();
        match damage {
            Damage::CutTo(length) => bytes.truncate(length.index(bytes.len())),
            Damage::Change(changes) => {
                for (place, byte) in changes {
                    let place = place.index(bytes.len());
                    bytes[place] = byte;
                }
            }
        }
        match decode(&bytes, context) {
            Ok(plan) => {
                let _ = shown(&plan);
                Ok(())
            }
            Err(error) if error.to_string().is_empty() => Err(TestCaseError::fail("no message")),
            Err(_) => Ok(()),
        }
    });
    outcome.map_err(|error| Failed::from(error.to_string()))
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime can be started")
}

async fn plan(query: &str) -> Result<Planned, Failed> {
    let options = SessionOptions { partitions: Some(3), ..Default::default() };
    let mut session = Session::new(options);
    run(&mut session, "SET datafusion.optimizer.repartition_file_min_size = 1").await?;
    let data = Path::new(DATA).canonicalize()?;
    run(&mut session, &query.replace("'data/", &format!("'{}/", data.display()))).await
}

async fn run(session: &mut Session, query: &str) -> Result<Planned, Failed> {
    let rendered = |error: gleam_sql_parser::Diagnostic| Failed::from(error.render(query, None));
    let mut planned = Err(Failed::from("no statement"));
    for statement in parse_script(query) {
        let statement = statement.map_err(rendered)?;
        planned = Ok(session.plan(&statement, query).await.map_err(rendered)?);
    }
    planned
}

fn encode(plan: &Arc<dyn ExecutionPlan>) -> Result<Vec<u8>> {
    gleam_sql_agent::encode(Arc::clone(plan))
}

fn decode(bytes: &[u8], context: &TaskContext) -> Result<Arc<dyn ExecutionPlan>> {
    gleam_sql_agent::decode(bytes, context)
}

fn shown(plan: &Arc<dyn ExecutionPlan>) -> String {
    displayable(plan.as_ref()).indent(true).to_string()
}

/// The rows of a plan, sorted: partitions end in any order.
async fn rows(plan: Arc<dyn ExecutionPlan>, context: &Arc<TaskContext>) -> Result<String> {
    let batches = collect(plan, Arc::clone(context)).await?;
    let table = pretty_format_batches(&batches)?.to_string();
    let mut lines: Vec<&str> = table.lines().collect();
    lines.sort_unstable();
    Ok(lines.join("\n"))
}

fn same(what: &str, original: &str, decoded: &str) -> Result<(), Failed> {
    if original == decoded {
        return Ok(());
    }
    Err(Failed::from(format!("the {what} differ\noriginal:\n{original}\ndecoded:\n{decoded}")))
}
