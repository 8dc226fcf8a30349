//! Variables, files, limits: how scripts are run.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::support::{Gleam, Place, processes, wait_until};

const SOON: Duration = Duration::from_secs(20);

fn with_variables(gleam: Gleam, variables: &[&str]) -> Gleam {
    variables.iter().fold(gleam, |gleam, one| gleam.arg("-v").arg(one))
}

#[test]
fn variables_are_values() {
    let place = Place::with("a b.log", "x\ny\n");
    let check = |sql: &str, variables: &[&str], expected: &[&str]| {
        let finished = with_variables(place.sql(sql), variables).run();
        finished.success();
        assert_eq!(finished.rows(), expected, "{sql}");
    };
    check("SELECT :n + 1, :'n'", &["n=41"], &["42,41"]);
    check("SELECT count(*) FROM :'log'", &["log=a b.log"], &["2"]);
    check("SELECT :'who'", &["who=O'Brien; DROP TABLE t --"], &["O'Brien; DROP TABLE t --"]);
    check("SELECT :\"c\" FROM (SELECT 1 AS \"two words\")", &["c=two words"], &["1"]);
    check("FROM 'a b.log' |> WHERE :cond |> SELECT line", &["cond=line = 'y'"], &["y"]);
    check("FROM 'a b.log' |> PIPE :'program'", &["program=tr x-y 'a-b'"], &["a", "b"]);
    check("SELECT ':n', '12'::INT, $$:m$$ -- :n", &[], &[":n,12,:m"]);
    check("SELECT :n", &["n=1", "n=2"], &["2"]);
}

#[test]
fn a_variable_without_a_value_has_a_place() {
    let place = Place::with("s.sql", "SELECT 1 AS a;\n\nSELECT :day,\n  :nosuch;\n");
    let finished = place.gleam().arg("-f").arg("s.sql").arg("-v").arg("day=1").run();
    finished.code(2).says(&[
        "error: the variable `nosuch` has no value",
        "--> s.sql:4:3",
        "^^^^^^^",
        "help: -v nosuch=value",
    ]);
    assert_eq!(finished.text(), "a\n1\n");
    // What is wrong with a value stands where it is used.
    let finished = with_variables(place.sql("SELECT\n :n"), &["n=1 +"]).run();
    finished.code(2).says(&["the end of the statement", "line 2, column 4"]);
    let finished = with_variables(place.sql("SELECT :n"), &["n=nosuch"]).run();
    finished.code(2).says(&["nosuch", "line 1, column 8"]);
    let finished = with_variables(place.sql("SELECT 1"), &["a-b=1"]).run();
    finished.code(2).says(&["`a-b` is not the name of a variable"]);
}

#[test]
fn errors_name_file_line_and_column() {
    let place = Place::with("x", "a\n");
    let check = |script: &str, code: i32, at: &str| {
        place.write("s.sql", script);
        let finished = place.gleam().arg("-f").arg("s.sql").run();
        finished.code(code).says(&["error: ", at]);
    };
    check("SELECT 1;\n  SELECT FROM WHERE", 2, "--> s.sql:2:");
    check("SELECT 1;\n  SELECT nosuch", 2, "--> s.sql:2:10");
    check("SELECT 1;\n\n SELECT * FROM 'nosuch.log'", 2, "--> s.sql:3:16");
    check("SELECT 1;\nFROM 'x'\n|> PIPE 'exit 3'", 1, "--> s.sql:3:4");
    check("FROM 'x' |>\n MAP LUA 'function(line) error(1) end' AS (x)", 1, "--> s.sql:2:2");
    check("SELECT 1;\n  SELECT 1 / (count(*) - 1) FROM 'x'", 1, "--> s.sql:2:3");
    check("#!/usr/bin/env -S gleam-sql -f\n-- one\nSELECT nosuch", 2, "--> s.sql:3:8");
    check("#!/usr/bin/env -S gleam-sql -f\nFROM 'x' |> PIPE 'exit 3'", 1, "--> s.sql:2:13");
}

#[test]
fn a_script_with_its_interpreter_in_the_first_line() {
    let place = Place::new();
    let program = env!("CARGO_BIN_EXE_gleam-sql");
    let script = format!("#!/usr/bin/env -S {program} -f\nSELECT :n * 2 AS n;\n");
    let path = place.write("report", script);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let output = Command::new(&path).args(["-v", "n=21"]).output().expect("it can be started");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "n\n42\n", "{output:?}");
    assert!(output.status.success());
}

#[test]
fn keep_going_runs_what_follows_a_failure() {
    let place = Place::with("x", "a\n");
    place.write("bad.sql", "SELECT nosuch;\nSELECT 3 AS c\n");
    let gleam =
        place.sql("FROM 'x' |> PIPE 'exit 3'; SELECT 1 AS a; SELECT FROM;").arg("--keep-going");
    let finished = gleam
        .arg("-f")
        .arg("nosuch.sql")
        .arg("-f")
        .arg("bad.sql")
        .arg("-c")
        .arg("SELECT 4 AS d")
        .run();
    finished.code(1).says(&["exit 3", "expected", "cannot read nosuch.sql", "bad.sql:1:8"]);
    assert!(finished.text().ends_with("a\n1\nc\n3\nd\n4\n"), "{}", finished.shown());
    let finished = place.sql("SELECT nosuch; FROM 'x' |> PIPE 'exit 3'").arg("--keep-going").run();
    finished.code(2);
    place.sql("SELECT 1; SELECT 2").arg("--keep-going").run().success();
}

#[test]
fn keep_going_ends_with_its_reader() {
    let place = Place::with("big.log", "a line that is read\n".repeat(100_000));
    let sql = "FROM 'big.log'; FROM 'big.log' |> PIPE 'touch made; cat'";
    let mut running = place.sql(sql).arg("--keep-going").start();
    running.read_line();
    running.close_output();
    running.finish(SOON).success();
    assert!(!place.path("made").exists());
}

#[test]
fn explain_shows_plans_instead_of_rows() {
    let place = Place::with("x", "a\nb\n");
    let sql = "CREATE VIEW v AS FROM 'x' |> PIPE 'touch made; cat'; FROM v |> LIMIT 1; \
               COPY (FROM v) TO 'out.csv'";
    let finished = place.sql(sql).arg("--explain").run();
    finished.success();
    assert_eq!(finished.text().matches("physical plan\n").count(), 2, "{}", finished.text());
    assert!(finished.text().contains("PipeExec"));
    assert!(!place.path("made").exists() && !place.path("out.csv").exists());
    let finished = place.sql("FROM 'x' |> PIPE 'touch made; cat'").arg("--explain=analyze").run();
    finished.success();
    assert!(finished.text().contains("output_rows=2"), "{}", finished.text());
    assert!(place.path("made").exists());
}

fn names(place: &Place) -> Vec<String> {
    let entries = std::fs::read_dir(place.path(".")).expect("the directory is there");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn an_output_file_is_whole_or_not_there() {
    let place = Place::with("x", "a\n");
    let run = |sql: &str, file: &str| place.sql(sql).arg("-o").arg(file).run();
    let read = |file: &str| std::fs::read_to_string(place.path(file)).expect("it was written");
    run("SELECT 1 AS a; SELECT 2 AS b", "out.csv").success();
    assert_eq!(read("out.csv"), "a\n1\nb\n2\n");
    run("SELECT 1 AS a; FROM 'x' |> PIPE 'exit 3'", "out.csv").code(1);
    run("SELECT 1 AS a; SELECT nosuch", "new.csv").code(2);
    place.sql("SELECT nosuch; SELECT 1").arg("--keep-going").arg("-o").arg("new.csv").run().code(2);
    assert_eq!(read("out.csv"), "a\n1\nb\n2\n");
    assert_eq!(names(&place), ["out.csv", "x"]);
    run("SELECT 1 AS a", "nosuch/out.csv").code(1).says(&["cannot write nosuch/out.csv"]);
    let finished = run("SELECT 1 AS a", "-");
    finished.success();
    assert_eq!(finished.text(), "a\n1\n");
    run("SELECT 1 AS a", "/dev/null").success();
    run("SELECT 1 AS a", "/dev/full").code(1).says(&["No space left"]);
}

#[test]
fn an_interrupted_run_leaves_no_file() {
    let place = Place::with("x", "a\n");
    let sql = "FROM 'x'; FROM 'x' |> PIPE 'touch made; sleep 100'";
    let running = place.sql(sql).arg("-o").arg("out.csv").start();
    wait_until("the program to run", || place.path("made").exists());
    running.signal(libc::SIGINT);
    running.finish(SOON).code(130);
    assert_eq!(names(&place), ["made", "x"]);
}

/// Scans that never wait, on every core, and no row that could be written.
#[test]
fn ctrl_c_is_seen_while_every_thread_works() {
    let place = Place::with("x.log", "a line that is looked at\n".repeat(400_000));
    let scan = "SELECT count(*) AS n FROM 'x.log' WHERE lower(line) LIKE '%nosuch%'";
    let sql = format!("SELECT 1 AS a; {}", vec![scan; 60].join(" UNION ALL "));
    let mut running = place.sql(sql).start();
    assert_eq!(running.read_line() + &running.read_line(), "a\n1\n");
    // Planned, and at work.
    wait_until("threads at work", || processes::cpu_time(running.id()) > Duration::from_secs(1));
    running.signal(libc::SIGINT);
    let finished = running.finish(Duration::from_secs(2));
    finished.code(130);
}

#[test]
fn a_run_has_a_limit() {
    let place = Place::with("x", "a\n");
    let gleam = place.sql("SELECT 1 AS a; FROM 'x' |> PIPE 'sleep 100'").arg("--timeout");
    let finished = gleam.arg("700ms").arg("-o").arg("out.csv").run();
    finished.code(124).says(&["error: it took longer than 0.70 s, the limit of --timeout"]);
    assert_eq!(names(&place), ["x"]);
    assert!(finished.took < SOON);
    place.sql("SELECT 1").arg("--timeout").arg("1h").run().success();
    place.sql("SELECT 1").arg("--timeout").arg("0").run().success();
    place.sql("SELECT 1").arg("--timeout").arg("soon").run().code(2).says(&["`soon` is not a"]);
}

#[test]
fn timing_tells_of_each_statement() {
    let place = Place::with("s.sql", "SELECT 1;\nSELECT 2;\n");
    let finished = place.gleam().arg("-f").arg("s.sql").arg("--timing").run();
    finished.code(0).says(&["time: ", "(s.sql:1)\n", "time: ", "(s.sql:2)\n"]);
    place.sql("SELECT 1").arg("--timing").run().code(0).says(&["time: ", "(line 1)\n"]);
}

fn config(place: &Place, text: &str) -> String {
    place.write("config/gleam-sql/config.toml", text);
    place.path("config").display().to_string()
}

#[test]
fn a_file_before_the_environment_before_the_command_line() {
    let place = Place::new();
    let home = config(&place, "format = 'tsv'\n[variables]\nday = 'monday'\nn = 1\n");
    let sql = || place.sql("SELECT :n AS a, :'day' AS b").env("XDG_CONFIG_HOME", &home);
    assert_eq!(sql().run().text(), "a\tb\n1\tmonday\n");
    let of_environment = sql().env("GLEAM_FORMAT", "csv").arg("-v").arg("n=2").run();
    assert_eq!(of_environment.text(), "a,b\n2,monday\n");
    let of_line = sql().env("GLEAM_FORMAT", "csv").format("ndjson").run();
    assert_eq!(of_line.text(), "{\"a\":1,\"b\":\"monday\"}\n");
}

#[test]
fn settings_of_the_file_are_set() {
    let place = Place::new();
    let home = config(&place, "[settings]\ngleam.operator_timeout = '7s'\n");
    let sql = place.sql("SHOW gleam.operator_timeout").env("XDG_CONFIG_HOME", &home);
    let finished = sql.run();
    finished.success();
    assert_eq!(finished.rows(), ["gleam.operator_timeout,7s"]);
}

#[test]
fn mistakes_of_the_file_have_a_place() {
    let place = Place::new();
    let check = |text: &str, expected: &[&str]| {
        let home = config(&place, text);
        let finished = place.sql("SELECT 1").env("XDG_CONFIG_HOME", &home).run();
        finished.code(2).says(&["error: "]).says(expected);
        assert_eq!(finished.text(), "");
    };
    check("\nquite = true", &["`quite` is no option", "config.toml:2:1", "did you mean `quiet`?"]);
    check("format = 'xml'", &["invalid value 'xml'", "config.toml:1:1"]);
    check("quiet = 'maybe'", &["`quiet` is true or false", "config.toml:1:1"]);
    check("quiet = ", &["config.toml:1:"]);
    check(
        "[settings]\ngleam.operator_timeuot = '1s'",
        &["gleam.operator_timeuot", "config.toml:2:", "gleam.operator_timeout"],
    );
    check("[settings]\ngleam.operator_timeout = 'soon'", &["soon", "config.toml:2:"]);
}

#[test]
fn config_tells_where_values_come_from() {
    let place = Place::new();
    let home = config(
        &place,
        "format = 'tsv'\ntiming = true\n[settings]\ngleam.operator_timeout = '7s'\n\
         [variables]\npassword = 'hunter2'\n",
    );
    let gleam = place.gleam().arg("config").arg("--quiet").env("XDG_CONFIG_HOME", &home);
    let finished = gleam.env("GLEAM_TIMEOUT", "5m").run();
    finished.success();
    let line = |name: &str| -> Vec<String> {
        let mut lines = finished.text().lines().map(|line| {
            line.split("  ").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned)
        });
        let found = lines.find_map(|mut line| {
            line.next().filter(|first| first == name).map(|_| line.collect::<Vec<_>>())
        });
        found.unwrap_or_else(|| panic!("no {name} in\n{}", finished.text()))
    };
    let path = place.path("config/gleam-sql/config.toml").display().to_string();
    assert_eq!(line("file"), [path.as_str(), "read"]);
    assert_eq!(line("--format"), ["tsv", &format!("{path}:1")]);
    assert_eq!(line("--timing"), ["true", &format!("{path}:2")]);
    assert_eq!(line("--quiet"), ["true", "command line"]);
    assert_eq!(line("--timeout"), ["5m", "environment GLEAM_TIMEOUT"]);
    assert_eq!(line("--keep-going"), ["false", "default"]);
    assert_eq!(line("--agents"), ["-", "default"]);
    assert_eq!(line("gleam.operator_timeout"), ["7s", &format!("{path}:4")]);
    assert_eq!(line(":password"), ["(not shown)", &format!("{path}:6")]);
    assert!(!finished.text().contains("hunter2"));
}

#[test]
fn the_doctor_finds_this_machine_well() {
    let place = Place::new();
    let finished = place.gleam().arg("doctor").run();
    finished.success();
    for part in
        ["DataFusion", "GNU bash", "LuaJIT", "compiler on", "PIPE and MAP LUA answer", "spill"]
    {
        assert!(finished.text().contains(part), "{part}\n{}", finished.shown());
    }
}

#[test]
fn the_doctor_tells_what_is_missing() {
    let place = Place::new();
    let empty = place.path("").display().to_string();
    let finished = place.gleam().arg("doctor").env("PATH", &empty).env("TMPDIR", "/nosuch").run();
    finished.code(1);
    for part in ["BAD  shell", "PIPE needs bash", "BAD  spill", "/nosuch cannot be written"] {
        assert!(finished.text().contains(part), "{part}\n{}", finished.shown());
    }
    let token = place.secret("token", &"0".repeat(64));
    let gleam = place.gleam().arg("doctor").arg("--agents").arg("127.0.0.1:1").arg("--token-file");
    let finished = gleam.arg(Path::new(&token)).run();
    finished.code(1);
    assert!(finished.text().contains("BAD  agent"), "{}", finished.shown());
}
