//! Mistakes that analysts make, and what they are told: message, place, hint.
//!
//! `INSTA_UPDATE=always cargo test --test mistakes` writes what is said now, to be read.

#![expect(clippy::disallowed_methods, reason = "tests start programs and talk to who runs them")]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// A log, and a table `t.csv` with the columns service, hits and tier.
const FILES: [(&str, &str); 2] = [
    ("access.log", "10.0.0.1 GET / 200 512\n10.0.0.2 GET /a 404 -\n10.0.0.1 POST /b 500 7\n"),
    ("t.csv", "service,hits,tier\nweb,2,front\nauth,7,core\n"),
];

/// What was meant, and what was written.
const MISTAKES: &[(&str, &str)] = &[
    ("a misspelt column", "SELECT lin FROM 'access.log'"),
    (
        "a misspelt column after a step",
        "FROM 't.csv' |> AGGREGATE sum(hits) AS total GROUP BY tier |> WHERE totl > 1",
    ),
    ("a misspelt file", "FROM 'acces.log'"),
    ("a file without quotes", "FROM access.log"),
    ("a glob that matches nothing", "FROM 'logs/*.log'"),
    ("a misspelt table", "CREATE VIEW errors AS FROM 'access.log'; FROM erors"),
    ("a misspelt function", "SELECT uper(service) FROM 't.csv'"),
    ("a misspelt step", "FROM 'access.log' |> WERE line LIKE '%GET%'"),
    ("a misspelt operator", "FROM 'access.log' |> FLATMAPP LUA 'function(line) end' AS (w)"),
    ("GROUP BY as a step", "FROM 't.csv' |> GROUP BY tier"),
    ("HAVING as a step", "FROM 't.csv' |> AGGREGATE count(*) AS n GROUP BY tier |> HAVING n > 1"),
    ("a pipe in place of |>", "FROM 'access.log' | PIPE 'cat'"),
    ("MAP without AS", "FROM 'access.log' |> MAP LUA 'function(line) return #line end'"),
    (
        "AS without parentheses",
        "FROM 'access.log' |> MAP LUA 'function(line) return #line end' AS n",
    ),
    ("MAP without LUA", "FROM 'access.log' |> MAP 'function(line) return #line end' AS (n)"),
    ("a command without quotes", "FROM 'access.log' |> PIPE grep GET"),
    ("a quote inside quotes", "FROM 'access.log' |> PIPE 'awk '{print $1}''"),
    ("an unbalanced quote", "FROM 'access.log' |> PIPE 'grep GET"),
    (
        "an unbalanced parenthesis",
        "FROM 'access.log' |> MAP LUA 'function(line) return 1 end' AS (n BIGINT",
    ),
    ("Lua without end", "FROM 'access.log' |> MAP LUA 'function(line) return line' AS (l)"),
    ("no Lua at all", "FROM 'access.log' |> MAP LUA 'lambda line: len(line)' AS (n BIGINT)"),
    (
        "a parameter that names no column",
        "FROM 't.csv' |> MAP LUA 'function(servce, hits) return hits end' AS (n)",
    ),
    (
        "too many values for AS",
        "FROM 'access.log' |> MAP LUA 'function(line) return 1, 2 end' AS (n BIGINT)",
    ),
    (
        "text for a number",
        "FROM 'access.log' |> MAP LUA 'function(line) return line:match(\"%S+$\") end' AS (bytes BIGINT)",
    ),
    (
        "nil where a value is needed",
        "FROM 'access.log' |> MAP LUA 'function(line) return line:match(\"x(.)\"):upper() end' AS (l)",
    ),
    (
        "print in Lua",
        "FROM 'access.log' |> MAP LUA 'function(line) print(line) return line end' AS (l)",
    ),
    (
        "arithmetic on text",
        "FROM 'access.log' |> PIPE 'cut -d\" \" -f5' AS (bytes) |> SELECT bytes + 1",
    ),
    (
        "sum of text",
        "FROM 'access.log' |> PIPE 'cut -d\" \" -f5' AS (bytes) |> AGGREGATE sum(bytes) AS total",
    ),
    ("fields without tabs", "FROM 'access.log' |> PIPE 'sort | uniq -c' AS (n BIGINT, line)"),
    ("a command that does not exist", "FROM 'access.log' |> PIPE 'gerp GET'"),
    ("a command that fails", "FROM 'access.log' |> PIPE 'sed s/a/b'"),
    ("SINGLE too late", "FROM 'access.log' |> PIPE 'wc -l' AS (n BIGINT) SINGLE"),
    ("PARTITION BY without parentheses", "FROM 't.csv' |> PIPE 'sort' PARTITION BY tier"),
    ("two scopes", "FROM 't.csv' |> PIPE 'sort' PARTITION BY (tier) SINGLE"),
    ("an unknown format", "FROM 't.csv' |> PIPE 'cat' FORMAT XML AS (a)"),
    ("a timeout without a unit", "FROM 'access.log' |> PIPE 'cat' TIMEOUT '10'"),
    (
        "an unknown ON ERROR",
        "FROM 'access.log' |> MAP LUA 'function(line) return 1 end' AS (n BIGINT) ON ERROR IGNORE",
    ),
    (
        "REDUCE with one parameter",
        "FROM 't.csv' |> REDUCE LUA 'function(hits) return hits end' BY (tier) AS (total BIGINT)",
    ),
    ("an unknown type", "FROM 'access.log' |> MAP LUA 'function(line) return 1 end' AS (n NUMBER)"),
    (
        "a column twice in AS",
        "FROM 'access.log' |> MAP LUA 'function(line) return 1, 2 end' AS (n BIGINT, n BIGINT)",
    ),
    (
        "an ambiguous column",
        "FROM 't.csv' AS a |> JOIN 't.csv' AS b ON a.tier = b.tier |> WHERE tier = 'core'",
    ),
    ("a new column with an old name", "FROM 't.csv' |> EXTEND hits + 1 AS hits"),
    ("an aggregate in WHERE", "FROM 't.csv' |> WHERE count(*) > 1"),
    ("a column that is not grouped", "SELECT service, count(*) FROM 't.csv' GROUP BY tier"),
    (
        "a function with the wrong arguments",
        "CREATE FUNCTION twice(n BIGINT) RETURNS BIGINT LANGUAGE LUA AS 'function(n) return 2 * n end'; SELECT twice(service) FROM 't.csv'",
    ),
    (
        "a function in another language",
        "CREATE FUNCTION f(n BIGINT) RETURNS BIGINT LANGUAGE PYTHON AS 'lambda n: n'",
    ),
    ("text as a stored table", "CREATE EXTERNAL TABLE log STORED AS TEXT LOCATION 'access.log'"),
    ("COPY without a format", "COPY (FROM 'access.log') TO 'out'"),
    ("a missing semicolon", "SELECT 1 SELECT 2"),
    ("two statements in one -c, the second wrong", "SELECT 1 AS one;\nSELECT two"),
];

#[test]
fn mistakes_are_explained() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    for (name, content) in FILES {
        std::fs::write(directory.path().join(name), content).expect("files can be written");
    }
    let mut told = String::new();
    for (meant, written) in MISTAKES {
        let _ = writeln!(told, "## {meant}\n\n{written}\n\n{}", run(written, directory.path()));
    }
    let path = directory.path().to_str().expect("the path is UTF-8");
    let told = told.replace(path, "DIRECTORY");
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("mistakes", told);
    });
}

/// What is said on stderr, with the exit status.
fn run(sql: &str, directory: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_gleam-sql"))
        .args(["-c", sql])
        .current_dir(directory)
        .output()
        .expect("gleam-sql starts");
    let status = output.status.code().expect("it exits by itself");
    assert_ne!(status, 0, "this is no mistake: {sql}");
    let told = String::from_utf8(output.stderr).expect("messages are UTF-8");
    assert!(told.starts_with("error: "), "{sql}\n{told}");
    assert!(told.contains("--> "), "no place: {sql}\n{told}");
    format!("{told}exit status {status}\n")
}
