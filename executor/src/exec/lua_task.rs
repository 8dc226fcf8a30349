//! One task of a chain of Lua operators: a Lua child, its feeder, and the reading of its replies.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::take_record_batch;
use arrow::datatypes::SchemaRef;
use datafusion::common::internal_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::ChildStdout;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::OperatorArguments;
use super::arguments::RowOrigins;
use super::feed::{ChildInput, Fed, Feeder, widen_pipe};
use super::metrics::OperatorMetrics;
use super::pace::Pace;
use super::pipe_task::first_rows;
use crate::child::{ChildCommand, ChildProcess, ChildStatus, Progress, lua_child_arguments};
use crate::error::{OperatorError, OperatorFault};
use crate::lua::{self, BatchEncoder, Failure, HEADER_BYTES, LuaProgram, Reply, ReplyDecoder};
use crate::operator::OperatorLabel;

/// Batches that may be on their way to a child, the one that it works on included: while it
/// computes one, the next is encoded.
const IN_FLIGHT_BATCHES: usize = 2;
/// A body is read in steps of at most this, so that a broken length allocates little.
const READ_STEP_BYTES: usize = 64 * 1024 * 1024;
/// How long a child may take to end once it has closed its output.
const EXIT_PATIENCE: Duration = Duration::from_secs(5);
/// Operators of a chain that an error of the whole chain names.
const SHOWN_LABELS: usize = 3;
/// What a child may use beside its functions' memory, and as much again as those for the batches.
const CHILD_OWN_BYTES: u64 = 1024 * 1024 * 1024;

/// What one task does; a copy a partition.
#[derive(Debug, Clone)]
pub(super) struct LuaTask {
    pub program: Arc<LuaProgram>,
    pub labels: Arc<[OperatorLabel]>,
    pub arguments: OperatorArguments,
    /// The input columns that kept rows have, where rows are kept.
    pub kept: Option<Arc<[usize]>>,
    pub schema: SchemaRef,
    pub timeout: Duration,
    /// Limit on the memory of the functions.
    pub memory_bytes: usize,
    pub metrics: OperatorMetrics,
}

/// What the parent remembers of a batch that the child works on.
#[derive(Debug)]
struct InFlight {
    /// The columns of rows that may be kept.
    kept: Option<RecordBatch>,
    origins: Option<RowOrigins>,
    rows: usize,
    sent: Instant,
}

type Output = Sender<Result<RecordBatch>>;

/// Sends the rows of `input` through a child. A partition without rows starts none.
pub(super) async fn run(
    task: LuaTask,
    mut input: SendableRecordBatchStream,
    output: Output,
) -> Result<()> {
    let Some(first) = first_rows(&mut input).await? else { return Ok(()) };
    let started = ChildProcess::start(task.command()).await;
    let (mut child, stdin, stdout) = started.map_err(|source| {
        task.error(OperatorFault::CannotStart { program: "gleam-sql", source })
    })?;
    task.metrics.children.add(1);
    let progress = Arc::new(Progress::default());
    let pace = Arc::new(Pace::default());
    let (sent, in_flight) = channel(IN_FLIGHT_BATCHES);
    let feeding = task.clone();
    let feeding_pace = Arc::clone(&pace);
    let mut feeder = Feeder::start(ChildInput::new(stdin, Arc::clone(&progress)), |child_input| {
        feeding.feed(first, input, child_input, sent, feeding_pace)
    });
    let mut reader = ReplyReader::new(&task, stdout, in_flight, &progress, &pace);
    let read = tokio::select! {
        biased;
        // The child must not take the failure of its input for the end of it.
        failure = feeder.failure() => return Err(failure),
        read = reader.read(&output) => read,
        () = progress.stalled(task.timeout) => {
            let fault = OperatorFault::Stalled { limit: task.timeout };
            return Err(reader.at_current_batch(task.error(fault)).into());
        }
    };
    match read {
        Ok(Read::DownstreamClosed) => return Ok(()),
        // The child told what is wrong; how it ends is of no interest.
        Err(ReadError::Told(error)) => {
            feeder.finish().await?;
            return Err(error);
        }
        Ok(Read::Ended) | Err(ReadError::Lost(_)) => {}
    }
    let exited = tokio::time::timeout(EXIT_PATIENCE, child.exited()).await;
    feeder.finish().await?;
    let status = match exited {
        Ok(status) => status.map_err(|error| task.error(error))?,
        Err(_) => return Err(task.error(OperatorFault::Stalled { limit: EXIT_PATIENCE }).into()),
    };
    match (read, status) {
        (Ok(_), ChildStatus::Exited(0)) => Ok(()),
        (Err(ReadError::Lost(error)), ChildStatus::Exited(0)) => Err(task.error(error).into()),
        _ => {
            let stderr = child.last_words().await;
            let error = task.error(OperatorFault::ChildEnded { status });
            Err(reader.at_current_batch(OperatorError { stderr, ..error }).into())
        }
    }
}

/// How the reading of replies ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    /// All batches were answered, and the child has closed its output.
    Ended,
    /// Nobody wants more rows.
    DownstreamClosed,
}

/// Why the reading of replies failed.
#[derive(Debug)]
enum ReadError {
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

impl LuaTask {
    fn command(&self) -> ChildCommand {
        ChildCommand {
            // The running program itself, even when its file has been replaced meanwhile.
            program: "/proc/self/exe".into(),
            name: "gleam-sql",
            arguments: lua_child_arguments(),
            address_space_bytes: Some(
                (self.memory_bytes as u64).saturating_mul(2).saturating_add(CHILD_OWN_BYTES),
            ),
            inherited: None,
        }
    }

    /// An error of the chain as a whole.
    fn error(&self, fault: impl Into<OperatorFault>) -> OperatorError {
        let mut error = OperatorError::new(&self.labels[0], fault);
        let shown = self.labels.iter().take(SHOWN_LABELS).map(|label| label.keyword.as_str());
        let mut keywords: Vec<&str> = shown.collect();
        if self.labels.len() > SHOWN_LABELS {
            keywords.push("…");
        }
        error.label.keyword = keywords.join(" | ");
        error
    }

    async fn feed(
        self,
        first: RecordBatch,
        mut rest: SendableRecordBatchStream,
        mut child: ChildInput,
        sent: Sender<InFlight>,
        pace: Arc<Pace>,
    ) -> (ChildInput, Result<()>) {
        let fed = async {
            let mut encoder = BatchEncoder::try_new(&self.program).map_err(|e| self.broken(e))?;
            let setup = lua::encode_setup_limited(&self.program, self.memory_bytes)
                .map_err(|e| self.broken(e))?;
            if self.write(&setup, &mut child).await? == Fed::Refused {
                return Ok(());
            }
            let mut batch = first;
            loop {
                let mut start = 0;
                while start < batch.num_rows() {
                    let rows = pace.rows().min(batch.num_rows() - start);
                    let slice = batch.slice(start, rows);
                    if self.send(&slice, &mut encoder, &mut child, &sent).await? == Fed::Refused {
                        return Ok(());
                    }
                    start += rows;
                }
                batch = match rest.next().await.transpose()? {
                    Some(batch) => batch,
                    None => break,
                };
            }
            self.write(&lua::encode_end(), &mut child).await.map(drop)
        };
        let result = fed.await;
        (child, result)
    }

    async fn send(
        &self,
        batch: &RecordBatch,
        encoder: &mut BatchEncoder,
        child: &mut ChildInput,
        sent: &Sender<InFlight>,
    ) -> Result<Fed> {
        let values = self.arguments.evaluate(batch)?;
        let frame = lua::to_child(&self.program, &values, batch.num_rows())
            .and_then(|shipped| encoder.encode(&shipped))
            .map_err(|error| self.broken(error))?;
        let in_flight = InFlight {
            kept: self.kept.as_ref().map(|kept| batch.project(kept)).transpose()?,
            origins: self.arguments.origins(batch)?,
            rows: batch.num_rows(),
            sent: Instant::now(),
        };
        // The reader has gone when the query has: then nothing more is to be sent.
        if sent.send(in_flight).await.is_err() {
            return Ok(Fed::Refused);
        }
        child.progress.begin_work();
        self.write(&frame, child).await
    }

    async fn write(&self, bytes: &[u8], child: &mut ChildInput) -> Result<Fed> {
        child.write(bytes).await.map_err(|error| self.error(error).into())
    }

    fn broken(&self, error: lua::LuaError) -> DataFusionError {
        self.error(OperatorFault::Input(error.to_string())).into()
    }
}

/// Reads the replies of one child.
struct ReplyReader<'a> {
    task: &'a LuaTask,
    stdout: ChildStdout,
    decoder: ReplyDecoder,
    in_flight: Receiver<InFlight>,
    current: Option<InFlight>,
    progress: &'a Progress,
    pace: &'a Pace,
    /// When the last batch was done.
    last_done: Instant,
    /// How long the rows of the current batch waited for the next operator.
    delivering: Duration,
}

impl<'a> ReplyReader<'a> {
    fn new(
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
            last_done: Instant::now(),
            delivering: Duration::ZERO,
        }
    }

    async fn read(&mut self, output: &Output) -> Result<Read, ReadError> {
        loop {
            let Some(reply) = self.next_reply().await? else {
                self.current = self.current.take().or_else(|| self.in_flight.try_recv().ok());
                return match self.current {
                    None => Ok(Read::Ended),
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
                    let started = Instant::now();
                    if self.progress.deliver(output.send(Ok(rows))).await.is_err() {
                        return Ok(Read::DownstreamClosed);
                    }
                    self.delivering += started.elapsed();
                }
                Reply::BatchDone(_) => {
                    if let Some(batch) = self.current.take() {
                        let working = batch.sent.max(self.last_done).elapsed();
                        self.pace.done(batch.rows, working.saturating_sub(self.delivering));
                    }
                    self.last_done = Instant::now();
                    self.delivering = Duration::ZERO;
                    self.progress.end_work();
                }
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
        Ok(Some(self.decoder.decode(tag, body).map_err(|error| self.broken(error))?))
    }

    fn output_rows(&self, rows: &RecordBatch) -> Result<RecordBatch> {
        let Some(current) = &self.current else {
            return Err(internal_datafusion_err!("rows of no batch"));
        };
        if let Some(kept) = &current.kept {
            let kept = take_record_batch(kept, rows.column(0).as_ref())?;
            return with_schema(kept.columns().to_vec(), kept.num_rows(), &self.task.schema);
        }
        with_schema(rows.columns().to_vec(), rows.num_rows(), &self.task.schema)
    }

    fn failed(&self, failure: Failure) -> OperatorError {
        let label = &self.task.labels[failure.step.min(self.task.labels.len() - 1)];
        let lua_line = failure.lua_line.map(|line| line as u64);
        let prefix = lua_line.map(|line| format!("{}:{line}: ", label.keyword)).unwrap_or_default();
        let message = failure.message.strip_prefix(&prefix).unwrap_or(&failure.message).to_owned();
        let fault = OperatorFault::Lua {
            message,
            lua_line,
            arguments: failure.arguments.join(", "),
            hint: failure.hint,
        };
        let origin = failure.row.and_then(|row| self.current.as_ref()?.origins.as_ref()?.of(row));
        OperatorError { origin, ..OperatorError::new(label, fault) }
    }

    /// Names the rows that the child has been working on.
    fn at_current_batch(&mut self, error: OperatorError) -> OperatorError {
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
