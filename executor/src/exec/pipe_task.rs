//! One task of a PIPE: a shell child, its feeder, and the reading of what it says.

use std::future::pending;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringViewArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::SchemaRef;
use datafusion::common::format::DEFAULT_FORMAT_OPTIONS;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::metrics::Count;
use futures::StreamExt;
use tokio::io::AsyncReadExt;
use tokio::process::ChildStdout;
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

use super::OperatorArguments;
use super::feed::{ChildInput, Fed, Feeder, widen_pipe};
use super::metrics::OperatorMetrics;
use super::pipe_spec::PipeSpec;
use crate::child::{ChildCommand, ChildProcess, ChildStatus, Progress};
use crate::error::{OperatorError, OperatorFault};
use crate::operator::{OperatorLabel, first_line};
use crate::shell::{self, COMMAND_NOT_FOUND, StatusPipe};
use crate::text::{Arrival, LineBatcher, line_views};
use crate::wire::{FieldReader, TextWriter, WireFormat};

/// How long lines may wait for a batch to fill.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long what a program left behind may hold its output without writing to it.
const LINGERING: Duration = Duration::from_secs(5);
/// How long a program that wrote nonsense has to end, and say more.
const DYING: Duration = Duration::from_millis(500);
/// About how many bytes a batch of output may have.
const BATCH_BYTES: usize = 1024 * 1024;

/// What one task does; a copy a partition.
#[derive(Debug, Clone)]
pub(super) struct PipeTask {
    pub spec: Arc<PipeSpec>,
    pub arguments: OperatorArguments,
    pub schema: SchemaRef,
    pub batch_rows: usize,
    pub timeout: Duration,
    pub metrics: OperatorMetrics,
    pub invalid_utf8_lines: Count,
}

type Output = Sender<Result<RecordBatch>>;

/// Sends the rows of `input` through a child. A partition without rows starts none.
pub(super) async fn run(
    task: PipeTask,
    mut input: SendableRecordBatchStream,
    output: Output,
) -> Result<()> {
    let Some(first) = first_rows(&mut input).await? else { return Ok(()) };
    let (status_pipe, inherited) = StatusPipe::new().map_err(|error| task.error(0, error))?;
    let report = inherited.as_raw_fd();
    let command = task.command(inherited);
    let (child, stdin, stdout) =
        ChildProcess::start(command).await.map_err(|source| task.cannot_start(source))?;
    task.metrics.children.add(1);

    let progress = Arc::new(Progress::default());
    let child_input = ChildInput::new(stdin, Arc::clone(&progress));
    let feeding = task.clone();
    let mut feeder =
        Feeder::start(child_input, |child_input| feeding.feed(first, input, child_input));
    let status_pipe = Some(status_pipe);
    let mut end = ChildEnd { task: &task, child, status_pipe, report, exit: None };
    let mut reading = pin!(task.read(stdout, &progress, &output));
    let mut read = None;
    while read.is_none() || end.exit.is_none() {
        tokio::select! {
            biased;
            // The child must not take the failure of its input for the end of it.
            failure = feeder.failure() => return Err(failure),
            outcome = &mut reading, if read.is_none() => match outcome {
                Ok(Read::DownstreamClosed) => return Ok(()),
                Ok(Read::Ended) => read = Some(()),
                Err(error) => return Err(end.judge_soon().await.err().unwrap_or(error)),
            },
            // Only the waiting may be cancelled by another branch, not the judging.
            exited = end.child.exited(), if end.exit.is_none() => {
                end.judge(exited).await?;
                progress.moved();
            }
            () = progress.stalled(task.timeout) => {
                return Err(task.error(0, OperatorFault::Stalled { limit: task.timeout }).into());
            }
            () = progress.silent(LINGERING), if end.exit.is_some() => {
                return Err(task.error(0, OperatorFault::LeftBehind).into());
            }
        }
    }
    feeder.finish().await
}

/// The end of a child, and whether it is a good one.
struct ChildEnd<'a> {
    task: &'a PipeTask,
    child: ChildProcess,
    status_pipe: Option<StatusPipe>,
    /// The descriptor that the shells report on.
    report: RawFd,
    exit: Option<ChildStatus>,
}

impl ChildEnd<'_> {
    /// Judges how the child exited.
    ///
    /// # Errors
    /// When it failed. Whatever it may have left running is killed then.
    async fn judge(&mut self, exited: io::Result<ChildStatus>) -> Result<()> {
        let exited = exited.map_err(|error| self.task.error(0, error))?;
        self.exit = Some(exited);
        let codes = self.task.codes();
        let report = self.status_pipe.take().map(StatusPipe::read).unwrap_or_default();
        let Err(failure) = shell::verdict(&codes, exited, &report) else { return Ok(()) };
        let words = self.child.last_words().await;
        let stderr = words.replace(&shell::trap(failure.position, self.report), "");
        // A program may exit with 127 by itself; a shell that finds no command says so.
        let is_told = |meaning: &&str| *meaning != COMMAND_NOT_FOUND || stderr.contains(*meaning);
        let meaning = failure.meaning.filter(is_told);
        let fault = OperatorFault::Shell {
            command: first_line(codes[failure.position]),
            status: failure.status,
            meaning,
        };
        Err(OperatorError { stderr, ..self.task.error(failure.position, fault) }.into())
    }

    /// The same for a child that said nonsense: perhaps it is dying.
    async fn judge_soon(&mut self) -> Result<()> {
        if self.exit.is_some() {
            return Ok(());
        }
        match tokio::time::timeout(DYING, self.child.exited()).await {
            Ok(exited) => self.judge(exited).await,
            Err(_) => Ok(()),
        }
    }
}

/// How the reading of a child's output ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    /// The child has closed its output.
    Ended,
    /// Nobody wants more rows.
    DownstreamClosed,
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

impl PipeTask {
    fn codes(&self) -> Vec<&str> {
        self.spec.commands.iter().map(|command| command.code.as_str()).collect()
    }

    fn command(&self, inherited: OwnedFd) -> ChildCommand {
        let arguments = shell::script(&self.codes(), inherited.as_raw_fd());
        ChildCommand {
            program: "bash".into(),
            name: "bash",
            arguments: arguments.into_iter().map(Into::into).collect(),
            address_space_bytes: None,
            inherited: Some(inherited),
        }
    }

    async fn feed(
        self,
        first: RecordBatch,
        mut rest: SendableRecordBatchStream,
        mut child: ChildInput,
    ) -> (ChildInput, Result<()>) {
        let mut batch = first;
        loop {
            match self.send(&batch, &mut child).await {
                Ok(Fed::Taken) => {}
                Ok(Fed::Refused) => return (child, Ok(())),
                Err(error) => return (child, Err(error)),
            }
            batch = match rest.next().await {
                Some(Ok(batch)) => batch,
                Some(Err(error)) => return (child, Err(error)),
                None => return (child, Ok(())),
            };
        }
    }

    async fn send(&self, batch: &RecordBatch, child: &mut ChildInput) -> Result<Fed> {
        let text = self.encode(batch)?;
        child.progress.begin_work();
        let fed = child.write(&text).await.map_err(|error| self.error(0, error))?;
        child.progress.end_work();
        Ok(fed)
    }

    fn encode(&self, batch: &RecordBatch) -> Result<Vec<u8>> {
        let columns = self.arguments.evaluate(batch)?;
        let columns = TextWriter::to_text(&columns)
            .map_err(|error| self.error(0, OperatorFault::Input(error.to_string())))?;
        let written = TextWriter::new(self.spec.input_format).write(&columns);
        written.map_err(|unwritable| {
            let fault = OperatorFault::Input(unwritable.reason.to_owned());
            match self.arguments.origins(batch) {
                Ok(origins) => {
                    let origin = origins.and_then(|origins| origins.of(unwritable.row));
                    OperatorError { origin, ..self.error(0, fault) }.into()
                }
                Err(error) => error,
            }
        })
    }

    async fn read(
        &self,
        mut stdout: ChildStdout,
        progress: &Progress,
        output: &Output,
    ) -> Result<Read> {
        widen_pipe(&stdout);
        // A `\r` that the command wrote belongs to its line.
        let mut lines = LineBatcher::new(self.batch_rows, BATCH_BYTES).keeping_cr();
        let mut lines_read = 0;
        let mut arrival = Arrival::Flowing;
        let mut deadline = None;
        loop {
            while let Some(lines) =
                lines.next_lines(arrival).map_err(|error| self.bad_output(error))?
            {
                let batch =
                    self.decode(&line_views_counted(&lines, &self.invalid_utf8_lines), lines_read)?;
                lines_read += batch.num_rows();
                deadline = None;
                self.metrics.output_rows.add(batch.num_rows());
                if progress.deliver(output.send(Ok(batch))).await.is_err() {
                    return Ok(Read::DownstreamClosed);
                }
            }
            if arrival == Arrival::Ended {
                return Ok(Read::Ended);
            }
            if arrival == Arrival::Flowing && !lines.room().is_empty() {
                deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
            }
            arrival = tokio::select! {
                biased;
                read = stdout.read_buf(lines.room()) => {
                    progress.moved();
                    match read.map_err(|error| self.last_error(error))? {
                        0 => Arrival::Ended,
                        _ => Arrival::Flowing,
                    }
                }
                () = passing(deadline) => {
                    deadline = None;
                    Arrival::Idle
                }
            };
        }
    }

    fn decode(&self, lines: &StringViewArray, lines_before: usize) -> Result<RecordBatch> {
        let columns: Vec<ArrayRef> = match (self.spec.output_format, self.schema.fields().len()) {
            (WireFormat::Raw, 1) => vec![Arc::new(lines.clone())],
            (format, columns) => {
                FieldReader::new(format, columns).read(lines).map_err(|(row, reason)| {
                    self.bad_output(format!("output line {}: {reason}", lines_before + row + 1))
                })?
            }
        };
        let options = CastOptions { safe: false, format_options: DEFAULT_FORMAT_OPTIONS };
        let typed = columns.iter().zip(self.schema.fields()).map(|(column, field)| {
            cast_with_options(column, field.data_type(), &options).map_err(|error| {
                let name = field.name();
                DataFusionError::from(self.bad_output(format!("column {name}: {error}")))
            })
        });
        let typed = typed.collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), typed)?)
    }

    fn label(&self, position: usize) -> &OperatorLabel {
        &self.spec.commands[position].label
    }

    fn error(&self, position: usize, fault: impl Into<OperatorFault>) -> OperatorError {
        OperatorError::new(self.label(position), fault)
    }

    fn last_error(&self, fault: impl Into<OperatorFault>) -> OperatorError {
        self.error(self.spec.commands.len() - 1, fault)
    }

    fn bad_output(&self, reason: impl ToString) -> OperatorError {
        self.last_error(OperatorFault::Output(reason.to_string()))
    }

    fn cannot_start(&self, source: std::io::Error) -> OperatorError {
        self.error(0, OperatorFault::CannotStart { program: "bash", source })
    }
}

fn line_views_counted(lines: &crate::text::Lines, invalid_lines: &Count) -> StringViewArray {
    let views = line_views(lines);
    invalid_lines.add(views.invalid_lines);
    views.array
}

async fn passing(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => pending().await,
    }
}
