//! The examples run, say what the README says that they do, and answer what a computation in Rust
//! over the same files answers: with one task, and cut into many.

#![expect(clippy::expect_used, reason = "a test stops at its first failure")]
#![expect(clippy::disallowed_methods, reason = "tests start programs and talk to who runs them")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Trial};

/// What each example has to answer.
const ANSWERS: [(&str, Answer); 9] = [
    ("awk", awk),
    ("blocklist", blocklist),
    ("duplicates", duplicates),
    ("error_rates_per_hour", error_rates_per_hour),
    (PYTHON, python),
    ("sessions", sessions),
    ("status_codes", status_codes),
    ("top_clients", top_clients),
    ("word_count", word_count),
];
/// The example that needs a program which not every machine has.
const PYTHON: &str = "python";
/// Settings under which a small file is cut into as many parts as a large one on a large machine.
const CUT: &str = "SET datafusion.execution.target_partitions = 7;
                   SET datafusion.optimizer.repartition_file_min_size = 1";

type Table = Vec<Vec<String>>;
type Answer = fn() -> Table;

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = ANSWERS
        .into_iter()
        .map(|(name, expected)| {
            let is_skipped = name == PYTHON && !has_python();
            let check = move || {
                check(name, &expected());
                Ok(())
            };
            Trial::test(name, check).with_ignored_flag(is_skipped)
        })
        .collect();
    trials.push(Trial::test("each_example_has_an_answer", || {
        each_example_has_an_answer();
        Ok(())
    }));
    trials.push(Trial::test("the_readme_shows_the_first_query_and_its_answer", || {
        the_readme_shows_the_first_query_and_its_answer();
        Ok(())
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn check(name: &str, expected: &Table) {
    assert!(!expected.is_empty(), "{name}: nothing is expected");
    for settings in [None, Some(CUT)] {
        let answer = run(name, settings);
        assert_eq!(&cells(&answer), expected, "{name} with settings {settings:?}\n{answer}");
    }
}

fn each_example_has_an_answer() {
    let entries = std::fs::read_dir(root().join("examples")).expect("examples/ exists");
    let paths = entries.map(|entry| entry.expect("a directory entry").path());
    let scripts: BTreeSet<String> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .map(|path| path.file_stem().expect("files have names").to_string_lossy().into_owned())
        .collect();
    let names: BTreeSet<String> = ANSWERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(scripts, names);
}

fn the_readme_shows_the_first_query_and_its_answer() {
    let readme = read("README.md");
    let example = read("examples/top_clients.sql");
    let query: String = example
        .lines()
        .filter(|line| !line.starts_with("--"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(readme.contains(&query), "README.md does not show examples/top_clients.sql");
    let answer = run("top_clients", None);
    assert!(readme.contains(&answer), "README.md does not show this answer:\n{answer}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("repl/ is in the workspace").to_owned()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).expect(path)
}

fn has_python() -> bool {
    let mut python = Command::new("python3");
    python.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}

/// What an example prints as a table.
fn run(name: &str, settings: Option<&str>) -> String {
    let script = format!("examples/{name}.sql");
    let output = Command::new(env!("CARGO_BIN_EXE_gleam-sql"))
        .args(["--format", "table"])
        .args(settings.map(|settings| ["-c", settings]).into_iter().flatten())
        .args(["-f", &script])
        .current_dir(root())
        .stdin(Stdio::null())
        .output()
        .expect("gleam-sql starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
    assert_eq!(errors, "", "{name}");
    String::from_utf8(output.stdout).expect("tables are UTF-8")
}

/// The cells of the rows of a table, its header left out.
fn cells(table: &str) -> Table {
    let rows = table.lines().filter(|line| line.starts_with('│')).skip(1);
    let cells =
        |row: &str| row.trim_matches('│').split('│').map(|cell| cell.trim().to_owned()).collect();
    rows.map(cells).collect()
}

/// A request in `access.log`.
struct Request {
    client: String,
    /// Seconds since the beginning of the month.
    time: u64,
    path: String,
    status: u16,
    bytes: Option<u64>,
}

fn requests() -> Vec<Request> {
    read("examples/access.log").lines().map(request).collect()
}

/// `client - - [16/Nov/2026:00:01:27 +0000] "GET /path HTTP/1.1" status bytes "referer" "agent"`
fn request(line: &str) -> Request {
    let fields: Vec<&str> = line.split(' ').collect();
    let time = fields[3].strip_prefix('[').expect("a time in brackets");
    let time = time.replace("/Nov/2026:", ":");
    let parts: Vec<u64> = time.split(':').map(|part| part.parse().expect("a number")).collect();
    let [day, hour, minute, second] = parts[..] else { panic!("{line}: another time") };
    Request {
        client: fields[0].to_owned(),
        time: ((day * 24 + hour) * 60 + minute) * 60 + second,
        path: fields[6].to_owned(),
        status: fields[8].parse().expect("a status"),
        bytes: fields[9].parse().ok(),
    }
}

fn shown_time(time: u64) -> String {
    let (minutes, seconds) = (time / 60, time % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let (days, hours) = (hours / 24, hours % 24);
    format!("2026-11-{days:02}T{hours:02}:{minutes:02}:{seconds:02}")
}

/// How often each of `values` is there.
fn counts(values: impl IntoIterator<Item = String>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

/// The most frequent first, equally frequent ones by name.
fn ranked(counts: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut ranked: Vec<(String, u64)> = counts.into_iter().collect();
    ranked.sort_by_key(|(_, count)| Reverse(*count));
    ranked
}

fn top_clients() -> Table {
    let log = read("examples/access.log");
    let lines = log.lines().filter(|line| !line.contains("ExampleBot"));
    let requests: Vec<Request> = lines.map(request).collect();
    let clients = ranked(counts(requests.iter().map(|request| request.client.clone())));
    let row = |(client, count): (String, u64)| {
        let of_client = || requests.iter().filter(|request| request.client == client);
        let errors = of_client().filter(|request| request.status >= 400).count();
        let bytes: u64 = of_client().filter_map(|request| request.bytes).sum();
        vec![client.clone(), count.to_string(), errors.to_string(), bytes.to_string()]
    };
    clients.into_iter().take(5).map(row).collect()
}

fn status_codes() -> Table {
    let statuses = ranked(counts(requests().iter().map(|request| request.status.to_string())));
    statuses.into_iter().map(|(status, count)| vec![status, count.to_string()]).collect()
}

fn word_count() -> Table {
    let log = read("examples/access.log");
    let words = log.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words = ranked(counts(words.map(str::to_owned)));
    words.into_iter().take(10).map(|(word, count)| vec![word, count.to_string()]).collect()
}

fn error_rates_per_hour() -> Table {
    let mut hours: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for request in requests() {
        let (count, errors) = hours.entry(request.time / 3600).or_default();
        *count += 1;
        *errors += u64::from(request.status >= 400);
    }
    let row = |(hour, (count, errors)): (u64, (u64, u64))| {
        let percent = (errors as f64 * 1000.0 / count as f64).round() / 10.0;
        let hour = shown_time(hour * 3600);
        vec![hour, count.to_string(), errors.to_string(), format!("{percent:.1}")]
    };
    hours.into_iter().map(row).collect()
}

fn sessions() -> Table {
    const SILENCE: u64 = 30 * 60;
    let mut times: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for request in requests() {
        times.entry(request.client).or_default().push(request.time);
    }
    let mut visits: Vec<(String, usize, u64, u64, usize)> = Vec::new();
    for (client, mut times) in times {
        times.sort_unstable();
        let of_client = times.chunk_by(|before, after| after - before <= SILENCE);
        visits.extend(of_client.enumerate().map(|(index, visit)| {
            (client.clone(), index + 1, visit[0], visit[visit.len() - 1], visit.len())
        }));
    }
    visits.sort_by(|a, b| (Reverse(a.4), a.2, &a.0).cmp(&(Reverse(b.4), b.2, &b.0)));
    let row = |(client, visit, began, ended, requests): (String, usize, u64, u64, usize)| {
        vec![client, visit.to_string(), shown_time(began), shown_time(ended), requests.to_string()]
    };
    visits.into_iter().take(5).map(row).collect()
}

fn blocklist() -> Table {
    let listed = read("examples/blocklist.csv");
    let requests = requests();
    let mut rows: Vec<(usize, Vec<String>)> = Vec::new();
    for line in listed.lines().skip(1) {
        let mut row: Vec<String> = line.split(',').map(str::to_owned).collect();
        let of_client = || requests.iter().filter(|request| request.client == row[0]);
        let count = of_client().count();
        let answered = of_client().filter(|request| request.status < 400).count();
        let bytes: u64 = of_client().filter_map(|request| request.bytes).sum();
        row.extend([count.to_string(), answered.to_string(), bytes.to_string()]);
        if count > 0 {
            rows.push((count, row));
        }
    }
    rows.sort_by_key(|(count, _)| Reverse(*count));
    rows.into_iter().map(|(_, row)| row).collect()
}

fn duplicates() -> Table {
    let log = read("examples/app.log");
    let messages = ranked(counts(log.lines().map(message)));
    let messages = messages.into_iter().filter(|(_, count)| *count > 1).take(10);
    // The cells of a table come without the blanks around them.
    messages.map(|(message, count)| vec![count.to_string(), message.trim().to_owned()]).collect()
}

/// A line of `app.log` without its time, its numbers made equal.
fn message(line: &str) -> String {
    let text = match line.split_once(' ') {
        Some((time, text)) if time.starts_with(|c: char| c.is_ascii_digit()) => text,
        _ => line,
    };
    let mut message = String::new();
    let mut is_in_number = false;
    for character in text.chars() {
        let is_digit = character.is_ascii_digit();
        if !is_digit {
            message.push(character);
        } else if !is_in_number {
            message.push('N');
        }
        is_in_number = is_digit;
    }
    message
}

fn awk() -> Table {
    let requests = requests();
    let paths = ranked(counts(requests.iter().map(|request| request.path.clone())));
    let row = |(path, count): (String, u64)| {
        let of_path = || requests.iter().filter(|request| request.path == path);
        let failed = of_path().filter(|request| request.status >= 400).count();
        let largest = of_path().filter_map(|request| request.bytes).max().unwrap_or_default();
        vec![path.clone(), count.to_string(), failed.to_string(), largest.to_string()]
    };
    paths.into_iter().take(5).map(row).collect()
}

fn python() -> Table {
    let clients: Vec<String> = requests().into_iter().map(|request| request.client).collect();
    let networks = ranked(counts(clients.iter().map(|client| network(client))));
    let row = |(name, count): (String, u64)| {
        let of_network = clients.iter().filter(|client| network(client) == name);
        let different: BTreeSet<&String> = of_network.collect();
        vec![name.clone(), count.to_string(), different.len().to_string()]
    };
    networks.into_iter().map(row).collect()
}

fn network(client: &str) -> String {
    match client.parse().expect("an address") {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}
