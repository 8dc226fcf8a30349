//! What a PIPE is, whatever its input.

use std::fmt;
use std::time::Duration;

use crate::operator::{OnError, OperatorLabel};
use crate::wire::WireFormat;

/// One shell program of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PipeCommand {
    /// The operator that it was written in.
    pub label: OperatorLabel,
    /// The program, for bash.
    pub code: String,
}

/// The programs and clauses of a PIPE, without its expressions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PipeSpec {
    /// At least one; several are one pipeline.
    pub commands: Vec<PipeCommand>,
    /// How rows are written for the first program.
    pub input_format: WireFormat,
    /// The names of the values that are sent, which FORMAT JSON needs.
    pub input_names: Vec<String>,
    /// How the output of the last program is read.
    pub output_format: WireFormat,
    /// Which rows share a child.
    pub scope: PipeScope,
    /// The exit statuses that are success, of one command; where there are none, the usual rules
    /// hold.
    pub ok_exit: Vec<i32>,
    /// TIMEOUT, where it replaces the setting of the session: how long a child may make no progress,
    /// or with PER ROW, live.
    pub timeout: Option<Duration>,
    /// What rows of the output that do not fit the columns do, and with PER ROW, failing children.
    ///
    /// The rows that are counted as looked at are those of the output; with PER ROW, those of the
    /// input, and of the output those that do not fit.
    pub on_error: OnError,
}

/// Which rows share a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PipeScope {
    /// Those of a task, however the input is cut.
    Split,
    /// Those with equal keys, and those of other keys that fall to the same task.
    Partitioned,
    /// All; the child is started for no rows as well.
    Single,
    /// None: each has its own, which gets the values as arguments. There is one command then.
    PerRow,
}

impl PipeSpec {
    /// One command with no clauses: RAW lines in and out.
    pub fn new(command: PipeCommand) -> Self {
        Self {
            commands: vec![command],
            input_format: WireFormat::Raw,
            input_names: vec!["line".to_owned()],
            output_format: WireFormat::Raw,
            scope: PipeScope::Split,
            ok_exit: Vec::new(),
            timeout: None,
            on_error: OnError::Fail,
        }
    }
}

impl fmt::Display for PipeScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Split => "",
            Self::Partitioned => "PARTITION BY",
            Self::Single => "SINGLE",
            Self::PerRow => "PER ROW",
        })
    }
}
