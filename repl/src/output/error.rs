//! Why printing ended early.

use std::io;

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use gleam_sql_agent::exchange::AgentLost;
use gleam_sql_planner::find_cause;

/// Why printing ended before the last row.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutputError {
    /// The other end of the pipe is closed, as by `| head -1`: the reader has what it wanted, and
    /// the caller ends quietly, with success.
    #[error("the reader of the output is gone")]
    ReaderClosed,
    /// The rows could not be written: a full disk, a lost device.
    #[error("cannot write the output: {0}")]
    Io(#[source] io::Error),
    /// The query failed, or made a value that has no text, such as a date beyond the calendar.
    #[error(transparent)]
    Query(#[from] DataFusionError),
    /// The format cannot hold these rows too.
    #[error("{0} holds the rows of one statement")]
    OneStatement(String),
}

impl OutputError {
    /// The agent that was lost, where that is the reason.
    pub(crate) fn lost_agent(&self) -> Option<&AgentLost> {
        match self {
            Self::Query(error) => find_cause::<AgentLost>(error),
            Self::ReaderClosed | Self::Io(_) | Self::OneStatement(_) => None,
        }
    }

    pub(crate) fn from_io(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderClosed,
            _ => Self::Io(error),
        }
    }
}

impl From<ArrowError> for OutputError {
    fn from(error: ArrowError) -> Self {
        Self::Query(error.into())
    }
}
