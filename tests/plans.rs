//! What queries become: logical and physical plans for 2 partitions.
//!
//! Files are cut in byte ranges however small they are, so that a scan shows its partitions.

#![expect(clippy::expect_used, reason = "a test stops at its first failure")]

use std::path::Path;

use datafusion::physical_plan::{collect, displayable};
use gleam_sql_parser::parse_script;
use gleam_sql_planner::{Planned, Session, SessionOptions};
use insta::assert_snapshot;

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/slt");

/// The logical and the physical plan of a query over `data/…`.
fn explain(query: &str) -> String {
    plans(&format!("EXPLAIN {query}"))
}

/// What the last statement of `script`, an EXPLAIN, shows.
fn plans(script: &str) -> String {
    in_runtime(async {
        let mut session = start().await;
        let planned = plan(&mut session, script).await;
        let batches = collect(planned.plan, planned.context).await.expect("EXPLAIN runs");
        let plans = batches.iter().map(|batch| batch.column(1)).map(|plans| {
            let plans = arrow::compute::cast(plans, &arrow::datatypes::DataType::Utf8)
                .expect("plans are text");
            let plans = arrow::array::AsArray::as_string::<i32>(&plans);
            plans.iter().flatten().collect::<Vec<_>>().join("\n")
        });
        anywhere(&plans.collect::<Vec<_>>().join("\n"))
    })
}

/// Only the physical plan.
fn physical(query: &str) -> String {
    in_runtime(async {
        let planned = plan(&mut start().await, query).await;
        anywhere(&displayable(planned.plan.as_ref()).indent(false).to_string())
    })
}

fn in_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("a runtime can be started").block_on(future)
}

/// A session in the directory that holds `data/`: places in plans must not depend on the checkout.
async fn start() -> Session {
    std::env::set_current_dir(DIRECTORY).expect("the data is there");
    let options = SessionOptions { partitions: Some(2), ..Default::default() };
    let mut session = Session::new(options);
    plan(&mut session, "SET datafusion.optimizer.repartition_file_min_size = 1").await;
    session
}

async fn plan(session: &mut Session, query: &str) -> Planned {
    let mut last = None;
    for statement in parse_script(query) {
        let statement = statement.map_err(|error| error.render(query, None));
        let planned = session.plan(&statement.expect("it can be parsed"), query).await;
        let planned = planned.map_err(|error| error.render(query, None));
        last = Some(planned.expect("it can be planned"));
    }
    last.expect("there is a statement")
}

/// The plan as it is in any checkout.
fn anywhere(plan: &str) -> String {
    let directory = Path::new(DIRECTORY).canonicalize().expect("the data is there");
    let directory = format!("{}/", directory.to_str().expect("the path is UTF-8"));
    plan.replace(&directory, "")
        .replace(directory.trim_start_matches('/'), "")
        .trim_end()
        .to_owned()
}

#[test]
fn adjacent_lua_operators_are_one_child() {
    assert_snapshot!(explain("FROM 'data/app.log' |> FILTER LUA 'function(line) return #line > 3 end' |> MAP LUA 'function(line) return line, #line end' AS (text, n BIGINT) |> FILTER LUA 'function(n) return n > 1 end' |> FLATMAP LUA 'function(text) return {text} end' AS (word)"), @"
    Lua: FILTER LUA `function(line) return #line > 3 end` | MAP LUA `function(line) return line, #line end` | FILTER LUA `function(n) return n > 1 end` | FLATMAP LUA `function(text) return {text} end`, using=[data/app.log.line]
      TableScan: data/app.log projection=[line, __gleam_file, __gleam_offset]
    LuaExec: FILTER LUA `function(line) return #line > 3 end` | MAP LUA `function(line) return line, #line end` | FILTER LUA `function(n) return n > 1 end` | FLATMAP LUA `function(text) return {text} end`, using=[line@0] -> (word), children=2
      DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    // Past what renames and selects columns.
    assert_snapshot!(physical("FROM 'data/app.log' |> MAP LUA 'function(line) return line, #line end' AS (a, b BIGINT) |> SELECT b AS c, a AS d |> RENAME d AS e |> AS t |> MAP LUA 'function(e, c) return e end' AS (v)"), @"
    LuaExec: MAP LUA `function(line) return line, #line end` | MAP LUA `function(e, c) return e end`, using=[line@0] -> (v), children=2
      DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    // A step that takes fewer columns; the argument is written once.
    assert_snapshot!(physical("FROM 'data/app.log' |> FILTER LUA 'function(line) return line end' |> FILTER LUA 'function(line, line_no) return line_no > 1 end' |> SELECT line"), @"
    ProjectionExec: expr=[line@1 as line]
      LuaExec: FILTER LUA `function(line) return line end` | FILTER LUA `function(line, line_no) return line_no > 1 end`, using=[line@1, line_no@0] -> (line_no, line), children=1
        DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[line_no, line, __gleam_file, __gleam_offset], file_type=text
    ");
    // Not a filter above a projection of made rows, although that would be sound.
    assert_snapshot!(physical("FROM 'data/app.log' |> MAP LUA 'function(line) return 1, 2 end' AS (a BIGINT, b BIGINT) |> SELECT b |> FILTER LUA 'function(b) return true end'"), @"
    LuaExec: FILTER LUA `function(b) return true end`, using=[b@0] -> (b), children=2
      ProjectionExec: expr=[b@1 as b]
        LuaExec: MAP LUA `function(line) return 1, 2 end`, using=[line@0] -> (a, b), children=2
          DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    // In classic syntax.
    assert_snapshot!(physical("SELECT v FROM 'data/app.log' FILTER LUA 'function(line) return true end' MAP LUA 'function(line) return line end' AS (v) AS t"), @"
    LuaExec: FILTER LUA `function(line) return true end` | MAP LUA `function(line) return line end`, using=[line@0] -> (v), children=2
      DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
}

#[test]
fn lua_operators_stay_apart_where_fusing_is_unsound() {
    // An expression is not computed for rows that the function before drops.
    assert_snapshot!(physical("FROM 'data/app.log' |> FILTER LUA 'function(line) return line:find(\"[0-9]\") end' |> MAP LUA 'function(n) return n end' USING (CAST(line AS BIGINT)) AS (n BIGINT)"), @r#"
    LuaExec: MAP LUA `function(n) return n end`, using=[CAST(line@0 AS Int64)] -> (n), children=2
      LuaExec: FILTER LUA `function(line) return line:find("[0-9]") end`, using=[line@0] -> (line, __gleam_file, __gleam_offset), children=2
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    "#);
    assert_snapshot!(physical("FROM 'data/app.log' |> MAP LUA 'function(line) return #line end' AS (n BIGINT) |> EXTEND 10 / n AS m |> MAP LUA 'function(m) return m end' AS (m BIGINT)"), @"
    LuaExec: MAP LUA `function(m) return m end`, using=[m@0] -> (m), children=2
      ProjectionExec: expr=[10 / n@0 as m]
        LuaExec: MAP LUA `function(line) return #line end`, using=[line@0] -> (n), children=2
          DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    // What is between them has to happen between them.
    assert_snapshot!(physical("FROM 'data/app.log' |> MAP LUA 'function(line) return #line end' AS (n BIGINT) |> WHERE n > 3 |> MAP LUA 'function(n) return n end' AS (m BIGINT)"), @"
    LuaExec: MAP LUA `function(n) return n end`, using=[n@0] -> (m), children=2
      FilterExec: n@0 > 3
        LuaExec: MAP LUA `function(line) return #line end`, using=[line@0] -> (n), children=2
          DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> MAP LUA 'function(line) return #line end' AS (n BIGINT) |> LIMIT 3 |> MAP LUA 'function(n) return n end' AS (m BIGINT)"), @"
    LuaExec: MAP LUA `function(n) return n end`, using=[n@0] -> (m), children=1
      CoalescePartitionsExec: fetch=3
        LuaExec: MAP LUA `function(line) return #line end`, using=[line@0] -> (n), children=2
          DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> MAP LUA 'function(line) return #line end' AS (n BIGINT) |> DISTINCT |> MAP LUA 'function(n) return n end' AS (m BIGINT)"), @"
    LuaExec: MAP LUA `function(n) return n end`, using=[n@0] -> (m), children=2
      AggregateExec: mode=FinalPartitioned, gby=[n@0 as n], aggr=[]
        RepartitionExec: partitioning=Hash([n@0], 2), input_partitions=2
          AggregateExec: mode=Partial, gby=[n@0 as n], aggr=[]
            LuaExec: MAP LUA `function(line) return #line end`, using=[line@0] -> (n), children=2
              DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> MAP LUA 'function(line) return #line end' AS (n BIGINT) |> PIPE 'cat' |> MAP LUA 'function(line) return line end' AS (m)"), @"
    LuaExec: MAP LUA `function(line) return line end`, using=[line@0] -> (m), children=2
      PipeExec: `cat`, using=[n@0], RAW -> (line), children=2
        LuaExec: MAP LUA `function(line) return #line end`, using=[line@0] -> (n), children=2
          DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
}

#[test]
fn adjacent_raw_pipes_are_one_pipeline() {
    assert_snapshot!(explain("FROM 'data/app.log' |> PIPE 'grep ERROR' |> PIPE 'cut -d\" \" -f3' |> PIPE 'tr a-z A-Z'"), @r#"
    Pipe: PIPE `grep ERROR` | PIPE `cut -d" " -f3` | PIPE `tr a-z A-Z`, using=[data/app.log.line]
      TableScan: data/app.log projection=[line, __gleam_file, __gleam_offset]
    PipeExec: `grep ERROR` | `cut -d" " -f3` | `tr a-z A-Z`, using=[line@0], RAW -> (line), children=2
      DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    "#);
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'grep ERROR' AS (a) |> RENAME a AS b |> AS t |> SELECT b |> PIPE 'rev' USING (t.b) AS (c)"), @"
    PipeExec: `grep ERROR` | `rev`, using=[line@0], RAW -> (c), children=2
      DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    // The last one may split its output.
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'grep ERROR' |> PIPE 'tr \" \" \"\\t\"' AS (a, b, c, d)"), @r#"
    PipeExec: `grep ERROR` | `tr " " "\t"`, using=[line@0], RAW -> (a, b, c, d), children=2
      DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    "#);
    // The first may read TSV. CSV is not cut, as a quoted value may hold newlines.
    assert_snapshot!(physical("FROM 'data/requests.csv' |> PIPE 'cut -f1' |> PIPE 'sort'"), @"
    PipeExec: `cut -f1` | `sort`, using=[service@0, hits@1, tier@2], TSV -> (line), children=1
      DataSourceExec: file_groups={1 group: [[data/requests.csv]]}, projection=[service, hits, tier], file_type=csv, has_header=true
    ");
}

#[test]
fn pipes_stay_apart_where_fusing_is_unsound() {
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'cat' |> PIPE 'cat' USING (upper(line))"), @"
    PipeExec: `cat`, using=[upper(line@0)], RAW -> (line), children=2
      PipeExec: `cat`, using=[line@0], RAW -> (line), children=2
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    // The text is checked against its type in between.
    assert_snapshot!(physical("FROM 'data/numbers.log' |> PIPE 'cat' AS (n BIGINT) |> PIPE 'cat' AS (m BIGINT)"), @"
    PipeExec: `cat`, using=[n@0], RAW -> (m), children=2
      PipeExec: `cat`, using=[line@0], RAW -> (n), children=2
        DataSourceExec: file_groups={2 groups: [[data/numbers.log:0..26], [data/numbers.log:26..51]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    // Escapes are undone and made in between.
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'cat' FORMAT TSV AS (a) |> PIPE 'cat'"), @"
    PipeExec: `cat`, using=[a@0], RAW -> (line), children=2
      PipeExec: `cat`, using=[line@0], TSV -> (a), children=2
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'cat' |> PIPE 'cat' FORMAT TSV AS (a)"), @"
    PipeExec: `cat`, using=[line@0], TSV -> (a), children=2
      PipeExec: `cat`, using=[line@0], RAW -> (line), children=2
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'cat' AS (a, b) |> PIPE 'cat' USING (a)"), @"
    PipeExec: `cat`, using=[a@0], RAW -> (line), children=2
      ProjectionExec: expr=[a@0 as a]
        PipeExec: `cat`, using=[line@0], RAW -> (a, b), children=2
          DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'cat' |> WHERE line LIKE '%x%' |> PIPE 'cat'"), @"
    PipeExec: `cat`, using=[line@0], RAW -> (line), children=2
      FilterExec: line@0 LIKE %x%
        PipeExec: `cat`, using=[line@0], RAW -> (line), children=2
          DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'cat' |> LIMIT 3 |> PIPE 'cat'"), @"
    PipeExec: `cat`, using=[line@0], RAW -> (line), children=1
      CoalescePartitionsExec: fetch=3
        PipeExec: `cat`, using=[line@0], RAW -> (line), children=2
          DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
}

#[test]
fn an_order_before_an_operator_is_kept() {
    let check = |query: &str| {
        let plan = physical(query);
        let sorts = plan.contains("SortExec: expr=[line@0 ASC NULLS LAST]");
        assert!(sorts && plan.contains("children=1"), "{query}\n{plan}");
    };
    check(
        "FROM 'data/app.log' |> ORDER BY line |> FILTER LUA 'function(line) return true end' |> SELECT line",
    );
    check(
        "FROM 'data/app.log' |> ORDER BY line |> MAP LUA 'function(line) return line end' AS (v)",
    );
    check("FROM 'data/app.log' |> ORDER BY line |> PIPE 'cat'");
    check("FROM 'data/app.log' |> PIPE 'cat' |> ORDER BY line |> PIPE 'cat'");
    check("SELECT * FROM (SELECT line FROM 'data/app.log' ORDER BY line) PIPE 'cat'");
    assert_snapshot!(physical("FROM 'data/app.log' |> ORDER BY line |> LIMIT 2 |> MAP LUA 'function(line) return line end' AS (v)"), @"
    LuaExec: MAP LUA `function(line) return line end`, using=[line@0] -> (v), in order, children=1
      SortPreservingMergeExec: [line@0 ASC NULLS LAST], fetch=2
        SortExec: TopK(fetch=2), expr=[line@0 ASC NULLS LAST], preserve_partitioning=[true]
          DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
}

#[test]
fn filters_pass_operators_that_keep_rows() {
    assert_snapshot!(explain("FROM 'data/app.log' |> FILTER LUA 'function(line) return true end' |> WHERE line LIKE '%x%' AND line_no > 2"), @r#"
    Lua: FILTER LUA `function(line) return true end`, using=[data/app.log.line]
      Filter: data/app.log.line_no > Int64(2) AND data/app.log.line LIKE Utf8View("%x%")
        TableScan: data/app.log projection=[file, line_no, line, __gleam_file, __gleam_offset]
    LuaExec: FILTER LUA `function(line) return true end`, using=[line@2] -> (file, line_no, line), children=1
      FilterExec: line_no@1 > 2 AND line@2 LIKE %x%
        DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[file, line_no, line, __gleam_file, __gleam_offset], file_type=text, lines with='x'
    "#);
    assert_snapshot!(physical("FROM 'data/app.log' |> FILTER LUA 'function(line) return true end' |> FILTER LUA 'function(line) return line end' |> WHERE line LIKE '%x%' |> SELECT line"), @"
    LuaExec: FILTER LUA `function(line) return true end` | FILTER LUA `function(line) return line end`, using=[line@0] -> (line), children=2
      FilterExec: line@0 LIKE %x%
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text, lines with='x'
    ");
    // Not those that make rows, also where the names are the same.
    assert_snapshot!(explain("FROM 'data/app.log' |> MAP LUA 'function(line) return line end' AS (line) |> WHERE line LIKE '%x%'"), @r#"
    Filter: map_lua@1:32.line LIKE Utf8View("%x%")
      Lua: MAP LUA `function(line) return line end`, using=[data/app.log.line]
        TableScan: data/app.log projection=[line, __gleam_file, __gleam_offset]
    FilterExec: line@0 LIKE %x%
      LuaExec: MAP LUA `function(line) return line end`, using=[line@0] -> (line), children=2
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    "#);
    assert_snapshot!(physical("FROM 'data/app.log' |> FILTER LUA 'function(line) return true end' |> FLATMAP LUA 'function(line) return {line} end' AS (line) |> FILTER LUA 'function(line) return true end' |> WHERE line = 'x'"), @"
    LuaExec: FILTER LUA `function(line) return true end`, using=[line@0] -> (line), children=2
      FilterExec: line@0 = x
        LuaExec: FILTER LUA `function(line) return true end` | FLATMAP LUA `function(line) return {line} end`, using=[line@0] -> (line), children=2
          DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'cat' |> WHERE line = 'x'"), @"
    FilterExec: line@0 = x
      PipeExec: `cat`, using=[line@0], RAW -> (line), children=2
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    // A limit passes nothing that drops rows.
    assert_snapshot!(physical("FROM 'data/app.log' |> FILTER LUA 'function(line) return true end' |> LIMIT 1 |> SELECT line"), @"
    CoalescePartitionsExec: fetch=1
      LuaExec: FILTER LUA `function(line) return true end`, using=[line@0] -> (line), children=2
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
}

#[test]
fn only_used_columns_are_read() {
    // `line` and the place of the row for errors; never `file` or `line_no`.
    assert_snapshot!(explain("FROM 'data/app.log' |> MAP LUA 'function(line) return line end' AS (v)"), @"
    Lua: MAP LUA `function(line) return line end`, using=[data/app.log.line]
      TableScan: data/app.log projection=[line, __gleam_file, __gleam_offset]
    LuaExec: MAP LUA `function(line) return line end`, using=[line@0] -> (v), children=2
      DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> MAP LUA 'function(line_no) return line_no end' AS (v BIGINT)"), @"
    LuaExec: MAP LUA `function(line_no) return line_no end`, using=[line_no@0] -> (v), children=1
      DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[line_no, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> FILTER LUA 'function(line) return true end' |> AGGREGATE count(*) AS n"), @"
    ProjectionExec: expr=[count(Int64(1))@0 as n]
      AggregateExec: mode=Final, gby=[], aggr=[count(Int64(1))]
        CoalescePartitionsExec
          AggregateExec: mode=Partial, gby=[], aggr=[count(Int64(1))]
            ProjectionExec: expr=[]
              LuaExec: FILTER LUA `function(line) return true end`, using=[line@0] -> (line), children=2
                DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> FILTER LUA 'function(line) return true end' |> AGGREGATE count(*) AS n GROUP BY file"), @"
    ProjectionExec: expr=[file@0 as file, count(Int64(1))@1 as n]
      AggregateExec: mode=FinalPartitioned, gby=[file@0 as file], aggr=[count(Int64(1))]
        RepartitionExec: partitioning=Hash([file@0], 2), input_partitions=2
          AggregateExec: mode=Partial, gby=[file@0 as file], aggr=[count(Int64(1))]
            ProjectionExec: expr=[file@0 as file]
              LuaExec: FILTER LUA `function(line) return true end`, using=[line@1] -> (file, line), children=2
                DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[file, line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'cat' |> AGGREGATE count(*) AS n"), @"
    ProjectionExec: expr=[count(Int64(1))@0 as n]
      AggregateExec: mode=Final, gby=[], aggr=[count(Int64(1))]
        CoalescePartitionsExec
          AggregateExec: mode=Partial, gby=[], aggr=[count(Int64(1))]
            ProjectionExec: expr=[]
              PipeExec: `cat`, using=[line@0], RAW -> (line), children=2
                DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/requests.csv' |> MAP LUA 'function(hits) return hits end' AS (n BIGINT)"), @"
    LuaExec: MAP LUA `function(hits) return hits end`, using=[hits@0] -> (n), children=1
      DataSourceExec: file_groups={1 group: [[data/requests.csv]]}, projection=[hits], file_type=csv, has_header=true
    ");
    assert_snapshot!(physical("FROM 'data/requests.csv' |> PIPE 'cat' USING (service)"), @"
    PipeExec: `cat`, using=[service@0], RAW -> (line), children=1
      DataSourceExec: file_groups={1 group: [[data/requests.csv]]}, projection=[service], file_type=csv, has_header=true
    ");
    assert_snapshot!(physical("SELECT count(*) FROM 'data/app.log'"), @"
    ProjectionExec: expr=[count(Int64(1))@0 as count(*)]
      AggregateExec: mode=Final, gby=[], aggr=[count(Int64(1))]
        CoalescePartitionsExec
          AggregateExec: mode=Partial, gby=[], aggr=[count(Int64(1))]
            DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, file_type=text
    ");
}

#[test]
fn children_are_counted() {
    assert_snapshot!(physical("FROM 'data/parts/*.log' |> PIPE 'cat'"), @"
    PipeExec: `cat`, using=[line@0], RAW -> (line), children=2
      DataSourceExec: file_groups={2 groups: [[data/parts/1.log, data/parts/2.log:0..91], [data/parts/2.log:91..185, data/parts/3.log]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    // A compressed file is not cut.
    assert_snapshot!(physical("FROM 'data/access.log.gz' |> PIPE 'cat'"), @"
    PipeExec: `cat`, using=[line@0], RAW -> (line), children=1
      DataSourceExec: file_groups={1 group: [[data/access.log.gz]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    // Nor is one whose lines are counted.
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'cat' USING (line_no)"), @"
    PipeExec: `cat`, using=[line_no@0], RAW -> (line), children=1
      DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[line_no, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("SELECT 1 AS x |> MAP LUA 'function(x) return x end' AS (y BIGINT)"), @"
    LuaExec: MAP LUA `function(x) return x end`, using=[x@0] -> (y), children=1
      ProjectionExec: expr=[1 as x]
        PlaceholderRowExec
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> AGGREGATE count(*) AS n GROUP BY line |> MAP LUA 'function(n) return n end' AS (m BIGINT)"), @"
    LuaExec: MAP LUA `function(n) return n end`, using=[n@0] -> (m), children=2
      ProjectionExec: expr=[count(Int64(1))@1 as n]
        AggregateExec: mode=FinalPartitioned, gby=[line@0 as line], aggr=[count(Int64(1))]
          RepartitionExec: partitioning=Hash([line@0], 2), input_partitions=2
            AggregateExec: mode=Partial, gby=[line@0 as line], aggr=[count(Int64(1))]
              DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> LIMIT 2 |> PIPE 'cat'"), @"
    PipeExec: `cat`, using=[line@0], RAW -> (line), children=1
      CoalescePartitionsExec: fetch=2
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], limit=2, file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'cat' |> UNION ALL (FROM 'data/app.log' |> PIPE 'rev')"), @"
    UnionExec
      PipeExec: `cat`, using=[line@0], RAW -> (line), children=2
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
      PipeExec: `rev`, using=[line@0], RAW -> (line), children=2
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
}

#[test]
fn long_code_is_shown_by_its_first_line() {
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE $$\n  grep x |\n  sort\n$$ |> MAP LUA $$\nfunction(line)\n  return line\nend $$ AS (v)"), @"
    LuaExec: MAP LUA `function(line) …`, using=[line@0] -> (v), children=2
      PipeExec: `grep x | …`, using=[line@0], RAW -> (line), children=2
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
}

#[test]
fn clauses_of_pipe_are_requirements() {
    // DataFusion brings the rows together and sorts them.
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'uniq -c' PARTITION BY (line) ORDER BY line DESC"), @"
    PipeExec: `uniq -c`, using=[line@0], partition_by=[line@0], order_by=[line@0 DESC], RAW -> (line), children=2
      SortExec: expr=[line@0 DESC], preserve_partitioning=[true]
        RepartitionExec: partitioning=Hash([line@0], 2), input_partitions=2
          DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    // Where they are so already, it does neither.
    assert_snapshot!(physical("FROM 'data/app.log' |> AGGREGATE count(*) AS n GROUP BY line |> PIPE 'cat' USING (line, n) PARTITION BY (line)"), @"
    PipeExec: `cat`, using=[line@0, n@1], partition_by=[line@0], TSV -> (line), children=2
      ProjectionExec: expr=[line@0 as line, count(Int64(1))@1 as n]
        AggregateExec: mode=FinalPartitioned, gby=[line@0 as line], aggr=[count(Int64(1))]
          RepartitionExec: partitioning=Hash([line@0], 2), input_partitions=2
            AggregateExec: mode=Partial, gby=[line@0 as line], aggr=[count(Int64(1))]
              DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> ORDER BY line |> LIMIT 3 |> PIPE 'cat' ORDER BY line"), @"
    PipeExec: `cat`, using=[line@0], SINGLE, order_by=[line@0 ASC NULLS LAST], RAW -> (line), children=1
      SortPreservingMergeExec: [line@0 ASC NULLS LAST], fetch=3
        SortExec: TopK(fetch=3), expr=[line@0 ASC NULLS LAST], preserve_partitioning=[true]
          DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    // One order is one child, and so is SINGLE.
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'cat' ORDER BY length(line), line_no"), @"
    PipeExec: `cat`, using=[line@1], SINGLE, order_by=[character_length(line@1) ASC NULLS LAST, line_no@0 ASC NULLS LAST], RAW -> (line), children=1
      SortExec: expr=[character_length(line@1) ASC NULLS LAST, line_no@0 ASC NULLS LAST], preserve_partitioning=[false]
        DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[line_no, line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'wc -l' SINGLE FORMAT CSV AS (n BIGINT) OK EXIT (0, 3) TIMEOUT '5s' ON ERROR SKIP"), @"
    PipeExec: `wc -l`, using=[line@0], SINGLE, CSV -> (n), OK EXIT (0, 3), TIMEOUT 5s, ON ERROR SKIP, children=1
      CoalescePartitionsExec
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'echo $1' PER ROW"), @"
    PipeExec: `echo $1`, using=[line@0], PER ROW, RAW -> (line), tasks=2
      DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    // What has clauses of its own is a pipeline of its own.
    assert_snapshot!(physical("FROM 'data/app.log' |> PIPE 'sort' SINGLE |> PIPE 'uniq' |> PIPE 'cat' OK EXIT (1) |> PIPE 'wc -l' SINGLE"), @"
    PipeExec: `wc -l`, using=[line@0], SINGLE, RAW -> (line), children=1
      PipeExec: `cat`, using=[line@0], RAW -> (line), OK EXIT (1), children=1
        PipeExec: `sort` | `uniq`, using=[line@0], SINGLE, RAW -> (line), children=1
          CoalescePartitionsExec
            DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
}

#[test]
fn folds_are_partial_and_final() {
    assert_snapshot!(explain("FROM 'data/requests.csv' |> REDUCE LUA 'function(a, hits) return a + hits end' BY (tier) AS (total BIGINT)"), @"
    Reduce: REDUCE LUA `function(a, hits) return a + hits end`, by=[data/requests.csv.tier], using=[data/requests.csv.hits]
      TableScan: data/requests.csv projection=[hits, tier]
    ReduceExec: REDUCE LUA `function(a, hits) return a + hits end`, final, by=[tier@0], using=[total@1] -> (tier, total), children=2
      RepartitionExec: partitioning=Hash([tier@0], 2), input_partitions=1
        ReduceExec: REDUCE LUA `function(a, hits) return a + hits end`, partial, by=[tier@1], using=[hits@0] -> (tier, total), children=1
          DataSourceExec: file_groups={1 group: [[data/requests.csv]]}, projection=[hits, tier], file_type=csv, has_header=true
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> REDUCE LUA 'function(a, line_no) return a + line_no end' AS (n BIGINT)"), @"
    ReduceExec: REDUCE LUA `function(a, line_no) return a + line_no end`, final, by=[], using=[n@0] -> (n), children=1
      ReduceExec: REDUCE LUA `function(a, line_no) return a + line_no end`, partial, by=[], using=[line_no@0] -> (n), children=1
        DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[line_no, __gleam_file, __gleam_offset], file_type=text
    ");
    // In the order that was asked for, or with errors to count, every row is folded once.
    assert_snapshot!(physical("FROM 'data/app.log' |> ORDER BY line |> REDUCE LUA 'function(a, line) return a .. line end' AS (s)"), @"
    ReduceExec: REDUCE LUA `function(a, line) return a .. line end`, in order, by=[], using=[line@0] -> (s), children=1
      SortPreservingMergeExec: [line@0 ASC NULLS LAST]
        SortExec: expr=[line@0 ASC NULLS LAST], preserve_partitioning=[true]
          DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line, __gleam_file, __gleam_offset], file_type=text
    ");
    assert_snapshot!(physical("FROM 'data/app.log' |> REDUCE LUA 'function(a, line_no) return a + line_no end' BY (line) AS (n BIGINT) ON ERROR SKIP"), @"
    ReduceExec: REDUCE LUA `function(a, line_no) return a + line_no end`, final, by=[line@1], using=[line_no@0] -> (line, n), children=2
      RepartitionExec: partitioning=Hash([line@1], 2), input_partitions=1
        DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[line_no, line, __gleam_file, __gleam_offset], file_type=text
    ");
}

#[test]
fn calls_of_functions_are_operators() {
    const DOUBLE: &str = "CREATE FUNCTION double(n BIGINT) RETURNS BIGINT LANGUAGE LUA AS 'function(n) return 2 * n end';";
    let explain = |query: &str| plans(&format!("{DOUBLE} EXPLAIN {query}"));
    // One child for all calls of a step; equal calls are one.
    assert_snapshot!(explain("SELECT double(line_no), double(line_no) + 1, double(length(line)) FROM 'data/app.log' WHERE line <> ''"), @r#"
    Projection: __gleam_call_1 AS double(data/app.log.line_no), __gleam_call_1 + Int64(1) AS double(data/app.log.line_no) + Int64(1), __gleam_call_2 AS double(length(data/app.log.line))
      Lua: FUNCTION double `function(n) return 2 * n end` | FUNCTION double `function(n) return 2 * n end`, using=[data/app.log.line_no, CAST(character_length(data/app.log.line) AS length(data/app.log.line) AS Int64)]
        Filter: data/app.log.line != Utf8View("")
          TableScan: data/app.log projection=[line_no, line, __gleam_file, __gleam_offset]
    ProjectionExec: expr=[__gleam_call_1@4 as double(data/app.log.line_no), __gleam_call_1@4 + 1 as double(data/app.log.line_no) + Int64(1), __gleam_call_2@5 as double(length(data/app.log.line))]
      LuaExec: FUNCTION double `function(n) return 2 * n end` | FUNCTION double `function(n) return 2 * n end`, using=[line_no@0, CAST(character_length(line@1) AS Int64)] -> (line_no, line, __gleam_file, __gleam_offset, __gleam_call_1, __gleam_call_2), children=1
        FilterExec: line@1 != 
          DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[line_no, line, __gleam_file, __gleam_offset], file_type=text
    "#);
    // A call of a call follows it.
    assert_snapshot!(explain("SELECT double(double(line_no) + 1) AS n FROM 'data/app.log'"), @"
    Projection: __gleam_call_2 AS n
      Lua: FUNCTION double `function(n) return 2 * n end`, using=[__gleam_call_1 + Int64(1)]
        Lua: FUNCTION double `function(n) return 2 * n end`, using=[data/app.log.line_no]
          TableScan: data/app.log projection=[line_no, __gleam_file, __gleam_offset]
    ProjectionExec: expr=[__gleam_call_2@4 as n]
      LuaExec: FUNCTION double `function(n) return 2 * n end`, using=[__gleam_call_1@3 + 1] -> (line_no, __gleam_file, __gleam_offset, __gleam_call_1, __gleam_call_2), children=1
        LuaExec: FUNCTION double `function(n) return 2 * n end`, using=[line_no@0] -> (line_no, __gleam_file, __gleam_offset, __gleam_call_1), children=1
          DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[line_no, __gleam_file, __gleam_offset], file_type=text
    ");
    // A branch that is not taken is not computed.
    assert_snapshot!(explain("SELECT CASE WHEN line_no > 2 THEN double(line_no) END AS n FROM 'data/app.log'"), @"
    Projection: CASE WHEN data/app.log.line_no > Int64(2) THEN __gleam_call_1 END AS n
      Lua: FUNCTION double `function(n) return 2 * n end`, using=[data/app.log.line_no > Int64(2) IS TRUE, data/app.log.line_no]
        TableScan: data/app.log projection=[line_no, __gleam_file, __gleam_offset]
    ProjectionExec: expr=[CASE WHEN line_no@0 > 2 THEN __gleam_call_1@3 END as n]
      LuaExec: FUNCTION double `function(n) return 2 * n end`, using=[(line_no@0 > 2) IS NOT DISTINCT FROM true, line_no@0] -> (line_no, __gleam_file, __gleam_offset, __gleam_call_1), children=1
        DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[line_no, __gleam_file, __gleam_offset], file_type=text
    ");
    // A predicate that cannot fail goes first.
    assert_snapshot!(explain("FROM 'data/app.log' |> EXTEND double(line_no) AS n |> WHERE n > 4 AND line LIKE '%web%' |> SELECT n"), @r#"
    Projection: __gleam_call_1 AS n
      Filter: __gleam_call_1 > Int64(4)
        Projection: __gleam_call_1
          Lua: FUNCTION double `function(n) return 2 * n end`, using=[data/app.log.line_no]
            Filter: data/app.log.line LIKE Utf8View("%web%")
              TableScan: data/app.log projection=[line_no, line, __gleam_file, __gleam_offset]
    ProjectionExec: expr=[__gleam_call_1@0 as n]
      FilterExec: __gleam_call_1@0 > 4
        ProjectionExec: expr=[__gleam_call_1@4 as __gleam_call_1]
          LuaExec: FUNCTION double `function(n) return 2 * n end`, using=[line_no@0] -> (line_no, line, __gleam_file, __gleam_offset, __gleam_call_1), children=1
            FilterExec: line@1 LIKE %web%
              DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[line_no, line, __gleam_file, __gleam_offset], file_type=text, lines with='web'
    "#);
    // A side of a join computes its own key.
    assert_snapshot!(explain("SELECT r.service FROM 'data/requests.csv' r JOIN 'data/requests.csv' s ON double(r.hits) = s.hits"), @"
    Projection: r.service
      Inner Join: __gleam_call_left_1 = s.hits
        Projection: r.service, __gleam_call_left_1
          Lua: FUNCTION double `function(n) return 2 * n end`, using=[r.hits]
            SubqueryAlias: r
              TableScan: data/requests.csv projection=[service, hits]
        SubqueryAlias: s
          TableScan: data/requests.csv projection=[hits]
    HashJoinExec: mode=Partitioned, join_type=Inner, on=[(__gleam_call_left_1@1, hits@0)], projection=[service@0]
      RepartitionExec: partitioning=Hash([__gleam_call_left_1@1], 2), input_partitions=1
        ProjectionExec: expr=[service@0 as service, __gleam_call_left_1@2 as __gleam_call_left_1]
          LuaExec: FUNCTION double `function(n) return 2 * n end`, using=[hits@1] -> (service, hits, __gleam_call_left_1), children=1
            DataSourceExec: file_groups={1 group: [[data/requests.csv]]}, projection=[service, hits], file_type=csv, has_header=true
      RepartitionExec: partitioning=Hash([hits@0], 2), input_partitions=1
        DataSourceExec: file_groups={1 group: [[data/requests.csv]]}, projection=[hits], file_type=csv, has_header=true
    ");
}
