//! One task of a PIPE: a shell child, its feeder, and the reading of what it says.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::metrics::{Count, Time};
use futures::StreamExt;
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::mpsc::Sender;

use super::OperatorArguments;
use super::feed::{ChildInput, Feeder, widen_pipe};
use super::metrics::OperatorMetrics;
use super::pipe_end::ChildEnd;
use super::pipe_output::OutputRows;
use super::pipe_read::{Read, RowSink};
use super::pipe_spec::{PipeScope, PipeSpec};
use super::row_errors::{RowErrorSample, RowErrors};
use crate::child::{ChildCommand, ChildProcess, Progress};
use crate::error::{OperatorError, OperatorFault};
use crate::operator::RowOrigin;
use crate::shell::{self, StatusPipe};

/// How long what a program left behind may hold its output without writing to it.
const LINGERING: Duration = Duration::from_secs(5);

/// In place of a descriptor that shells report on.
const NO_REPORT: RawFd = -1;

/// What one task does; a copy a partition.
#[derive(Debug, Clone)]
pub(super) struct PipeTask {
    pub spec: Arc<PipeSpec>,
    /// The only program and its arguments, where no shell runs it.
    pub words: Option<Vec<String>>,
    pub arguments: OperatorArguments,
    pub schema: SchemaRef,
    pub batch_rows: usize,
    pub timeout: Duration,
    pub partition: usize,
    /// Children that may run at the same time, with PER ROW.
    pub children: usize,
    pub row_errors: RowErrors,
    pub metrics: OperatorMetrics,
    pub invalid_utf8_lines: Count,
}

pub(super) type Output = Sender<Result<RecordBatch>>;

/// Sends the rows of `input` through a child. A partition without rows starts none, unless the child
/// is the only one.
pub(super) async fn run(
    task: PipeTask,
    mut input: SendableRecordBatchStream,
    output: Output,
) -> Result<()> {
    let first = first_rows(&mut input).await?;
    if first.is_none() && task.spec.scope != PipeScope::Single {
        return Ok(());
    }
    let (running, stdin) = task.start(&[]).await?;
    widen_pipe(&running.stdout);
    let child_input = ChildInput::new(stdin, Arc::clone(&running.progress))
        .counting(&task.metrics.child_input_bytes);
    let feeding = task.clone();
    let mut feeder =
        Feeder::start(child_input, |child_input| feeding.feed(first, input, child_input));
    let mut sink = TaskOutput { task: &task, output };
    let read = tokio::select! {
        biased;
        // The child must not take the failure of its input for the end of it.
        failure = feeder.failure() => return Err(failure),
        read = task.supervise(running, &task.metrics.waiting_for_child, &mut sink) => read?,
    };
    match read {
        Read::DownstreamClosed => Ok(()),
        Read::Ended => feeder.finish().await,
    }
}

fn child_command(
    program: &str,
    arguments: Vec<String>,
    inherited: Option<OwnedFd>,
) -> ChildCommand {
    ChildCommand {
        program: program.into(),
        name: program.to_owned(),
        arguments: arguments.into_iter().map(Into::into).collect(),
        address_space_bytes: None,
        inherited,
    }
}

/// The first batch that has rows.
pub(super) async fn first_rows(
    input: &mut SendableRecordBatchStream,
) -> Result<Option<RecordBatch>> {
    while let Some(batch) = input.next().await.transpose()? {
        if batch.num_rows() > 0 {
            return Ok(Some(batch));
        }
    }
    Ok(None)
}

/// A child that was just started.
pub(super) struct RunningChild {
    child: ChildProcess,
    stdout: ChildStdout,
    status_pipe: Option<StatusPipe>,
    report: RawFd,
    pub progress: Arc<Progress>,
}

/// The rows of the child of a task go to the next operator.
struct TaskOutput<'a> {
    task: &'a PipeTask,
    output: Output,
}

impl RowSink for TaskOutput<'_> {
    async fn take(&mut self, rows: OutputRows) -> Result<bool, OperatorFault> {
        self.task.count(rows.records, rows.errors);
        for reason in rows.reasons {
            self.task.sample(None, reason);
        }
        self.task.metrics.output_rows.add(rows.batch.num_rows());
        let is_empty = rows.batch.num_rows() == 0;
        Ok(is_empty || self.output.send(Ok(rows.batch)).await.is_ok())
    }
}

impl PipeTask {
    /// Starts a child whose program has `arguments` as `$1 … $n`, or without a shell, as its last.
    pub(super) async fn start(
        &self,
        arguments: &[&str],
    ) -> Result<(RunningChild, ChildStdin), OperatorError> {
        let (mut command, status_pipe, report) = self.command()?;
        command.arguments.extend(arguments.iter().map(|argument| (*argument).into()));
        let program = command.name.clone();
        let (child, stdin, stdout) = ChildProcess::start(command)
            .await
            .map_err(|source| self.error(0, OperatorFault::CannotStart { program, source }))?;
        self.metrics.children.add(1);
        let progress = Arc::new(Progress::default());
        Ok((RunningChild { child, stdout, status_pipe, report, progress }, stdin))
    }

    /// What starts the child, and how shells tell how their commands ended.
    #[expect(clippy::result_large_err, reason = "it is returned once for each child at most")]
    fn command(&self) -> Result<(ChildCommand, Option<StatusPipe>, RawFd), OperatorError> {
        if let Some((program, arguments)) = self.words.as_deref().and_then(<[_]>::split_first) {
            return Ok((child_command(program, arguments.to_vec(), None), None, NO_REPORT));
        }
        let (status_pipe, inherited) = StatusPipe::new().map_err(|error| self.error(0, error))?;
        let report = inherited.as_raw_fd();
        let script = shell::script(&self.codes(), report);
        Ok((child_command("bash", script, Some(inherited)), Some(status_pipe), report))
    }

    /// Sees a child through: until all of its output is read and it has ended well, or nobody wants
    /// more rows. It is killed with this future.
    pub(super) async fn supervise(
        &self,
        running: RunningChild,
        waiting: &Time,
        sink: &mut impl RowSink,
    ) -> Result<Read, OperatorError> {
        let RunningChild { child, mut stdout, status_pipe, report, progress } = running;
        let mut end = ChildEnd { task: self, child, status_pipe, report, exit: None };
        // It stays open for a child that is judged for what it said: it must not die of SIGPIPE then.
        let mut reading = pin!(self.read(&mut stdout, &progress, waiting, sink));
        let mut is_read = false;
        while !is_read || end.exit.is_none() {
            tokio::select! {
                biased;
                outcome = &mut reading, if !is_read => match outcome {
                    Ok(Read::DownstreamClosed) => return Ok(Read::DownstreamClosed),
                    Ok(Read::Ended) => is_read = true,
                    Err(error @ OperatorError { fault: OperatorFault::TooLongToHold { .. }, .. }) => {
                        return Err(error);
                    }
                    Err(error) => return Err(end.judge_soon().await.err().unwrap_or(error)),
                },
                // Only the waiting may be cancelled by another branch, not the judging.
                exited = end.child.exited(), if end.exit.is_none() => {
                    end.judge(exited).await?;
                    progress.moved();
                }
                fault = self.overdue(&progress) => return Err(self.error(0, fault)),
                () = progress.silent(LINGERING), if end.exit.is_some() => {
                    return Err(self.error(0, OperatorFault::LeftBehind));
                }
            }
        }
        Ok(Read::Ended)
    }

    /// Waits for the child to take too long: to do nothing for a time, or with TIMEOUT and PER ROW,
    /// to live.
    async fn overdue(&self, progress: &Progress) -> OperatorFault {
        let limit = self.timeout;
        match (self.spec.scope, self.spec.timeout) {
            (PipeScope::PerRow, Some(_)) => {
                progress.lived(limit).await;
                OperatorFault::TimedOut { limit }
            }
            (_, given) => {
                progress.stalled(limit).await;
                match given {
                    Some(_) => OperatorFault::StalledBeyondTimeout { limit },
                    None => OperatorFault::Stalled { limit },
                }
            }
        }
    }

    /// So many `rows` were looked at, and so many of them had errors that ON ERROR let pass.
    pub(super) fn count(&self, rows: usize, errors: usize) {
        self.row_errors.count(0, rows as u64, errors as u64);
        self.metrics.rows_with_errors.add(errors);
    }

    /// Keeps what is wrong with a row, if that is among the first.
    pub(super) fn sample(&self, origin: Option<RowOrigin>, reason: String) {
        if self.row_errors.wants(0, self.partition) {
            self.row_errors.sample(0, RowErrorSample { partition: self.partition, origin, reason });
        }
    }

    pub(super) fn codes(&self) -> Vec<&str> {
        self.spec.commands.iter().map(|command| command.code.as_str()).collect()
    }

    pub(super) fn error(&self, position: usize, fault: impl Into<OperatorFault>) -> OperatorError {
        OperatorError::new(&self.spec.commands[position].label, fault)
    }

    /// An error of the last program, which makes the output.
    pub(super) fn last_error(&self, fault: impl Into<OperatorFault>) -> OperatorError {
        self.error(self.spec.commands.len() - 1, fault)
    }
}
