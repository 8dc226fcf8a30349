//! One invocation of `gleam-sql`, from its arguments to its end.

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use super::running::Running;

/// The longest that any invocation of these tests may take. On a busy machine; the tests that are
/// about time have limits of their own.
pub(super) const LIMIT: Duration = Duration::from_secs(90);

/// A directory that queries run in; it goes away at the end of the test.
#[derive(Debug)]
pub(crate) struct Place {
    directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a temporary directory") }
    }

    /// A place with one file.
    pub(crate) fn with(name: &str, contents: impl AsRef<[u8]>) -> Self {
        let place = Self::new();
        place.write(name, contents);
        place
    }

    /// Writes a file, in directories that are made for it.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).expect("directories can be made");
        }
        fs::write(&path, contents).expect("files can be written");
        path
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn secret(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.write(name, contents);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is our file");
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `gleam-sql` in this directory.
    pub(crate) fn gleam(&self) -> Gleam {
        Gleam {
            directory: self.directory.path().to_owned(),
            arguments: Vec::new(),
            environment: Vec::new(),
            input: Input::Null,
            errors: None,
        }
    }

    /// `gleam-sql -c sql` in this directory.
    pub(crate) fn sql(&self, sql: impl AsRef<OsStr>) -> Gleam {
        self.gleam().arg("-c").arg(sql)
    }
}

/// An invocation in the making.
#[derive(Debug, Clone)]
pub(crate) struct Gleam {
    pub(super) directory: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
    pub(super) input: Input,
    /// A file that gets stderr.
    pub(super) errors: Option<PathBuf>,
}

/// What it gets as standard input.
#[derive(Debug, Clone)]
pub(super) enum Input {
    Null,
    Bytes(Vec<u8>),
    File(PathBuf),
    /// A pipe that the test writes to, or just holds open.
    Held,
    /// No descriptor 0 at all.
    Closed,
}

impl Gleam {
    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn format(self, format: &str) -> Self {
        self.arg("--format").arg(format)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub(crate) fn input(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.input = Input::Bytes(bytes.as_ref().to_vec());
        self
    }

    pub(crate) fn input_file(mut self, path: impl AsRef<Path>) -> Self {
        self.input = Input::File(path.as_ref().to_owned());
        self
    }

    pub(crate) fn held_input(mut self) -> Self {
        self.input = Input::Held;
        self
    }

    /// Sends stderr to an existing file.
    pub(crate) fn errors_into(mut self, path: impl AsRef<Path>) -> Self {
        self.errors = Some(path.as_ref().to_owned());
        self
    }

    pub(crate) fn closed_input(mut self) -> Self {
        self.input = Input::Closed;
        self
    }

    /// Starts it, with stdout and stderr in pipes.
    pub(crate) fn start(self) -> Running {
        Running::start(self, Stdio::piped())
    }

    /// Starts it with another stdout.
    pub(crate) fn start_into(self, stdout: Stdio) -> Running {
        Running::start(self, stdout)
    }

    /// Runs it to its end, after which no process of it may be left.
    pub(crate) fn run(self) -> Finished {
        self.start().finish(LIMIT)
    }
}

/// An invocation that has ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The exit status; none if a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Finished {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("output is UTF-8")
    }

    /// The lines of the output behind the header.
    pub(crate) fn rows(&self) -> Vec<&str> {
        self.text().lines().skip(1).collect()
    }

    #[track_caller]
    pub(crate) fn code(&self, expected: i32) -> &Self {
        assert_eq!(self.code, Some(expected), "exit status\n{}", self.shown());
        self
    }

    /// Exit status 0 and not a word on stderr.
    #[track_caller]
    pub(crate) fn success(&self) -> &Self {
        self.code(0);
        assert_eq!(self.stderr, "", "stderr of a success\n{}", self.shown());
        self
    }

    /// stderr has all of these, in this order.
    #[track_caller]
    pub(crate) fn says(&self, fragments: &[&str]) -> &Self {
        let mut rest = self.stderr.as_str();
        for fragment in fragments {
            let Some((_, after)) = rest.split_once(fragment) else {
                panic!("stderr lacks `{fragment}` (or has it too early)\n{}", self.shown());
            };
            rest = after;
        }
        self
    }

    #[track_caller]
    pub(crate) fn does_not_say(&self, fragment: &str) -> &Self {
        assert!(!self.stderr.contains(fragment), "stderr has `{fragment}`\n{}", self.shown());
        self
    }

    /// All of it, cut to a size that one can read.
    pub(crate) fn shown(&self) -> String {
        let clip = |text: &str| -> String {
            const MOST: usize = 3000;
            let start: String = text.chars().take(MOST).collect();
            if start.len() < text.len() { start + "…" } else { start }
        };
        format!(
            "code {:?}, signal {:?}, after {:?}\n--- stdout ({} bytes)\n{}\n--- stderr\n{}\n---",
            self.code,
            self.signal,
            self.took,
            self.stdout.len(),
            clip(&String::from_utf8_lossy(&self.stdout)),
            clip(&self.stderr),
        )
    }
}

/// The query succeeds in silence; gives its rows.
#[track_caller]
pub(crate) fn succeeds(place: &Place, sql: &str) -> Vec<String> {
    let finished = place.sql(sql).run();
    finished.success();
    finished.rows().into_iter().map(str::to_owned).collect()
}

/// The query gives these rows, in this order.
#[track_caller]
pub(crate) fn check<T: Display>(place: &Place, sql: &str, expected: &[T]) {
    check_as(sql, succeeds(place, sql), expected);
}

/// The query gives these rows, in any order.
#[track_caller]
pub(crate) fn check_unordered<T: Display>(place: &Place, sql: &str, expected: &[T]) {
    let mut expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    expected.sort();
    let mut rows = succeeds(place, sql);
    rows.sort();
    check_as(sql, rows, &expected);
}

/// Compares rows without printing thousands of them.
#[track_caller]
pub(crate) fn check_as<T: Display>(what: &str, rows: Vec<String>, expected: &[T]) {
    let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    let differs = rows.iter().zip(&expected).position(|(row, expected)| row != expected);
    if let Some(at) = differs {
        panic!("{what}\nrow {at} is   {}\nbut should be {}", rows[at], expected[at]);
    }
    assert_eq!(rows.len(), expected.len(), "{what}\nrows: {:?}", &rows[..rows.len().min(20)]);
}

/// The query ends with this status and says these things, in this order.
#[track_caller]
pub(crate) fn fails(place: &Place, sql: &str, code: i32, fragments: &[&str]) -> Finished {
    let finished = place.sql(sql).run();
    finished.code(code).says(&["error: "]).says(fragments);
    finished
}
