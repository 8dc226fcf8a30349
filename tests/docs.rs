//! Every example in `docs/*.md` runs, and prints what stands below it.
//!
//! A block ```` ```sql ```` runs as `gleam-sql --format table -c <block>`, a block ```` ```sh ````
//! in bash with `gleam-sql` in its path; both in a directory of their own, which holds a copy of
//! `examples/` and nothing else. The blocks that follow directly are what that prints:
//! ```` ```text ```` on stdout, ```` ```stderr ```` on stderr; what is not there prints nothing. `…`
//! in them stands for the part of a line that differs between runs or machines.
//!
//! `UPDATE_DOCS=1 cargo test --test docs` writes the outputs into the files, to be read. An output
//! that matches stays as it is.

#![expect(clippy::expect_used, reason = "a test stops at its first failure")]
#![expect(clippy::disallowed_methods, reason = "tests start programs")]

use std::fmt::Write as _;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;

/// Fewer than this means that examples are not found.
const MIN_EXAMPLES: usize = 100;
/// Tasks of a stage, besides as many as there are cores.
const PARTITIONS: [usize; 2] = [1, 7];
const ANYTHING: char = '…';

fn main() -> ExitCode {
    let documents = documents();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        documents.iter().for_each(|path| update(path));
    }
    let examples: Vec<(String, Example)> =
        documents.iter().flat_map(|path| named_examples(path)).collect();
    let count = examples.len();
    let mut trials: Vec<Trial> = examples
        .into_iter()
        .map(|(name, example)| Trial::test(name, move || check(&example).map_err(Failed::from)))
        .collect();
    trials.push(Trial::test("there_are_examples", move || {
        let are_enough = count >= MIN_EXAMPLES;
        if are_enough { Ok(()) } else { Err(Failed::from(format!("only {count} examples"))) }
    }));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("repl/ is in the workspace").to_owned()
}

fn documents() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("docs")).expect("docs/ is there");
    let paths = entries.map(|entry| entry.expect("docs/ can be read").path());
    let mut documents: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect();
    documents.sort();
    documents
}

fn named_examples(path: &Path) -> Vec<(String, Example)> {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).expect("documents are UTF-8");
    let examples = read_examples(&text);
    examples.into_iter().map(|example| (format!("{file}:{}", example.line), example)).collect()
}

/// One block that runs, with the outputs that it is said to have.
#[derive(Debug)]
struct Example {
    /// The line of its fence, from 1.
    line: usize,
    language: Language,
    code: String,
    /// The lines behind its code, up to the end of its outputs; from 0.
    output_lines: Range<usize>,
    /// None where there is no output at all.
    outputs: Option<Outputs>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    Sql,
    Shell,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Outputs {
    stdout: String,
    stderr: String,
}

/// A fenced block: what stands behind its opening fence, its text, and its lines, from 0.
struct Block {
    info: String,
    text: String,
    lines: Range<usize>,
}

fn read_examples(text: &str) -> Vec<Example> {
    let blocks = blocks(text);
    let lines: Vec<&str> = text.lines().collect();
    let mut examples = Vec::new();
    let mut blocks = blocks.into_iter().peekable();
    while let Some(block) = blocks.next() {
        let language = match block.info.as_str() {
            "sql" => Language::Sql,
            "sh" => Language::Shell,
            _ => continue,
        };
        let mut end = block.lines.end;
        let mut outputs = None;
        while let Some(next) = blocks.peek()
            && matches!(next.info.as_str(), "text" | "stderr")
            && lines[end..next.lines.start].iter().all(|line| line.is_empty())
        {
            let outputs = outputs.get_or_insert_with(Outputs::default);
            let is_stdout = next.info == "text";
            let place = if is_stdout { &mut outputs.stdout } else { &mut outputs.stderr };
            place.clone_from(&next.text);
            end = next.lines.end;
            blocks.next();
        }
        let line = block.lines.start + 1;
        let output_lines = block.lines.end..end;
        examples.push(Example { line, language, code: block.text, output_lines, outputs });
    }
    examples
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((start, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else {
            assert!(!line.trim_start().starts_with("```"), "line {}: indented fence", start + 1);
            continue;
        };
        let mut text = String::new();
        let end = loop {
            let (at, line) = lines.next().expect("a block is closed");
            if line == "```" {
                break at + 1;
            }
            text.push_str(line);
            text.push('\n');
        };
        blocks.push(Block { info: info.to_owned(), text, lines: start..end });
    }
    blocks
}

/// Writes the outputs that examples have into their document.
fn update(path: &Path) {
    let text = fs::read_to_string(path).expect("documents are UTF-8");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for example in read_examples(&text).into_iter().rev() {
        let actual = run(&example, None).1;
        if example.outputs.as_ref().is_some_and(|expected| mismatch(expected, &actual).is_none()) {
            continue;
        }
        let shown = shown(&actual);
        lines.splice(example.output_lines, shown.lines().map(str::to_owned));
    }
    fs::write(path, lines.join("\n") + "\n").expect("the document can be written");
}

/// The outputs as blocks.
fn shown(outputs: &Outputs) -> String {
    let mut blocks = String::new();
    if !outputs.stdout.is_empty() || outputs.stderr.is_empty() {
        let _ = write!(blocks, "```text\n{}```\n", outputs.stdout);
    }
    if !outputs.stderr.is_empty() {
        let _ = write!(blocks, "```stderr\n{}```\n", outputs.stderr);
    }
    blocks
}

fn check(example: &Example) -> Result<(), String> {
    let Some(expected) = &example.outputs else {
        return Err(format!("no output follows\n{}", example.code));
    };
    let divisions: Vec<Option<usize>> = match example.language {
        Language::Sql => [None].into_iter().chain(PARTITIONS.map(Some)).collect(),
        Language::Shell => vec![None],
    };
    for partitions in divisions {
        let (succeeded, actual) = run(example, partitions);
        let division = partitions.map(|count| format!(" with {count} partitions"));
        let division = division.unwrap_or_default();
        if let Some(difference) = mismatch(expected, &actual) {
            return Err(format!("{}{difference}{division}\n{}", example.code, shown(&actual)));
        }
        let says_error = actual.stderr.lines().any(|line| line.starts_with("error: "));
        if example.language == Language::Sql && succeeded == says_error {
            return Err(format!("{}success is {succeeded}{division}", example.code));
        }
    }
    Ok(())
}

/// Whether it succeeded, and what it printed.
fn run(example: &Example, partitions: Option<usize>) -> (bool, Outputs) {
    let binary = Path::new(env!("CARGO_BIN_EXE_gleam-sql"));
    let directory = directory_with_examples();
    let mut command = match example.language {
        Language::Sql => Command::new(binary),
        Language::Shell => Command::new("bash"),
    };
    match example.language {
        Language::Sql => {
            command.args(["--format", "table"]);
            if let Some(count) = partitions {
                let setting = format!("SET datafusion.execution.target_partitions = {count}");
                command.args(["-c", &setting]);
            }
        }
        Language::Shell => {}
    }
    let path = format!(
        "{}:{}",
        binary.parent().expect("the binary is in a directory").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let output = command
        .arg("-c")
        .arg(&example.code)
        .current_dir(directory.path())
        .env_clear()
        .envs([("PATH", path.as_str()), ("LC_ALL", "C"), ("TZ", "UTC")])
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("outputs are UTF-8");
    (output.status.success(), Outputs { stdout: text(output.stdout), stderr: text(output.stderr) })
}

fn directory_with_examples() -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let copies = directory.path().join("examples");
    fs::create_dir(&copies).expect("directories can be made");
    for entry in fs::read_dir(root().join("examples")).expect("examples/ is there") {
        let entry = entry.expect("examples/ can be read");
        fs::copy(entry.path(), copies.join(entry.file_name())).expect("files can be copied");
    }
    directory
}

/// How they differ, if they do.
fn mismatch(expected: &Outputs, actual: &Outputs) -> Option<&'static str> {
    if !matches(&expected.stdout, &actual.stdout) {
        Some("another output")
    } else if !matches(&expected.stderr, &actual.stderr) {
        Some("another output on stderr")
    } else {
        None
    }
}

fn matches(expected: &str, actual: &str) -> bool {
    let (expected, actual): (Vec<&str>, Vec<&str>) =
        (expected.lines().collect(), actual.lines().collect());
    expected.len() == actual.len()
        && expected.iter().zip(actual).all(|(expected, actual)| line_matches(expected, actual))
}

fn line_matches(expected: &str, actual: &str) -> bool {
    let Some((start, rest)) = expected.split_once(ANYTHING) else { return expected == actual };
    let Some(mut actual) = actual.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split(ANYTHING).collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, behind)) = actual.split_once(part) else { return false };
        actual = behind;
    }
    actual.ends_with(end)
}
