//! The examples run, and say what the README says that they do.

#![expect(clippy::disallowed_methods, reason = "tests start programs and talk to who runs them")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("repl/ is in the workspace").to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect(path)
}

/// What an example prints as a table.
fn run(example: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_gleam-sql"))
        .args(["--format", "table", "-f", example])
        .current_dir(root())
        .output()
        .expect("gleam-sql starts");
    assert!(output.status.success(), "{example}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{example}");
    String::from_utf8(output.stdout).expect("tables are UTF-8")
}

/// The fields of the example's log, split at blanks.
fn log_fields() -> Vec<Vec<String>> {
    let log = read("examples/access.log");
    log.lines().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

#[test]
fn the_readme_shows_the_first_query_and_its_answer() {
    let readme = read("README.md");
    let example = read("examples/top_clients.sql");
    let query: String = example
        .lines()
        .filter(|line| !line.starts_with("--"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(readme.contains(&query), "README.md does not show examples/top_clients.sql");
    let answer = run("examples/top_clients.sql");
    assert!(readme.contains(&answer), "README.md does not show this answer:\n{answer}");
}

#[test]
fn top_clients_are_those_of_the_log() {
    let mut requests = std::collections::BTreeMap::<String, usize>::new();
    let log = read("examples/access.log");
    for line in log.lines().filter(|line| !line.contains("ExampleBot")) {
        let client = line.split(' ').next().unwrap_or_default();
        *requests.entry(client.to_owned()).or_default() += 1;
    }
    let mut ranked: Vec<(String, usize)> = requests.into_iter().collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let answer = run("examples/top_clients.sql");
    let rows: Vec<Vec<&str>> = cells(&answer);
    assert_eq!(rows.len(), 5);
    for (row, (client, count)) in rows.iter().zip(&ranked) {
        assert_eq!((row[0], row[1]), (client.as_str(), count.to_string().as_str()));
    }
}

#[test]
fn status_codes_are_those_of_the_log() {
    let fields = log_fields();
    let answer = run("examples/status_codes.sql");
    let rows = cells(&answer);
    let counted: usize = rows.iter().map(|row| row[1].parse::<usize>().expect("a count")).sum();
    assert_eq!(counted, fields.len());
    for row in rows {
        let expected = fields.iter().filter(|line| line[8] == row[0]).count();
        assert_eq!(row[1], expected.to_string(), "status {}", row[0]);
    }
}

#[test]
fn words_are_those_of_the_log() {
    let log = read("examples/access.log");
    let words: Vec<&str> =
        log.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let answer = run("examples/word_count.sql");
    let rows = cells(&answer);
    assert_eq!(rows.len(), 10);
    for row in rows {
        let expected = words.iter().filter(|word| **word == row[0]).count();
        assert_eq!(row[1], expected.to_string(), "word {}", row[0]);
    }
}

#[test]
fn every_example_runs() {
    let entries = std::fs::read_dir(root().join("examples")).expect("examples/ exists");
    let scripts = entries.map(|entry| entry.expect("a directory entry").path());
    let scripts: Vec<PathBuf> = scripts
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .collect();
    assert!(scripts.len() >= 3);
    for script in scripts {
        let name = script.file_name().expect("files have names").to_string_lossy().into_owned();
        assert!(!cells(&run(&format!("examples/{name}"))).is_empty(), "{name} gives no rows");
    }
}

/// The cells of the rows of a table, its header left out.
fn cells(table: &str) -> Vec<Vec<&str>> {
    let rows = table.lines().filter(|line| line.starts_with('│')).skip(1);
    rows.map(|row| row.trim_matches('│').split('│').map(str::trim).collect()).collect()
}
