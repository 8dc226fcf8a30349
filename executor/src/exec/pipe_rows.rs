//! PER ROW: a shell child for each input row, several at a time, their rows in the order of the
//! input.
//!
//! What is counted in `RowErrors`: each input row, and each row of the output that does not fit; the
//! errors among them are the input rows whose child failed, and these rows of the output.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringViewArray, new_null_array};
use arrow::compute::concat_batches;
use datafusion::common::internal_datafusion_err;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::metrics::Time;
use futures::StreamExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::arguments::RowOrigins;
use super::pipe_output::OutputRows;
use super::pipe_read::{BATCH_BYTES, PATIENCE, Read, RowSink, passing};
use super::pipe_task::{Output, PipeTask};
use crate::error::{OperatorError, OperatorFault};
use crate::operator::{OnError, RowOrigin};
use crate::wire;

/// Batches of one child that may wait for the rows before them.
const WAITING_BATCHES: usize = 2;
/// Children, those that have ended included, whose rows may wait, for each that may run.
const WAITING_CHILDREN: usize = 4;
/// How much of the output of a child is held back where it counts only if the child ends well.
const HELD_BYTES: usize = 64 * 1024 * 1024;

/// Sends each row of `input` to a child of its own.
pub(super) async fn run(
    task: PipeTask,
    input: SendableRecordBatchStream,
    output: Output,
) -> Result<()> {
    let task = Arc::new(task);
    let (queue, children) = channel(task.children * WAITING_CHILDREN);
    let starter = SpawnedTask::spawn(start_children(Arc::clone(&task), input, queue));
    let mut rows = RowsInOrder { task: &task, children, current: None };
    let mut gathered = Gathered::default();
    let mut deadline = None;
    loop {
        let timer = task.metrics.waiting_for_child.timer();
        let next = tokio::select! {
            biased;
            next = rows.next() => next?,
            () = passing(deadline) => Next::Nothing,
        };
        timer.done();
        let is_end = matches!(next, Next::End);
        let is_due = match next {
            Next::Rows(batch) => gathered.add(batch) >= BATCH_BYTES,
            Next::Nothing | Next::End => true,
        };
        if is_due || gathered.rows >= task.batch_rows {
            deadline = None;
            if let Some(batch) = gathered.take(&task)? {
                task.metrics.output_rows.add(batch.num_rows());
                if output.send(Ok(batch)).await.is_err() {
                    return Ok(());
                }
            }
        } else {
            deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
        }
        if is_end {
            break;
        }
    }
    starter.join().await.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))
}

/// What comes next.
enum Next {
    Rows(RecordBatch),
    /// Nothing for the moment.
    Nothing,
    End,
}

/// A child of one row, from the outside. Dropping it ends the child.
struct RowChild {
    parts: Receiver<RowPart>,
    origins: Option<RowOrigins>,
    row: usize,
    _owner: SpawnedTask<()>,
}

/// What comes of one row.
enum RowPart {
    Rows(OutputRows),
    /// The last part.
    Ended(Result<(), OperatorError>),
}

/// Starts a child for each row of `input`, as many at a time as may run.
async fn start_children(
    task: Arc<PipeTask>,
    mut input: SendableRecordBatchStream,
    queue: Sender<Result<RowChild>>,
) {
    let permits = Arc::new(Semaphore::new(task.children));
    while let Some(batch) = input.next().await {
        let rows = match batch.and_then(|batch| RowArguments::of(&task, &batch)) {
            Ok(rows) => rows,
            Err(error) => {
                // Whoever would read it has gone when this fails, as below.
                let _ = queue.send(Err(error)).await;
                return;
            }
        };
        task.metrics.input_rows.add(rows.rows);
        let rows = Arc::new(rows);
        for row in 0..rows.rows {
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
            let (sender, parts) = channel(WAITING_BATCHES);
            let child = run_child(Arc::clone(&task), Arc::clone(&rows), row, permit, sender);
            let _owner = SpawnedTask::spawn(child);
            let child = RowChild { parts, origins: rows.origins.clone(), row, _owner };
            if queue.send(Ok(child)).await.is_err() {
                return;
            }
        }
    }
}

/// The arguments of the rows of a batch, as text.
struct RowArguments {
    values: Vec<StringViewArray>,
    origins: Option<RowOrigins>,
    rows: usize,
}

impl RowArguments {
    fn of(task: &PipeTask, batch: &RecordBatch) -> Result<Self> {
        let values = task.arguments.evaluate(batch)?;
        let values = values.iter().map(wire::to_text).collect::<Result<_, _>>()?;
        Ok(Self { values, origins: task.arguments.origins(batch)?, rows: batch.num_rows() })
    }

    /// # Errors
    /// Where no argument of a program can be made of a value.
    fn of_row(&self, row: usize) -> Result<Vec<&str>, OperatorFault> {
        let mut arguments = Vec::with_capacity(self.values.len());
        for (position, value) in self.values.iter().map(|column| value_at(column, row)).enumerate()
        {
            let number = position + 1;
            let Some(value) = value else {
                let reason = format!(
                    "${number} is NULL, which no argument can be; use coalesce(column, '')"
                );
                return Err(OperatorFault::Input(reason));
            };
            if value.contains('\0') {
                let value = wire::clipped(value);
                let reason =
                    format!("${number} has a NUL byte, which no argument can have: {value}");
                return Err(OperatorFault::Input(reason));
            }
            arguments.push(value);
        }
        Ok(arguments)
    }
}

/// The life of the child of one row.
async fn run_child(
    task: Arc<PipeTask>,
    rows: Arc<RowArguments>,
    row: usize,
    permit: OwnedSemaphorePermit,
    parts: Sender<RowPart>,
) {
    let mut sink = ChildOutput { task: &task, parts: &parts, held: VecDeque::new(), held_bytes: 0 };
    let ended = match sees_through(&task, &rows, row, &mut sink).await {
        Ok(Read::DownstreamClosed) => return,
        Ok(Read::Ended) => {
            // Others may run now: what is left to do is to hand over rows.
            drop(permit);
            while let Some(rows) = sink.held.pop_front() {
                if parts.send(RowPart::Rows(rows)).await.is_err() {
                    return;
                }
            }
            Ok(())
        }
        Err(error) => Err(error),
    };
    // Nobody listens when the query has ended meanwhile.
    let _ = parts.send(RowPart::Ended(ended)).await;
}

async fn sees_through(
    task: &PipeTask,
    rows: &RowArguments,
    row: usize,
    sink: &mut ChildOutput<'_>,
) -> Result<Read, OperatorError> {
    let arguments = rows.of_row(row).map_err(|fault| task.error(0, fault))?;
    let started = task.start(&arguments).await;
    let (running, stdin) = started.map_err(|error| too_long(task, &arguments, error))?;
    drop(stdin);
    // All that there is to do lies with the child.
    running.progress.begin_work();
    let waiting = Time::new();
    task.supervise(running, &waiting, sink).await
}

/// The kernel's words for arguments that are too long say less than can be said here.
fn too_long(task: &PipeTask, arguments: &[&str], error: OperatorError) -> OperatorError {
    match &error.fault {
        OperatorFault::CannotStart { source, .. } if source.raw_os_error() == Some(libc::E2BIG) => {
            let bytes: usize = arguments.iter().map(|argument| argument.len()).sum();
            let reason = format!(
                "its arguments of {bytes} bytes are longer than the system allows (mostly 128 KiB \
                 for one); send long values through PIPE without PER ROW"
            );
            task.error(0, OperatorFault::Input(reason))
        }
        _ => error,
    }
}

/// The rows of the child of one row: handed on at once where a failure ends the query, and held back
/// until the child has ended well where it does not.
struct ChildOutput<'a> {
    task: &'a PipeTask,
    parts: &'a Sender<RowPart>,
    held: VecDeque<OutputRows>,
    held_bytes: usize,
}

impl RowSink for ChildOutput<'_> {
    async fn take(&mut self, rows: OutputRows) -> Result<bool, OperatorFault> {
        if self.task.spec.on_error == OnError::Fail {
            return Ok(self.parts.send(RowPart::Rows(rows)).await.is_ok());
        }
        self.held_bytes += rows.batch.get_array_memory_size();
        if self.held_bytes > HELD_BYTES {
            return Err(OperatorFault::TooLongToHold { limit_bytes: HELD_BYTES });
        }
        self.held.push_back(rows);
        Ok(true)
    }
}

/// The rows of the children, one child after the other.
struct RowsInOrder<'a> {
    task: &'a PipeTask,
    children: Receiver<Result<RowChild>>,
    current: Option<RowChild>,
}

impl RowsInOrder<'_> {
    /// The next rows, or the end. It may be cancelled.
    async fn next(&mut self) -> Result<Next> {
        loop {
            let Some(child) = &mut self.current else {
                match self.children.recv().await.transpose()? {
                    Some(child) => self.current = Some(child),
                    None => return Ok(Next::End),
                }
                continue;
            };
            match child.parts.recv().await {
                Some(RowPart::Rows(rows)) => {
                    let origin_of = || child.origins.as_ref()?.of(child.row);
                    account(self.task, rows.errors, rows.errors, rows.reasons, origin_of);
                    return Ok(Next::Rows(rows.batch));
                }
                Some(RowPart::Ended(ended)) => {
                    let origins = child.origins.take();
                    let row = child.row;
                    self.current = None;
                    let origin_of = || origins.as_ref()?.of(row);
                    if let Some(batch) = self.judge(ended, origin_of)? {
                        return Ok(Next::Rows(batch));
                    }
                }
                None => return Err(internal_datafusion_err!("the task of a child panicked")),
            }
        }
    }

    /// What comes of a row whose child has ended.
    fn judge(
        &self,
        ended: Result<(), OperatorError>,
        origin_of: impl FnOnce() -> Option<RowOrigin>,
    ) -> Result<Option<RecordBatch>> {
        let Err(error) = ended else {
            self.task.count(1, 0);
            return Ok(None);
        };
        if self.task.spec.on_error == OnError::Fail || !is_fault_of_row(&error.fault) {
            return Err(OperatorError { origin: origin_of(), ..error }.into());
        }
        account(self.task, 1, 1, vec![in_one_line(&error)], origin_of);
        if self.task.spec.on_error == OnError::Skip {
            return Ok(None);
        }
        let schema = &self.task.schema;
        let nulls = schema.fields().iter().map(|field| new_null_array(field.data_type(), 1));
        Ok(Some(RecordBatch::try_new(Arc::clone(schema), nulls.collect())?))
    }
}

fn account(
    task: &PipeTask,
    rows: usize,
    errors: usize,
    reasons: Vec<String>,
    origin_of: impl FnOnce() -> Option<RowOrigin>,
) {
    task.count(rows, errors);
    if reasons.is_empty() || !task.row_errors.wants(0, task.partition) {
        return;
    }
    let origin = origin_of();
    for reason in reasons {
        task.sample(origin.clone(), reason);
    }
}

/// Whether a failure is that of one row. That no more processes can be started, for one, is not.
fn is_fault_of_row(fault: &OperatorFault) -> bool {
    !matches!(
        fault,
        OperatorFault::CannotStart { .. }
            | OperatorFault::Io(_)
            | OperatorFault::TooLongToHold { .. }
    )
}

fn in_one_line(error: &OperatorError) -> String {
    let reason = error.fault.to_string();
    match error.stderr.lines().last() {
        Some(last) => format!("{reason}: {last}"),
        None => reason,
    }
}

fn value_at(column: &StringViewArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// Small batches on their way to be a larger one.
#[derive(Default)]
struct Gathered {
    batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
}

impl Gathered {
    /// Gives how many bytes there are now.
    fn add(&mut self, batch: RecordBatch) -> usize {
        if batch.num_rows() > 0 {
            self.rows += batch.num_rows();
            self.bytes += batch.get_array_memory_size();
            self.batches.push(batch);
        }
        self.bytes
    }

    /// Everything, as one batch at the most.
    fn take(&mut self, task: &PipeTask) -> Result<Option<RecordBatch>> {
        let batches = std::mem::take(self).batches;
        match batches.as_slice() {
            [] => Ok(None),
            [batch] => Ok(Some(batch.clone())),
            _ => Ok(Some(concat_batches(&task.schema, &batches)?)),
        }
    }
}
