//! What a Lua child answers.

use std::io;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use datafusion::common::internal_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::ChildStdout;
use tokio::sync::mpsc::Receiver;

use super::feed::widen_pipe;
use super::lua_feed::InFlight;
use super::lua_task::{LuaTask, Output};
use super::pace::Pace;
use super::row_errors::RowErrorSample;
use crate::child::Progress;
use crate::error::{OperatorError, OperatorFault};
use crate::lua::{
    self, Failure, HEADER_BYTES, LuaProgram, Reply, ReplyDecoder, ReplyShape, Tolerated,
};
use crate::operator::{OperatorLabel, RowOrigin};

/// A body is read in steps of at most this, so that a broken length allocates little.
const READ_STEP_BYTES: usize = 64 * 1024 * 1024;

/// How the reading of replies ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// All batches were answered, and the child has closed its output.
    Ended,
    /// Nobody wants more rows.
    DownstreamClosed,
}

/// Why the reading of replies failed.
#[derive(Debug)]
pub(super) enum ReadError {
    /// The child said why, or its reply shows why.
    Told(DataFusionError),
    /// The child is silent.
    Lost(io::Error),
}

impl<E: Into<DataFusionError>> From<E> for ReadError {
    fn from(error: E) -> Self {
        Self::Told(error.into())
    }
}

/// Reads the replies of one child.
pub(super) struct ReplyReader<'a> {
    task: &'a LuaTask,
    stdout: ChildStdout,
    decoder: ReplyDecoder,
    in_flight: Receiver<InFlight>,
    current: Option<InFlight>,
    progress: &'a Progress,
    pace: &'a Pace,
    /// Whether any row came out.
    has_rows: bool,
    /// When the last batch was done.
    last_done: Instant,
    /// How long the rows of the current batch waited for the next operator.
    delivering: Duration,
}

impl<'a> ReplyReader<'a> {
    /// A reader of what `task`'s child writes to `stdout`.
    pub(super) fn new(
        task: &'a LuaTask,
        stdout: ChildStdout,
        in_flight: Receiver<InFlight>,
        progress: &'a Progress,
        pace: &'a Pace,
    ) -> Self {
        widen_pipe(&stdout);
        let decoder = ReplyDecoder::new(LuaProgram::clone(&task.program));
        Self {
            task,
            stdout,
            decoder,
            in_flight,
            current: None,
            progress,
            pace,
            has_rows: false,
            last_done: Instant::now(),
            delivering: Duration::ZERO,
        }
    }

    /// Passes the rows on until the child ends, or nobody wants them.
    pub(super) async fn read(&mut self, output: &Output) -> Result<Read, ReadError> {
        loop {
            let Some(reply) = self.next_reply().await? else {
                self.current = self.current.take().or_else(|| self.in_flight.try_recv().ok());
                return match self.current {
                    None => {
                        // Every row had an error.
                        if !self.has_rows {
                            self.task.without_rows(output).await?;
                        }
                        Ok(Read::Ended)
                    }
                    Some(_) => Err(ReadError::Lost(io::ErrorKind::UnexpectedEof.into())),
                };
            };
            if self.current.is_none() && !matches!(reply, Reply::Fault(_)) {
                // The batch was noted before it was sent; only a failure before the first one
                // may find none.
                self.current = self.in_flight.recv().await;
            }
            match reply {
                Reply::Rows(rows) => {
                    let rows = self.output_rows(&rows)?;
                    self.task.metrics.output_rows.add(rows.num_rows());
                    self.has_rows = true;
                    let started = Instant::now();
                    if self.progress.deliver(output.send(Ok(rows))).await.is_err() {
                        return Ok(Read::DownstreamClosed);
                    }
                    self.delivering += started.elapsed();
                }
                Reply::BatchDone(tolerated) => {
                    self.note(&tolerated);
                    if let Some(batch) = self.current.take().filter(|batch| batch.rows > 0) {
                        let working = batch.sent.max(self.last_done).elapsed();
                        self.pace.done(batch.rows, working.saturating_sub(self.delivering));
                    }
                    self.last_done = Instant::now();
                    self.delivering = Duration::ZERO;
                    self.progress.end_work();
                }
                Reply::Interpreted(counts) => self.task.metrics.interpreted(&counts),
                // That it came is all that it says.
                Reply::Beat => {}
                Reply::Failed(failure) => return Err(self.failed(failure).into()),
                Reply::Fault(message) => {
                    return Err(self.task.error(OperatorFault::Output(message)).into());
                }
            }
        }
    }

    /// The next reply; `None` where the child has closed its output between two.
    async fn next_reply(&mut self) -> Result<Option<Reply>, ReadError> {
        let waiting = Instant::now();
        let mut header = [0; HEADER_BYTES];
        let first = self.stdout.read(&mut header).await.map_err(ReadError::Lost)?;
        if first == 0 {
            return Ok(None);
        }
        self.stdout.read_exact(&mut header[first..]).await.map_err(ReadError::Lost)?;
        self.progress.moved();
        let (tag, length) = lua::parse_header(&header).map_err(|error| self.broken(error))?;
        let body =
            read_body(&mut self.stdout, length, self.progress).await.map_err(ReadError::Lost)?;
        self.task.metrics.waiting_for_child.add_elapsed(waiting);
        self.task.metrics.child_output_bytes.add(HEADER_BYTES + length);
        Ok(Some(self.decoder.decode(tag, body).map_err(|error| self.broken(error))?))
    }

    fn output_rows(&mut self, rows: &RecordBatch) -> Result<RecordBatch> {
        let Some(current) = &mut self.current else {
            return Err(internal_datafusion_err!("rows of no batch"));
        };
        let count = rows.num_rows();
        let mut columns = Vec::new();
        let mut replied = rows.columns();
        match (&current.kept, self.task.program.reply_shape()) {
            (Some(kept), ReplyShape::Kept | ReplyShape::Groups) => {
                let taken = |column| take(column, rows.column(0).as_ref(), None);
                for column in kept.columns() {
                    columns.push(taken(column)?);
                }
                replied = &replied[1..];
            }
            (Some(kept), ReplyShape::Beside) => {
                if current.replied + count > kept.num_rows() {
                    return Err(internal_datafusion_err!("more values than rows"));
                }
                columns.extend_from_slice(kept.slice(current.replied, count).columns());
                current.replied += count;
            }
            (_, ReplyShape::Made) => {}
            (None, _) => return Err(internal_datafusion_err!("a reply to columns not kept")),
        }
        columns.extend_from_slice(replied);
        with_schema(columns, count, &self.task.schema)
    }

    /// Keeps what ON ERROR let pass in the current batch.
    fn note(&self, tolerated: &[Tolerated]) {
        let (errors, partition) = (&self.task.row_errors, self.task.partition);
        for noted in tolerated {
            errors.count(noted.step, noted.rows, noted.errors);
            self.task.metrics.rows_with_errors.add(noted.errors as usize);
            for failure in &noted.samples {
                if errors.wants(noted.step, partition) {
                    let reason = self.failed_step(failure).1;
                    let origin = self.origin_of(failure);
                    errors.sample(noted.step, RowErrorSample { partition, origin, reason });
                }
            }
        }
    }

    fn origin_of(&self, failure: &Failure) -> Option<RowOrigin> {
        failure.row.and_then(|row| self.current.as_ref()?.origins.as_ref()?.of(row))
    }

    /// The operator of a failure, and its message without the place in the code.
    fn failed_step(&self, failure: &Failure) -> (&OperatorLabel, String) {
        let label = &self.task.labels[failure.step.min(self.task.labels.len() - 1)];
        let prefix = failure.lua_line.map(|line| format!("{}:{line}: ", label.keyword));
        let message = failure.message.strip_prefix(prefix.as_deref().unwrap_or_default());
        (label, message.unwrap_or(&failure.message).to_owned())
    }

    fn failed(&self, failure: Failure) -> OperatorError {
        let (label, message) = self.failed_step(&failure);
        let origin = self.origin_of(&failure);
        let lua_line = failure.lua_line.map(|line| line as u64);
        let fault = OperatorFault::Lua {
            message,
            lua_line,
            arguments: failure.arguments.join(", "),
            hint: failure.hint,
        };
        OperatorError { origin, ..OperatorError::new(label, fault) }
    }

    /// Names the rows that the child has been working on.
    pub(super) fn at_current_batch(&mut self, error: OperatorError) -> OperatorError {
        let current = self.current.take().or_else(|| self.in_flight.try_recv().ok());
        let origin = current.and_then(|batch| {
            let origins = batch.origins?;
            let first = origins.of(0)?;
            let last = origins.of(batch.rows.checked_sub(1)?)?;
            Some(first.through(&last))
        });
        OperatorError { origin, ..error }
    }

    fn broken(&self, error: lua::LuaError) -> DataFusionError {
        self.task.error(OperatorFault::Output(error.to_string())).into()
    }
}

async fn read_body(
    stdout: &mut (impl AsyncRead + Unpin),
    length: usize,
    progress: &Progress,
) -> io::Result<Vec<u8>> {
    let mut body = Vec::with_capacity(length.min(READ_STEP_BYTES));
    let mut rest = stdout.take(length as u64);
    while body.len() < length {
        if rest.read_buf(&mut body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        progress.moved();
    }
    Ok(body)
}

/// The columns under the names and nullability of `schema`, whose types they have.
fn with_schema(columns: Vec<ArrayRef>, rows: usize, schema: &SchemaRef) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}
