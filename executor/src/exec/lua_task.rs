//! One task of a chain of Lua operators: a Lua child, its feeder, and the reading of its replies.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;
use datafusion::common::internal_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryPool;
use futures::StreamExt;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::ChildStdout;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::OperatorArguments;
use super::arguments::RowOrigins;
use super::feed::{ChildInput, Fed, Feeder, widen_pipe};
use super::grouping::{Grouping, Groups};
use super::metrics::OperatorMetrics;
use super::pace::Pace;
use super::pipe_task::first_rows;
use super::row_errors::{RowErrorSample, RowErrors};
use crate::child::{ChildCommand, ChildProcess, ChildStatus, Progress, lua_child_arguments};
use crate::error::{OperatorError, OperatorFault};
use crate::lua::{
    self, BatchEncoder, Failure, HEADER_BYTES, LuaProgram, Reply, ReplyDecoder, ReplyShape,
    Tolerated,
};
use crate::operator::{OperatorLabel, RowOrigin};
use crate::options::GleamOptions;

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
    /// The input columns that the output has, where it has some.
    pub kept: Option<Arc<[usize]>>,
    /// How a REDUCE groups its rows.
    pub grouping: Option<Grouping>,
    pub schema: SchemaRef,
    pub options: GleamOptions,
    pub pool: Arc<dyn MemoryPool>,
    pub partition: usize,
    pub metrics: OperatorMetrics,
    pub row_errors: RowErrors,
}

/// What the parent remembers of a batch that the child works on.
#[derive(Debug)]
struct InFlight {
    /// The columns beside the reply: those of kept rows, or the keys of groups.
    kept: Option<RecordBatch>,
    /// How many of the rows of `kept` have been replied to, where there is a reply for each.
    replied: usize,
    origins: Option<RowOrigins>,
    /// The rows that the child was given; none when it was asked for its groups.
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
    let Some(first) = first_rows(&mut input).await? else {
        return task.without_rows(&output).await;
    };
    let timeout = task.options.operator_timeout.0;
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
        () = progress.stalled(timeout) => {
            let fault = OperatorFault::Stalled { limit: timeout };
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
    task.metrics.child_time.add_duration(child.cpu_time().unwrap_or_default());
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
    /// The answer to nothing: a fold of all rows has one group even so, whose values are NULL.
    async fn without_rows(&self, output: &Output) -> Result<()> {
        if self.is_one_group() {
            let nulls = self.schema.fields().iter();
            let nulls = nulls.map(|field| new_null_array(field.data_type(), 1)).collect();
            let row = RecordBatch::try_new(Arc::clone(&self.schema), nulls)?;
            // Nobody listens when the query has ended meanwhile.
            let _ = output.send(Ok(row)).await;
        }
        Ok(())
    }

    /// Whether it folds all rows to one.
    fn is_one_group(&self) -> bool {
        let is_whole = |grouping: &Grouping| grouping.keys.is_empty() && !grouping.is_partial;
        self.grouping.as_ref().is_some_and(is_whole)
    }

    /// Limit on the memory of the functions.
    fn memory_bytes(&self) -> usize {
        const MIB: usize = 1024 * 1024;
        self.options.lua_memory_mib.saturating_mul(MIB)
    }

    fn command(&self) -> ChildCommand {
        ChildCommand {
            // The running program itself, even when its file has been replaced meanwhile.
            program: "/proc/self/exe".into(),
            name: "gleam-sql",
            arguments: lua_child_arguments(),
            address_space_bytes: Some(
                (self.memory_bytes() as u64).saturating_mul(2).saturating_add(CHILD_OWN_BYTES),
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
            let encoder = BatchEncoder::try_new(&self.program).map_err(|e| self.broken(e))?;
            let grouping = self.grouping.clone();
            let groups = grouping.map(|grouping| Groups::try_new(grouping, &self.pool));
            let mut feed = Feed { encoder, groups: groups.transpose()?, sent };
            let setup = lua::encode_setup_limited(&self.program, self.memory_bytes())
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
                    if self.send(&slice, &mut feed, &mut child).await? == Fed::Refused {
                        return Ok(());
                    }
                    start += rows;
                    let is_enough = feed.groups.as_ref().is_some_and(Groups::are_enough);
                    if is_enough && self.flush(&mut feed, &mut child).await? == Fed::Refused {
                        return Ok(());
                    }
                }
                batch = match rest.next().await.transpose()? {
                    Some(batch) => batch,
                    None => break,
                };
            }
            if feed.groups.is_some() && self.flush(&mut feed, &mut child).await? == Fed::Refused {
                return Ok(());
            }
            self.write(&lua::encode_end(), &mut child).await.map(drop)
        };
        let result = fed.await;
        (child, result)
    }

    async fn send(
        &self,
        batch: &RecordBatch,
        feed: &mut Feed,
        child: &mut ChildInput,
    ) -> Result<Fed> {
        let mut values = self.arguments.evaluate(batch)?;
        if let Some(groups) = &mut feed.groups {
            values.insert(0, groups.number(batch)?);
        }
        let frame = lua::to_child(&self.program, &values, batch.num_rows())
            .and_then(|shipped| feed.encoder.encode(&shipped))
            .map_err(|error| self.broken(error))?;
        self.metrics.input_rows.add(batch.num_rows());
        let in_flight = InFlight {
            kept: self.kept.as_ref().map(|kept| batch.project(kept)).transpose()?,
            replied: 0,
            origins: self.arguments.origins(batch)?,
            rows: batch.num_rows(),
            sent: Instant::now(),
        };
        self.hand_over(in_flight, &frame, &feed.sent, child).await
    }

    /// Asks the child for what it has folded.
    async fn flush(&self, feed: &mut Feed, child: &mut ChildInput) -> Result<Fed> {
        let kept = feed.groups.as_mut().map(Groups::take_keys).transpose()?;
        let in_flight = InFlight { kept, replied: 0, origins: None, rows: 0, sent: Instant::now() };
        self.hand_over(in_flight, &lua::encode_flush(), &feed.sent, child).await
    }

    async fn hand_over(
        &self,
        in_flight: InFlight,
        frame: &[u8],
        sent: &Sender<InFlight>,
        child: &mut ChildInput,
    ) -> Result<Fed> {
        // The reader has gone when the query has: then nothing more is to be sent.
        if sent.send(in_flight).await.is_err() {
            return Ok(Fed::Refused);
        }
        child.progress.begin_work();
        self.write(frame, child).await
    }

    async fn write(&self, bytes: &[u8], child: &mut ChildInput) -> Result<Fed> {
        self.metrics.child_input_bytes.add(bytes.len());
        child.write(bytes).await.map_err(|error| self.error(error).into())
    }

    fn broken(&self, error: lua::LuaError) -> DataFusionError {
        self.error(OperatorFault::Input(error.to_string())).into()
    }
}

/// What the feeder of one child keeps from batch to batch.
struct Feed {
    encoder: BatchEncoder,
    groups: Option<Groups>,
    sent: Sender<InFlight>,
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
    /// Whether any row came out.
    has_rows: bool,
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
            has_rows: false,
            last_done: Instant::now(),
            delivering: Duration::ZERO,
        }
    }

    async fn read(&mut self, output: &Output) -> Result<Read, ReadError> {
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
