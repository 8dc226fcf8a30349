//! What an agent allows: the files below its roots, and the programs that it lists.

use std::os::unix::fs::symlink;

use crate::support::{AccessLog, Agent, Place, check_as};

/// Cut in parts however small it is, so that every agent has work.
const SPREAD: &str =
    "SET gleam.min_task_bytes = 1; SET datafusion.optimizer.repartition_file_min_size = 1;";

/// `data/…` to read, and `private/…` not to, with ways from the one to the other.
fn files() -> Place {
    let text = AccessLog::new(2000).text().to_owned();
    let place = Place::with("data/access.log", &text);
    place.write("private/access.log", &text);
    place.write("data2/access.log", &text);
    let table: String = (0..2000).map(|n| format!("{n},{}\n", n % 7)).collect();
    for directory in ["data", "private"] {
        // A small file stays whole, so that two are work for two agents.
        for name in ["t.csv", "u.csv"] {
            place.write(&format!("{directory}/{name}"), format!("n,k\n{table}"));
        }
        for name in ["t.parquet", "u.parquet"] {
            let copy = format!("COPY (SELECT n, k FROM 'data/t.csv') TO '{directory}/{name}'");
            place.sql(copy).run().code(0);
        }
    }
    symlink("../private/access.log", place.path("data/link.log")).expect("links can be made");
    symlink("../private", place.path("data/away")).expect("links can be made");
    symlink("data/access.log", place.path("in.log")).expect("links can be made");
    place
}

fn agents(place: &Place, options: &[&str]) -> Vec<Agent> {
    (0..2).map(|_| Agent::start(place, options)).collect()
}

fn below_data(place: &Place) -> Vec<Agent> {
    let root = place.path("data");
    agents(place, &["--allow-path", root.to_str().expect("it is UTF-8")])
}

/// The answer is that of one machine; and agents had a part in it, for those that allow nothing do not
/// answer.
#[track_caller]
fn check_same(place: &Place, agents: &[Agent], query: &str) {
    let local = place.sql(query).run();
    local.success();
    let spread = place.sql(format!("{SPREAD} {query}")).on(place, agents).run();
    spread.success();
    let found = spread.rows().into_iter().map(str::to_owned).collect();
    check_as(query, found, &local.rows());
    check_refused(place, &strict(place), query, &["this agent"]);
}

fn strict(place: &Place) -> Vec<Agent> {
    place.write("empty/file", "");
    let root = place.path("empty");
    agents(place, &["--deny-pipe", "--allow-path", root.to_str().expect("it is UTF-8")])
}

#[track_caller]
fn check_refused(place: &Place, agents: &[Agent], query: &str, says: &[&str]) {
    let refused = place.sql(format!("{SPREAD} {query}")).on(place, agents).run();
    refused.code(1).says(&["error: "]).says(says).says(&["agent 127.0.0.1:"]);
    assert_eq!(refused.text(), "", "{}", refused.shown());
}

#[test]
fn files_are_read_below_the_roots() {
    let place = files();
    let agents = below_data(&place);
    for query in [
        "SELECT line, count(*) FROM 'data/access.log' GROUP BY line ORDER BY line",
        "SELECT count(DISTINCT line) FROM 'data2/../data/access.log'",
        "SELECT count(DISTINCT line) FROM 'in.log'",
        "SELECT k, sum(n) FROM 'data/*.csv' GROUP BY k ORDER BY k",
        "SELECT k, sum(n) FROM 'data/*.parquet' GROUP BY k ORDER BY k",
    ] {
        check_same(&place, &agents, query);
    }
}

#[test]
fn other_files_are_not_read_by_any_way() {
    let place = files();
    let agents = below_data(&place);
    for (file, key) in [
        ("private/access.log", "line"),
        ("data2/access.log", "line"),
        ("data/link.log", "line"),
        ("data/away/access.log", "line"),
        ("data/../private/access.log", "line"),
        ("private/*.csv", "k"),
        ("data/away/*.csv", "k"),
        ("private/*.parquet", "k"),
    ] {
        let query = format!("SELECT count(*) FROM '{file}' GROUP BY {key}");
        let root = place.path("data").canonicalize().expect("it is there");
        let root = format!("is not below {}", root.display());
        let at = if file.starts_with("data2") { "/data2/" } else { "/private/" };
        check_refused(&place, &agents, &query, &[at, &root]);
    }
}

#[test]
fn roots_are_directories() {
    let place = files();
    let refused = place.gleam().arg("agent").arg("--allow-path").arg(place.path("nowhere")).run();
    refused.code(2).says(&["nowhere cannot be a directory to read from"]);
}

#[test]
fn no_program_runs_where_pipe_is_denied() {
    let place = files();
    let agents = agents(&place, &["--deny-pipe"]);
    let query = "FROM 'data/access.log' |> PIPE 'cat' |> AGGREGATE count(*) GROUP BY line";
    check_refused(
        &place,
        &agents,
        query,
        &["PIPE failed: this agent runs no programs", "--> ", "1:"],
    );
    check_same(&place, &agents, "SELECT count(*) FROM 'data/access.log' GROUP BY line ORDER BY 1");
}

#[test]
fn listed_programs_run_without_a_shell() {
    let place = files();
    let agents = agents(
        &place,
        &[
            "--allow-command",
            "grep",
            "--allow-command",
            "cut",
            "--allow-command",
            "wc",
            "--allow-command",
            "echo",
        ],
    );
    for query in [
        "FROM 'data/access.log' |> PIPE 'grep -v \"GET /a\"' |> ORDER BY line",
        "FROM 'data/access.log' |> PIPE 'grep ''no such; thing''' |> ORDER BY line",
        "FROM 'data/access.log' |> PIPE 'cut -d\" \" -f1' |> AGGREGATE count(*) AS n GROUP BY line |> ORDER BY line",
        "FROM 'data/access.log' |> PIPE 'grep .' |> PIPE 'cut -d\" \" -f1' |> PIPE 'grep 1' |> ORDER BY line",
        // All programs of a pipeline are started, those that get no lines too.
        "FROM 'data/access.log' |> PIPE 'grep nothing-like-this' |> PIPE 'wc -l' |> AGGREGATE max(line)",
    ] {
        check_same(&place, &agents, query);
    }
    // Without a shell the values are the last arguments, where a shell has them as $1 and so on.
    let per_row = |code: &str| {
        format!(
            "FROM 'data/*.csv' |> WHERE n < 50 |> PIPE '{code}' USING (n) PER ROW |> ORDER BY line"
        )
    };
    let local = place.sql(per_row("echo -n x \"$1\"")).run();
    local.success();
    let spread = place.sql(format!("{SPREAD} {}", per_row("echo -n x"))).on(&place, &agents).run();
    spread.success();
    let found = spread.rows().into_iter().map(str::to_owned).collect();
    check_as("PER ROW", found, &local.rows());
}

#[test]
fn other_programs_and_the_shell_do_not_run() {
    let place = files();
    let agents = agents(&place, &["--allow-command", "sort", "--allow-command", "nosuchprogram"]);
    let check = |code: &str, says: &[&str]| {
        let code = code.replace(" |> ", "' |> PIPE '");
        let query =
            format!("FROM 'data/access.log' |> PIPE '{code}' |> AGGREGATE count(*) GROUP BY line");
        check_refused(&place, &agents, &query, says);
    };
    check("grep x", &["PIPE failed: `grep` is not a program that this agent runs", "sort"]);
    check("sort; id", &["without a shell", "`;`"]);
    check("sort | id", &["without a shell", "`|`"]);
    check("sort \"$(id)\"", &["without a shell", "`$`"]);
    check("sort >made", &["without a shell", "`>`"]);
    check("/usr/bin/sort", &["`/usr/bin/sort` is not a program"]);
    check("sort |> id", &["`id` is not a program"]);
    check("nosuchprogram", &["cannot start `nosuchprogram`", "No such file"]);
    check("sort --no-such-option", &["exited with status 2", "no-such-option"]);
    assert!(!place.path("made").exists());
}

#[test]
fn the_driver_writes() {
    let place = files();
    let agents = below_data(&place);
    let copy = "COPY (SELECT k, count(*) AS n FROM 'data/*.csv' GROUP BY k) TO 'new.csv'";
    let copied = place.sql(format!("{SPREAD} {copy}")).on(&place, &agents).run();
    copied.code(0);
    let written = std::fs::read_to_string(place.path("new.csv")).expect("it was written");
    assert_eq!(written.lines().count(), 8, "{written}");
    check_refused(&place, &strict(&place), copy, &["this agent"]);
}
