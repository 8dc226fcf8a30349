//! PER ROW: a shell child for each input row, several at a time, their rows in the order of the
//! input.
//!
//! What is counted in `RowErrors`: each input row, and each row of the output that does not fit; the
//! errors among them are the input rows whose child failed, and these rows of the output.

use std::sync::Arc;

use arrow::array::{RecordBatch, new_null_array};
use arrow::compute::concat_batches;
use datafusion::common::internal_datafusion_err;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::Instant;

use super::arguments::RowOrigins;
use super::pipe_read::{BATCH_BYTES, PATIENCE, passing};
use super::pipe_row_child::{RowArguments, RowPart, WAITING_BATCHES, run_child};
use super::pipe_task::{Output, PipeTask};
use crate::error::{OperatorError, OperatorFault};
use crate::operator::{OnError, RowOrigin};

/// Children, those that have ended included, whose rows may wait, for each that may run.
const WAITING_CHILDREN: usize = 4;
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
            | OperatorFault::NotAllowed(_)
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
