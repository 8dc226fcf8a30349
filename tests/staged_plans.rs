//! What queries become on agents: stages, their tasks, and what goes between them.
//!
//! Planning opens no connection, so that the agents need not be there. Every input is worth a task,
//! however small, and files are cut in byte ranges.

#![expect(clippy::expect_used, reason = "a test stops at its first failure")]

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::common::exec_err;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::collect;
use datafusion_distributed::{ChannelResolver, WorkerChannel};
use gleam_sql_parser::parse_script;
use gleam_sql_planner::{Cluster, Planned, Session, SessionOptions};
use insta::assert_snapshot;
use url::Url;

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/slt");

const EVERY_BYTE_COUNTS: &str = "SET gleam.min_task_bytes = 1; \
    SET datafusion.optimizer.repartition_file_min_size = 1";

/// The physical plan of a query over `data/…` on three agents.
fn staged(query: &str) -> String {
    explain(3, EVERY_BYTE_COUNTS, query)
}

/// What EXPLAIN shows as physical plan, after `settings`, on so many agents.
fn explain(agents: usize, settings: &str, query: &str) -> String {
    let script = format!("{settings}; EXPLAIN {query}");
    in_runtime(async {
        let planned = plan(&mut start(agents), &script).await;
        let batches = collect(planned.plan, planned.context).await.expect("EXPLAIN runs");
        let batch = batches.first().expect("EXPLAIN has rows");
        let text = |column| {
            let text =
                arrow::compute::cast(batch.column(column), &arrow::datatypes::DataType::Utf8);
            arrow::array::AsArray::as_string::<i32>(&text.expect("plans are text")).clone()
        };
        let (names, bodies) = (text(0), text(1));
        let row = names.iter().position(|name| name == Some("physical_plan"));
        anywhere(bodies.value(row.expect("there is a physical plan")))
    })
}

fn in_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().expect("a runtime can be started").block_on(future)
}

/// A session in the directory that holds `data/`: places in plans must not depend on the checkout.
fn start(agents: usize) -> Session {
    std::env::set_current_dir(DIRECTORY).expect("the data is there");
    let url = |index| Url::parse(&format!("http://10.0.0.{index}:4711")).expect("a URL");
    let agents = (1..=agents).map(url).collect();
    let cluster = Cluster { agents, channels: Arc::new(NoWay), slots: 2 };
    Session::new(SessionOptions { cluster: Some(cluster), ..Default::default() })
}

/// A way to agents that nobody may take.
struct NoWay;

#[async_trait]
impl ChannelResolver for NoWay {
    async fn get_worker_client_for_url(
        &self,
        agent: &Url,
    ) -> Result<Box<dyn WorkerChannel>, DataFusionError> {
        exec_err!("planning went to {agent}")
    }
}

async fn plan(session: &mut Session, script: &str) -> Planned {
    let mut last = None;
    for statement in parse_script(script) {
        let statement = statement.map_err(|error| error.render(script, None));
        let planned = session.plan(&statement.expect("it can be parsed"), script).await;
        let planned = planned.map_err(|error| error.render(script, None));
        let planned = planned.expect("it can be planned");
        if planned.plan.name() == "NewTableExec" {
            let (plan, context) = (Arc::clone(&planned.plan), Arc::clone(&planned.context));
            collect(plan, context).await.expect("the table is made");
        }
        last = Some(planned);
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
fn keys_meet_by_hash_and_orders_are_merged_in_the_driver() {
    assert_snapshot!(staged("FROM 'data/app.log' |> FLATMAP LUA 'function(line) return line:gmatch(\"%w+\") end' AS (word) |> AGGREGATE count(*) AS n GROUP BY word |> ORDER BY n DESC, word |> LIMIT 3"), @r#"
    driver
      SortPreservingMergeExec: [n@1 DESC, word@0 ASC NULLS LAST], fetch=3
        ordered merge of stage 2
    stage 2: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      LocalLimitExec: fetch=3
        ProjectionExec: expr=[word@0 as word, count(Int64(1))@1 as n]
          SortExec: TopK(fetch=3), expr=[count(Int64(1))@1 DESC, word@0 ASC NULLS LAST], preserve_partitioning=[true]
            AggregateExec: mode=FinalPartitioned, gby=[word@0 as word], aggr=[count(Int64(1))]
              shuffle of stage 1 by hash of (word)
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      AggregateExec: mode=Partial, gby=[word@0 as word], aggr=[count(Int64(1))]
        LuaExec: FLATMAP LUA `function(line) return line:gmatch("%w+") end`, using=[line@0] -> (word), children=2
          DataSourceExec: data/app.log in 6 ranges, projection=[line, __gleam_file, __gleam_offset], file_type=text
            1 of 3: data/app.log:0..24, data/app.log:24..48
            2 of 3: data/app.log:48..72, data/app.log:72..96
            3 of 3: data/app.log:96..120, data/app.log:120..143
    "#);
    assert_snapshot!(staged("SELECT line FROM 'data/app.log' ORDER BY line"), @"
    driver
      SortPreservingMergeExec: [line@0 ASC NULLS LAST]
        ordered merge of stage 1
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      SortExec: expr=[line@0 ASC NULLS LAST], preserve_partitioning=[true]
        DataSourceExec: data/app.log in 6 ranges, projection=[line], file_type=text
          1 of 3: data/app.log:0..24, data/app.log:24..48
          2 of 3: data/app.log:48..72, data/app.log:72..96
          3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
    assert_snapshot!(staged("SELECT DISTINCT line FROM 'data/app.log'"), @"
    driver
      CoalescePartitionsExec
        gather of stage 2
    stage 2: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      AggregateExec: mode=FinalPartitioned, gby=[line@0 as line], aggr=[]
        shuffle of stage 1 by hash of (line)
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      AggregateExec: mode=Partial, gby=[line@0 as line], aggr=[]
        DataSourceExec: data/app.log in 6 ranges, projection=[line], file_type=text
          1 of 3: data/app.log:0..24, data/app.log:24..48
          2 of 3: data/app.log:48..72, data/app.log:72..96
          3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
    assert_snapshot!(staged("FROM 'data/app.log' |> AGGREGATE count(*)"), @"
    driver
      ProjectionExec: expr=[count(Int64(1))@0 as count(*)]
        AggregateExec: mode=Final, gby=[], aggr=[count(Int64(1))]
          CoalescePartitionsExec
            gather of stage 1
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      AggregateExec: mode=Partial, gby=[], aggr=[count(Int64(1))]
        DataSourceExec: data/app.log in 6 ranges, file_type=text
          1 of 3: data/app.log:0..24, data/app.log:24..48
          2 of 3: data/app.log:48..72, data/app.log:72..96
          3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
}

#[test]
fn operators_see_the_rows_that_they_need_together() {
    // Each key in one task, its rows in order.
    assert_snapshot!(staged("FROM 'data/app.log' |> EXTEND length(line) AS k |> PIPE 'cat' USING (line) PARTITION BY (k) ORDER BY line AS (text)"), @"
    driver
      CoalescePartitionsExec
        gather of stage 2
    stage 2: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      PipeExec: `cat`, using=[line@0], partition_by=[k@1], order_by=[line@0 ASC NULLS LAST], RAW -> (text), children=2
        SortExec: expr=[line@0 ASC NULLS LAST], preserve_partitioning=[true]
          shuffle of stage 1 by hash of (k)
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      DataSourceExec: data/app.log in 6 ranges, projection=[line, character_length(line@2) as k, __gleam_file, __gleam_offset], file_type=text
        1 of 3: data/app.log:0..24, data/app.log:24..48
        2 of 3: data/app.log:48..72, data/app.log:72..96
        3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
    // All rows in one.
    assert_snapshot!(staged("FROM 'data/app.log' |> PIPE 'cat' SINGLE"), @"
    driver
      PipeExec: `cat`, using=[line@0], SINGLE, RAW -> (line), children=1
        CoalescePartitionsExec
          gather of stage 1
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      DataSourceExec: data/app.log in 6 ranges, projection=[line, __gleam_file, __gleam_offset], file_type=text
        1 of 3: data/app.log:0..24, data/app.log:24..48
        2 of 3: data/app.log:48..72, data/app.log:72..96
        3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
    assert_snapshot!(staged("FROM 'data/app.log' |> ORDER BY line |> PIPE 'cat'"), @"
    driver
      PipeExec: `cat`, using=[line@0], RAW -> (line), in order, children=1
        SortPreservingMergeExec: [line@0 ASC NULLS LAST]
          ordered merge of stage 1
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      SortExec: expr=[line@0 ASC NULLS LAST], preserve_partitioning=[true]
        DataSourceExec: data/app.log in 6 ranges, projection=[line, __gleam_file, __gleam_offset], file_type=text
          1 of 3: data/app.log:0..24, data/app.log:24..48
          2 of 3: data/app.log:48..72, data/app.log:72..96
          3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
    assert_snapshot!(staged("FROM 'data/app.log' |> EXTEND length(line) AS n |> REDUCE LUA 'function(a, n) return a + n end' AS (total BIGINT)"), @"
    driver
      ReduceExec: REDUCE LUA `function(a, n) return a + n end`, final, by=[], using=[total@0] -> (total), children=1
        CoalescePartitionsExec
          gather of stage 1
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      ReduceExec: REDUCE LUA `function(a, n) return a + n end`, partial, by=[], using=[n@0] -> (total), children=2
        DataSourceExec: data/app.log in 6 ranges, projection=[character_length(line@2) as n, __gleam_file, __gleam_offset], file_type=text
          1 of 3: data/app.log:0..24, data/app.log:24..48
          2 of 3: data/app.log:48..72, data/app.log:72..96
          3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
    assert_snapshot!(staged("FROM 'data/app.log' |> EXTEND length(line) AS n |> REDUCE LUA 'function(a, n) return a + n end' BY (line) AS (total BIGINT)"), @"
    driver
      CoalescePartitionsExec
        gather of stage 2
    stage 2: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      ReduceExec: REDUCE LUA `function(a, n) return a + n end`, final, by=[line@0], using=[total@1] -> (line, total), children=2
        shuffle of stage 1 by hash of (line)
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      ReduceExec: REDUCE LUA `function(a, n) return a + n end`, partial, by=[line@0], using=[n@1] -> (line, total), children=2
        DataSourceExec: data/app.log in 6 ranges, projection=[line, character_length(line@2) as n, __gleam_file, __gleam_offset], file_type=text
          1 of 3: data/app.log:0..24, data/app.log:24..48
          2 of 3: data/app.log:48..72, data/app.log:72..96
          3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
    assert_snapshot!(staged("SELECT line, row_number() OVER (ORDER BY line) FROM 'data/app.log'"), @r#"
    driver
      BoundedWindowAggExec: wdw=[row_number() ORDER BY [data/app.log.line ASC NULLS LAST] RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW: Field { "row_number() ORDER BY [data/app.log.line ASC NULLS LAST] RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW": UInt64 }, frame: RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW], mode=[Sorted]
        SortPreservingMergeExec: [line@0 ASC NULLS LAST]
          ordered merge of stage 1
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      SortExec: expr=[line@0 ASC NULLS LAST], preserve_partitioning=[true]
        DataSourceExec: data/app.log in 6 ranges, projection=[line], file_type=text
          1 of 3: data/app.log:0..24, data/app.log:24..48
          2 of 3: data/app.log:48..72, data/app.log:72..96
          3 of 3: data/app.log:96..120, data/app.log:120..143
    "#);
}

#[test]
fn joins() {
    assert_snapshot!(staged("SELECT a.line FROM 'data/app.log' a JOIN 'data/access.log' b ON a.line = b.line"), @"
    driver
      CoalescePartitionsExec
        gather of stage 2
    stage 2: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      HashJoinExec: mode=CollectLeft, join_type=Inner, on=[(line@0, line@0)], projection=[line@0]
        CoalescePartitionsExec
          broadcast of stage 1
        DataSourceExec: data/access.log in 6 ranges, projection=[line], file_type=text
          1 of 3: data/access.log:0..118, data/access.log:118..236
          2 of 3: data/access.log:236..354, data/access.log:354..472
          3 of 3: data/access.log:472..590, data/access.log:590..706
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      DataSourceExec: data/app.log in 6 ranges, projection=[line], file_type=text
        1 of 3: data/app.log:0..24, data/app.log:24..48
        2 of 3: data/app.log:48..72, data/app.log:72..96
        3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
    assert_snapshot!(staged("SELECT a.line FROM 'data/app.log' a LEFT JOIN 'data/access.log' b ON length(a.line) > length(b.line)"), @"
    driver
      ProjectionExec: expr=[line@0 as line]
        NestedLoopJoinExec: join_type=Right, filter=join_proj_push_down_1@0 > join_proj_push_down_2@1, projection=[line@2, line@0]
          CoalescePartitionsExec
            broadcast of stage 1
          ProjectionExec: expr=[line@0 as line, character_length(line@0) as join_proj_push_down_1]
            CoalescePartitionsExec
              gather of stage 2
    stage 2: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      DataSourceExec: data/app.log in 6 ranges, projection=[line], file_type=text
        1 of 3: data/app.log:0..24, data/app.log:24..48
        2 of 3: data/app.log:48..72, data/app.log:72..96
        3 of 3: data/app.log:96..120, data/app.log:120..143
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      DataSourceExec: data/access.log in 6 ranges, projection=[line, character_length(line@2) as join_proj_push_down_2], file_type=text
        1 of 3: data/access.log:0..118, data/access.log:118..236
        2 of 3: data/access.log:236..354, data/access.log:354..472
        3 of 3: data/access.log:472..590, data/access.log:590..706
    ");
    assert_snapshot!(staged("SELECT line FROM 'data/app.log' WHERE line NOT IN (SELECT line FROM 'data/access.log')"), @"
    driver
      CoalescePartitionsExec
        gather of stage 3
    stage 3: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      HashJoinExec: mode=Partitioned, join_type=LeftAnti, on=[(line@0, line@0)]
        shuffle of stage 1 by hash of (line)
        shuffle of stage 2 by hash of (line)
    stage 2: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      DataSourceExec: data/access.log in 6 ranges, projection=[line], file_type=text
        1 of 3: data/access.log:0..118, data/access.log:118..236
        2 of 3: data/access.log:236..354, data/access.log:354..472
        3 of 3: data/access.log:472..590, data/access.log:590..706
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      DataSourceExec: data/app.log in 6 ranges, projection=[line], file_type=text
        1 of 3: data/app.log:0..24, data/app.log:24..48
        2 of 3: data/app.log:48..72, data/app.log:72..96
        3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
    assert_snapshot!(staged("SELECT line FROM 'data/app.log' WHERE length(line) > (SELECT avg(length(line)) FROM 'data/access.log')"), @"
    ScalarSubqueryExec: subqueries=1
      FilterExec: CAST(character_length(line@0) AS Float64) > scalar_subquery(<pending>)
        DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line], file_type=text
      AggregateExec: mode=Final, gby=[], aggr=[avg(length(data/access.log.line))]
        CoalescePartitionsExec
          AggregateExec: mode=Partial, gby=[], aggr=[avg(length(data/access.log.line))]
            DataSourceExec: file_groups={2 groups: [[data/access.log:0..353], [data/access.log:353..706]]}, projection=[line], file_type=text
    ");
    // The first few rows are the same ones for all tasks.
    assert_snapshot!(staged("SELECT a.line FROM (SELECT line FROM 'data/app.log' LIMIT 5) a JOIN 'data/access.log' b ON a.line = b.line"), @"
    driver
      CoalescePartitionsExec
        gather of stage 3
    stage 3: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      HashJoinExec: mode=CollectLeft, join_type=Inner, on=[(line@0, line@0)], projection=[line@0]
        CoalescePartitionsExec
          broadcast of stage 2
        DataSourceExec: data/access.log in 6 ranges, projection=[line], file_type=text
          1 of 3: data/access.log:0..118, data/access.log:118..236
          2 of 3: data/access.log:236..354, data/access.log:354..472
          3 of 3: data/access.log:472..590, data/access.log:590..706
    stage 2: 1 task of 1 partition on 10.0.0.1:4711
      GlobalLimitExec: skip=0, fetch=5
        CoalescePartitionsExec: fetch=5
          gather of stage 1
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      LocalLimitExec: fetch=5
        DataSourceExec: data/app.log in 6 ranges, projection=[line], limit=5, file_type=text
          1 of 3: data/app.log:0..24, data/app.log:24..48
          2 of 3: data/app.log:48..72, data/app.log:72..96
          3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
    // An anti join that knows of NULLs is one task.
    assert_snapshot!(staged("SELECT line FROM 'data/app.log' WHERE nullif(line, 'x') NOT IN (SELECT nullif(line, 'y') FROM 'data/access.log')"), @r#"
    driver
      CoalescePartitionsExec
        HashJoinExec: mode=CollectLeft, join_type=LeftAnti, on=[(nullif(data/app.log.line,Utf8View("x"))@1, nullif(data/access.log.line,Utf8("y"))@0)], projection=[line@0], null_aware
          CoalescePartitionsExec
            gather of stage 1
          DataSourceExec: data/access.log in 2 ranges, projection=[nullif(line@2, y) as nullif(data/access.log.line,Utf8("y"))], file_type=text
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      DataSourceExec: data/app.log in 6 ranges, projection=[line, nullif(line@2, x) as nullif(data/app.log.line,Utf8View("x"))], file_type=text
        1 of 3: data/app.log:0..24, data/app.log:24..48
        2 of 3: data/app.log:48..72, data/app.log:72..96
        3 of 3: data/app.log:96..120, data/app.log:120..143
    "#);
    assert_snapshot!(staged("SELECT a.line FROM 'data/app.log' a LEFT JOIN 'data/access.log' b ON a.line = b.line"), @"
    driver
      CoalescePartitionsExec
        gather of stage 3
    stage 3: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      HashJoinExec: mode=Partitioned, join_type=Left, on=[(line@0, line@0)], projection=[line@0]
        shuffle of stage 1 by hash of (line)
        shuffle of stage 2 by hash of (line)
    stage 2: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      DataSourceExec: data/access.log in 6 ranges, projection=[line], file_type=text
        1 of 3: data/access.log:0..118, data/access.log:118..236
        2 of 3: data/access.log:236..354, data/access.log:354..472
        3 of 3: data/access.log:472..590, data/access.log:590..706
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      DataSourceExec: data/app.log in 6 ranges, projection=[line], file_type=text
        1 of 3: data/app.log:0..24, data/app.log:24..48
        2 of 3: data/app.log:48..72, data/app.log:72..96
        3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
}

#[test]
fn limits_hold_for_all_tasks_together() {
    assert_snapshot!(staged("SELECT line FROM 'data/app.log' LIMIT 3"), @"
    driver
      CoalescePartitionsExec: fetch=3
        gather of stage 1
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      LocalLimitExec: fetch=3
        DataSourceExec: data/app.log in 6 ranges, projection=[line], limit=3, file_type=text
          1 of 3: data/app.log:0..24, data/app.log:24..48
          2 of 3: data/app.log:48..72, data/app.log:72..96
          3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
    assert_snapshot!(staged("SELECT line FROM 'data/app.log' WHERE line LIKE '%x%' LIMIT 3"), @"
    driver
      CoalescePartitionsExec: fetch=3
        gather of stage 1
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      FilterExec: line@0 LIKE %x%, fetch=3
        DataSourceExec: data/app.log in 6 ranges, projection=[line], file_type=text, lines with='x'
          1 of 3: data/app.log:0..24, data/app.log:24..48
          2 of 3: data/app.log:48..72, data/app.log:72..96
          3 of 3: data/app.log:96..120, data/app.log:120..143
    ");
    // One partition, which DataFusion limits where it is read.
    assert_snapshot!(explain(3, "SET gleam.min_task_bytes = 1", "FROM 'data/app.log' |> LIMIT 3"), @"DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[file, line_no, line], limit=3, file_type=text");
    assert_snapshot!(explain(3, "SET gleam.min_task_bytes = 1", "SELECT line FROM (SELECT line FROM 'data/app.log' LIMIT 3) UNION ALL SELECT line FROM 'data/access.log'"), @"
    driver
      CoalescePartitionsExec
        gather of stage 1
    stage 1: 2 tasks of 1 partition on 10.0.0.1:4711, 10.0.0.2:4711
      UnionExec: input 1 in task 1; input 2 in task 2
        DataSourceExec: data/app.log, projection=[line], limit=3, file_type=text
        DataSourceExec: data/access.log, projection=[line], file_type=text
    ");
    assert_snapshot!(explain(3, "SET gleam.min_task_bytes = 1", "SELECT length(line), count(*) FROM (SELECT line FROM 'data/app.log' WHERE line LIKE '%x%' LIMIT 3) GROUP BY 1"), @"
    ProjectionExec: expr=[character_length(data/app.log.line)@0 as length(data/app.log.line), count(Int64(1))@1 as count(*)]
      AggregateExec: mode=FinalPartitioned, gby=[character_length(data/app.log.line)@0 as character_length(data/app.log.line)], aggr=[count(Int64(1))]
        RepartitionExec: partitioning=Hash([character_length(data/app.log.line)@0], 2), input_partitions=1
          AggregateExec: mode=Partial, gby=[character_length(line@0) as character_length(data/app.log.line)], aggr=[count(Int64(1))]
            FilterExec: line@0 LIKE %x%, fetch=3
              DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[line], file_type=text, lines with='x'
    ");
}

#[test]
fn files_are_dealt_out() {
    // Whole, where they cannot be cut.
    assert_snapshot!(staged("SELECT upper(line) FROM 'data/access.log.gz'"), @"DataSourceExec: file_groups={1 group: [[data/access.log.gz]]}, projection=[upper(line@2) as upper(data/access.log.gz.line)], file_type=text");
    assert_snapshot!(staged("SELECT line_no, upper(line) FROM 'data/app.log'"), @"DataSourceExec: file_groups={1 group: [[data/app.log]]}, projection=[line_no, upper(line@2) as upper(data/app.log.line)], file_type=text");
    assert_snapshot!(staged("SELECT line_no, upper(line) FROM 'data/*.log'"), @"
    driver
      CoalescePartitionsExec
        gather of stage 1
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      DataSourceExec: 8 files, projection=[line_no, upper(line@2) as upper(data/*.log.line)], file_type=text
        1 of 3: data/access.log
        2 of 3: data/access_crlf.log
        3 of 3: data/access_no_newline.log, data/app.log, data/empty.log, data/numbers.log, and 2 more
    ");
    // In ranges.
    assert_snapshot!(staged("SELECT upper(line) FROM 'data/*.log'"), @"
    driver
      CoalescePartitionsExec
        gather of stage 1
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      DataSourceExec: 8 files in 13 parts, projection=[upper(line@2) as upper(data/*.log.line)], file_type=text
        1 of 3: data/access.log:0..404, data/access.log:404..706, data/access_crlf.log:0..102
        2 of 3: data/access_crlf.log:102..506, data/access_crlf.log:506..714, data/access_no_newline.log:0..196
        3 of 3: data/access_no_newline.log:196..600, data/access_no_newline.log:600..705, data/app.log, data/empty.log, and 3 more
    ");
    assert_snapshot!(staged("SELECT hits + 1 FROM 'data/requests.csv'"), @"DataSourceExec: file_groups={1 group: [[data/requests.csv]]}, projection=[hits@1 + 1 as data/requests.csv.hits + Int64(1)], file_type=csv, has_header=true");
    // What is small stays together.
    assert_snapshot!(explain(3, EVERY_BYTE_COUNTS.replace("= 1;", "= 60;").as_str(), "SELECT upper(line) FROM 'data/app.log'"), @"
    driver
      CoalescePartitionsExec
        gather of stage 1
    stage 1: 2 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711
      DataSourceExec: data/app.log in 4 ranges, projection=[upper(line@2) as upper(data/app.log.line)], file_type=text
        1 of 2: data/app.log:0..36, data/app.log:36..72
        2 of 2: data/app.log:72..108, data/app.log:108..143
    ");
    // Inputs of a union have tasks of their own.
    assert_snapshot!(staged("SELECT line FROM 'data/app.log' UNION ALL SELECT upper(line) FROM 'data/access.log'"), @"
    driver
      CoalescePartitionsExec
        gather of stage 1
    stage 1: 3 tasks of 2 partitions on 10.0.0.1:4711, 10.0.0.2:4711, 10.0.0.3:4711
      UnionExec: input 1 in tasks 1, 2; input 2 in task 3
        DataSourceExec: data/app.log in 4 ranges, projection=[CAST(line@2 AS Utf8View) as line], file_type=text
          1 of 2: data/app.log:0..36, data/app.log:36..72
          2 of 2: data/app.log:72..108, data/app.log:108..143
        DataSourceExec: data/access.log in 2 ranges, projection=[upper(line@2) as line], file_type=text
    ");
}

#[test]
fn a_single_agent_has_two_tasks() {
    assert_snapshot!(explain(1, EVERY_BYTE_COUNTS, "SELECT line, count(*) FROM 'data/app.log' GROUP BY line"), @"
    driver
      CoalescePartitionsExec
        gather of stage 2
    stage 2: 2 tasks of 2 partitions, both on 10.0.0.1:4711
      ProjectionExec: expr=[line@0 as line, count(Int64(1))@1 as count(*)]
        AggregateExec: mode=FinalPartitioned, gby=[line@0 as line], aggr=[count(Int64(1))]
          shuffle of stage 1 by hash of (line)
    stage 1: 2 tasks of 2 partitions, both on 10.0.0.1:4711
      AggregateExec: mode=Partial, gby=[line@0 as line], aggr=[count(Int64(1))]
        DataSourceExec: data/app.log in 4 ranges, projection=[line], file_type=text
          1 of 2: data/app.log:0..36, data/app.log:36..72
          2 of 2: data/app.log:72..108, data/app.log:108..143
    ");
}

#[test]
fn what_stays_in_the_driver_is_shown_as_ever() {
    // Little to do.
    assert_snapshot!(explain(3, "SET datafusion.optimizer.repartition_file_min_size = 1", "SELECT line, count(*) FROM 'data/app.log' GROUP BY line"), @"
    ProjectionExec: expr=[line@0 as line, count(Int64(1))@1 as count(*)]
      AggregateExec: mode=FinalPartitioned, gby=[line@0 as line], aggr=[count(Int64(1))]
        RepartitionExec: partitioning=Hash([line@0], 2), input_partitions=2
          AggregateExec: mode=Partial, gby=[line@0 as line], aggr=[count(Int64(1))]
            DataSourceExec: file_groups={2 groups: [[data/app.log:0..72], [data/app.log:72..143]]}, projection=[line], file_type=text
    ");
    // Not there for others.
    assert_snapshot!(staged("FROM stdin |> WHERE line LIKE '%x%'"), @"
    FilterExec: line@2 LIKE %x%
      CooperativeExec
        StdinExec: projection=[file, line_no, line]
    ");
    assert_snapshot!(explain(3, &format!("CREATE TABLE t AS SELECT line FROM 'data/app.log'; {EVERY_BYTE_COUNTS}"), "FROM t |> WHERE line LIKE '%x%'"), @"
    FilterExec: line@0 LIKE %x%
      DataSourceExec: partitions=1, partition_sizes=[1]
    ");
}
