//! Why an operator failed.

use std::time::Duration;

use datafusion::error::DataFusionError;
use thiserror::Error;

use crate::child::ChildStatus;
use crate::operator::{OperatorLabel, RowOrigin};
use crate::policy::PolicyError;

/// A failure of one operator, with the facts that its user needs.
#[derive(Debug, Error)]
#[error("{} failed: {fault}{}{}", label.keyword, shown_origin(origin.as_ref()), shown_stderr(stderr))]
pub struct OperatorError {
    /// Which operator.
    pub label: OperatorLabel,
    /// What happened.
    pub fault: OperatorFault,
    /// The row at which it happened, where one is to blame.
    pub origin: Option<RowOrigin>,
    /// The tail of what the child wrote to stderr.
    pub stderr: String,
}

/// What can go wrong in an operator.
#[derive(Debug, Error)]
pub enum OperatorFault {
    /// The Lua function raised an error, or returned what it must not.
    #[error("{message}{}{}", shown_lua_line(*lua_line), shown_arguments(arguments))]
    Lua {
        /// The message of the error.
        message: String,
        /// The line of the Lua code, from 1.
        lua_line: Option<u64>,
        /// The arguments of the call, as `name = value (type)`.
        arguments: String,
        /// What to do, where that is known.
        hint: Option<String>,
    },
    /// A command of the shell program ended badly.
    #[error("`{command}` {status}{}", shown_meaning(*meaning))]
    Shell {
        /// The program, its first line.
        command: String,
        /// How it ended.
        status: ChildStatus,
        /// What the status means, where known.
        meaning: Option<&'static str>,
    },
    /// The child ended before its work was done.
    #[error("its child process {status}")]
    ChildEnded {
        /// How it ended.
        status: ChildStatus,
    },
    /// Nothing moved for too long.
    #[error("no progress for {}", shown_duration(*limit))]
    Stalled {
        /// The limit that was set.
        limit: Duration,
    },
    /// The same where the operator has a TIMEOUT.
    #[error("no progress for {}", shown_duration(*limit))]
    StalledBeyondTimeout {
        /// The limit of the operator.
        limit: Duration,
    },
    /// A child for one row lived for longer than TIMEOUT.
    #[error("its child for one row ran for more than {}", shown_duration(*limit))]
    TimedOut {
        /// The limit of the operator.
        limit: Duration,
    },
    /// The program has ended, and what it started still holds its output.
    #[error("it has ended, but a process that it started still holds its output")]
    LeftBehind,
    /// The child could not be started.
    #[error("cannot start `{program}`: {source}")]
    CannotStart {
        /// The program.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// This process may not do it.
    #[error(transparent)]
    NotAllowed(#[from] PolicyError),
    /// A value cannot go to the child.
    #[error("{0}")]
    Input(String),
    /// What came back from the child is not what was declared.
    #[error("{0}")]
    Output(String),
    /// A row of the output is not what was declared.
    #[error("{reason}")]
    OutputRow {
        /// Which one, and what is wrong with it.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// A line does not have the format that it is said to have.
    #[error("a line does not match: {reason}")]
    Unmatched {
        /// What is wrong with it.
        reason: String,
    },
    /// The output of one child is too long to be held back until the child has ended well.
    #[error("the output for one row is longer than {limit_bytes} bytes")]
    TooLongToHold {
        /// The limit.
        limit_bytes: usize,
    },
    /// A pipe to the child failed.
    #[error("the connection to its child process failed: {0}")]
    Io(#[from] std::io::Error),
}

impl OperatorError {
    /// An error of the operator as a whole.
    pub fn new(label: &OperatorLabel, fault: impl Into<OperatorFault>) -> Self {
        let label = label.clone();
        Self { label, fault: fault.into(), origin: None, stderr: String::new() }
    }

    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match &self.fault {
            OperatorFault::Stalled { .. } => Some(
                "a longer limit is set with SET gleam.operator_timeout = '10m', none with '0'"
                    .to_owned(),
            ),
            OperatorFault::StalledBeyondTimeout { .. } | OperatorFault::TimedOut { .. } => {
                Some("give the operator a longer TIMEOUT".to_owned())
            }
            OperatorFault::TooLongToHold { .. } => Some(
                "with ON ERROR NULL or SKIP the output of a child counts only when the child has \
                 ended well; with ON ERROR FAIL it may have any length"
                    .to_owned(),
            ),
            OperatorFault::OutputRow { hint, .. } => Some((*hint).to_owned()),
            OperatorFault::CannotStart { program, source }
                if program == "bash" && source.kind() == std::io::ErrorKind::NotFound =>
            {
                Some("PIPE needs bash in the PATH".to_owned())
            }
            OperatorFault::LeftBehind => Some(
                "end the program with `wait`, or send the output of background processes elsewhere"
                    .to_owned(),
            ),
            OperatorFault::Lua { hint, .. } => hint.clone(),
            OperatorFault::Unmatched { .. } => Some(
                "ON ERROR NULL gives NULLs for such lines, and ON ERROR SKIP leaves them out"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl From<OperatorError> for DataFusionError {
    fn from(error: OperatorError) -> Self {
        Self::External(Box::new(error))
    }
}

fn shown_origin(origin: Option<&RowOrigin>) -> String {
    origin.map(|origin| format!("\n  at {origin}")).unwrap_or_default()
}

fn shown_stderr(stderr: &str) -> String {
    if stderr.is_empty() {
        return String::new();
    }
    let lines: Vec<String> = stderr.lines().map(|line| format!("\n    {line}")).collect();
    format!("\n  it wrote to stderr:{}", lines.concat())
}

fn shown_lua_line(line: Option<u64>) -> String {
    line.map(|line| format!(" (Lua line {line})")).unwrap_or_default()
}

fn shown_arguments(arguments: &str) -> String {
    if arguments.is_empty() { String::new() } else { format!("\n  called with {arguments}") }
}

fn shown_meaning(meaning: Option<&str>) -> String {
    meaning.map(|meaning| format!(" ({meaning})")).unwrap_or_default()
}

fn shown_duration(duration: Duration) -> String {
    let text = format!("{:.1}", duration.as_secs_f64());
    format!("{} s", text.strip_suffix(".0").unwrap_or(&text))
}
