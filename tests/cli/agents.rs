//! Queries on agents answer, fail and warn as they do on one machine.

use std::os::unix::fs::symlink;
use std::time::Duration;

use crate::support::{AccessLog, Agent, Place, check_as};

const SOON: Duration = Duration::from_secs(60);

/// Cut in parts however small it is, so that every agent has work.
const SPREAD: &str =
    "SET gleam.min_task_bytes = 1; SET datafusion.optimizer.repartition_file_min_size = 1;";

fn log() -> Place {
    let log = AccessLog::new(3000);
    let place = Place::with("access.log", log.text());
    let lines = log.lines();
    place.write("parts/a.log", lines[..1000].join("\n") + "\n");
    place.write("parts/b.log", lines[1000..].join("\n"));
    place
}

const QUERIES: &[&str] = &[
    "SELECT count(*) FROM 'access.log'",
    "SELECT count(*), count(DISTINCT file) FROM 'parts/*.log'",
    "FROM 'access.log' |> PIPE 'cut -d\" \" -f1' |> AGGREGATE count(*) AS n GROUP BY line |> ORDER BY n DESC, line",
    "FROM 'access.log' |> FLATMAP LUA 'function(line) return line:gmatch(\"%w+\") end' AS (word) \
     |> AGGREGATE count(*) AS n GROUP BY word |> ORDER BY n DESC, word |> LIMIT 20",
    "FROM 'access.log' |> MAP LUA 'function(line) return line:match(\"^%S+\") end' AS (ip) \
     |> PIPE 'uniq -c | sed \"s/^ *//\"' PARTITION BY (ip) ORDER BY ip |> ORDER BY line",
    "FROM 'access.log' |> PIPE 'wc -l' SINGLE",
    "FROM 'access.log' |> WHERE line LIKE '%no such thing%' |> PIPE 'wc -l' SINGLE",
    "FROM 'access.log' |> MAP LUA 'function(line) return line:match(\"^%S+\"), #line end' AS (ip, n BIGINT) \
     |> REDUCE LUA 'function(a, n) return math.max(a, n) end' USING (n) BY (ip) AS (peak BIGINT) |> ORDER BY ip",
    "SELECT line_no, line FROM 'parts/*.log' ORDER BY file, line_no LIMIT 7",
    "SELECT a.line FROM 'parts/a.log' a JOIN 'parts/b.log' b ON substr(a.line, 1, 9) = substr(b.line, 1, 9) ORDER BY a.line LIMIT 5",
    "CREATE FUNCTION first(s TEXT) RETURNS TEXT LANGUAGE LUA AS 'function(s) return s:match(\"^%S+\") end'; \
     SELECT first(line) AS ip, count(*) AS n FROM 'access.log' GROUP BY 1 ORDER BY n DESC, ip LIMIT 9",
];

#[test]
fn answers_are_those_of_one_machine() {
    let place = log();
    for query in QUERIES {
        let local = place.sql(query).run();
        local.success();
        for agents in ["1", "2", "3"] {
            let spread = place.sql(format!("{SPREAD} {query}")).arg("--local-agents").arg(agents);
            let spread = spread.run();
            spread.success();
            let rows: Vec<&str> = local.rows();
            let found = spread.rows().into_iter().map(str::to_owned).collect();
            check_as(&format!("{query} on {agents} agents"), found, &rows);
        }
    }
}

/// Otherwise the tests here would prove less than they say.
#[test]
fn the_work_is_divided() {
    let place = log();
    let plan = place
        .sql(format!("{SPREAD} EXPLAIN SELECT line, count(*) FROM 'access.log' GROUP BY line"))
        .arg("--local-agents")
        .arg("3")
        .run();
    plan.success();
    assert!(plan.text().contains("stage 1"), "{}", plan.shown());
    assert!(plan.text().contains("3 tasks"), "{}", plan.shown());
}

#[test]
fn what_was_measured_stands_with_the_stages() {
    let place = log();
    let query =
        "EXPLAIN ANALYZE FROM 'access.log' |> PIPE 'cat' |> AGGREGATE count(*) GROUP BY line";
    let analyzed = place.sql(format!("{SPREAD} {query}")).arg("--local-agents").arg("2").run();
    analyzed.success();
    for shown in
        ["driver\n", "stage 1: 2 tasks", "input_rows=3.00 K", "children=", "bytes_received="]
    {
        assert!(analyzed.text().contains(shown), "{shown}: {}", analyzed.shown());
    }
}

#[test]
fn what_lua_interprets_is_measured_here_and_on_agents() {
    let place = log();
    let query = "EXPLAIN ANALYZE FROM 'access.log' |> MAP LUA $$
        function(line) return (line:gsub('a', 'b')) end $$ AS (x)
        |> AGGREGATE count(*) GROUP BY x";
    let here = place.sql(query).run();
    here.success();
    assert!(here.text().contains("lua_interprets(string.gsub)="), "{}", here.shown());
    let there = place.sql(format!("{SPREAD} {query}")).arg("--local-agents").arg("2").run();
    there.success();
    assert!(there.text().contains("lua_interprets(string.gsub)="), "{}", there.shown());
}

#[test]
fn the_failing_row_the_place_and_the_agent_are_named() {
    let place = log();
    let agents = Agent::several(&place, 2);
    let query = format!(
        "{SPREAD}\nFROM 'access.log' |> MAP LUA 'function(line) error(\"no way\") end' AS (x)"
    );
    let failed = place.sql(&query).on(&place, &agents).run();
    failed.code(1).says(&["error: MAP LUA failed: no way", "--> line 2, column 22"]);
    failed.says(&["called with line", "at access.log:", "on agent 127.0.0.1:", "stage 1"]);
    let failed = place
        .sql(format!("{SPREAD} FROM 'access.log' |> PIPE 'cat; echo oh no >&2; exit 3'"))
        .on(&place, &agents)
        .run();
    failed.code(1).says(&["exited with status 3", "oh no"]).says(&["agent 127.0.0.1:"]);
}

/// The name is one of the driver's directory; an agent's may have another file of that name.
#[test]
fn lines_are_those_of_the_file_that_was_read() {
    let place = Place::with("logs/app.log", "good\ngood\nbad\n");
    place.write("app.log", "good\ngood\ngood\ngood\nbad\n");
    let elsewhere = Place::with("app.log", "\n".repeat(30));
    let agents = Agent::several(&elsewhere, 2);
    let fails = "MAP LUA 'function(line) return assert(line ~= \"bad\") end' AS (x BOOLEAN)";
    let skips =
        "MAP LUA 'function(line) return line end' AS (x BIGINT) ON ERROR SKIP |> WHERE x > 0";
    for (file, place_of_bad) in [("app.log", "app.log:5"), ("logs/*.log", "logs/app.log:3")] {
        let query = format!("{SPREAD} FROM '{file}' |> {fails}");
        let failed = place.sql(query).on(&place, &agents).run();
        failed.code(1).says(&[&format!("at {place_of_bad}\n")]);
        let query = format!(
            "{SPREAD} FROM '{file}' |> FILTER LUA 'function(line) return line == \"bad\" end' |> {skips}"
        );
        let skipped = place.sql(query).on(&place, &agents).run();
        skipped.code(0).says(&[&format!("  {place_of_bad}: ")]);
    }
}

#[test]
fn rows_with_errors_are_counted_over_all_agents() {
    let place = log();
    let query = "FROM 'access.log' |> MAP LUA 'function(line) return line:match(\"bytes=(%d+)\") or \"x\" end' \
                 AS (n BIGINT) ON ERROR SKIP |> AGGREGATE count(*)";
    let local = place.sql(query).run();
    local.code(0).says(&["skipped"]);
    let agents = Agent::several(&place, 2);
    let spread = place.sql(format!("{SPREAD} {query}")).on(&place, &agents).run();
    spread.code(0);
    assert_eq!(local.stdout, spread.stdout);
    let from_the_reason =
        |stderr: &str| stderr.split_once(") skipped").map(|(_, rest)| rest.to_owned());
    assert_eq!(from_the_reason(&local.stderr), from_the_reason(&spread.stderr));
    let junk = Place::with("junk.log", b"fine\nbad \xff\nfine\nbad \xfe\n");
    let agents = Agent::several(&junk, 2);
    let spread = junk.sql(format!("{SPREAD} SELECT line FROM 'junk.log'")).on(&junk, &agents).run();
    spread.code(0).says(&["2 lines were not UTF-8"]);
}

#[test]
fn settings_travel() {
    let place = log();
    let agents = Agent::several(&place, 2);
    let query = format!(
        "{SPREAD} SET gleam.operator_timeout = '500ms'; \
         FROM 'access.log' |> MAP LUA 'function(line) while true do end end' AS (x)"
    );
    let failed = place.sql(query).on(&place, &agents).start().finish(SOON);
    failed.code(1).says(&["no progress for 0.5 s"]);
}

#[test]
fn agents_with_another_token_are_not_asked_twice() {
    let place = log();
    let agents = Agent::several(&place, 1);
    let wrong = place.secret("wrong", &"ab".repeat(32));
    let failed = place
        .sql("SELECT 1")
        .arg("--agents")
        .arg(&agents[0].address)
        .arg("--token-file")
        .arg(wrong)
        .run();
    failed.says(&[&agents[0].address, "token"]);
    assert_ne!(failed.code, Some(0));
}

#[test]
fn standard_input_stays_where_it_is() {
    let place = log();
    let agents = Agent::several(&place, 2);
    let counted = place
        .sql(format!("{SPREAD} FROM stdin |> AGGREGATE count(*) AS n GROUP BY line |> ORDER BY n"))
        .input("a\nb\na\n")
        .on(&place, &agents)
        .run();
    counted.success();
    assert_eq!(counted.rows(), ["b,1", "a,2"]);
}

/// Agents read the paths of their own disks. The link leads each process to a file of the directory that
/// it runs in, so that the same path is there on one agent and not on the other.
#[test]
fn a_file_that_an_agent_lacks_is_named_with_the_agent() {
    let (place, with, without) = (log(), log(), Place::new());
    for name in ["t.csv", "u.csv"] {
        place.write(name, "n\n1\n2\n3\n4\n");
        with.write(name, "n\n1\n2\n3\n4\n");
    }
    for name in ["access.log", "t.csv", "u.csv"] {
        let link = place.path(&format!("own-{name}"));
        symlink(format!("/proc/self/cwd/{name}"), link).expect("links can be made");
    }
    let agents = [Agent::start(&with, &[]), Agent::start(&without, &[])];
    for (query, file) in [
        ("SELECT count(*) FROM 'own-access.log'", "own-access.log"),
        ("SELECT line, count(*) FROM 'own-*.log' GROUP BY line", "own-access.log"),
        ("FROM 'own-access.log' |> PIPE 'cat' |> ORDER BY line", "own-access.log"),
        ("SELECT sum(n) FROM 'own-*.csv'", ".csv"),
    ] {
        let failed = place.sql(format!("{SPREAD} {query}")).on(&place, &agents).run();
        failed.code(1).says(&[file, "No such file", &format!("on agent {}", agents[1].address)]);
    }
}
