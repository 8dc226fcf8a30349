//! The child of one row, and its arguments.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch, StringViewArray};
use datafusion::error::Result;
use datafusion::physical_plan::metrics::Time;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Sender;

use super::arguments::RowOrigins;
use super::pipe_output::OutputRows;
use super::pipe_read::{Read, RowSink};
use super::pipe_task::PipeTask;
use crate::error::{OperatorError, OperatorFault};
use crate::operator::OnError;
use crate::wire;

/// Batches of one child that may wait for the rows before them.
pub(super) const WAITING_BATCHES: usize = 2;
/// How much of the output of a child is held back where it counts only if the child ends well.
const HELD_BYTES: usize = 64 * 1024 * 1024;

/// What comes of one row.
pub(super) enum RowPart {
    Rows(OutputRows),
    /// The last part.
    Ended(Result<(), OperatorError>),
}

/// The arguments of the rows of a batch, as text.
pub(super) struct RowArguments {
    values: Vec<StringViewArray>,
    pub origins: Option<RowOrigins>,
    pub rows: usize,
}

impl RowArguments {
    pub(super) fn of(task: &PipeTask, batch: &RecordBatch) -> Result<Self> {
        let values = task.arguments.evaluate(batch)?;
        let values = values.iter().map(wire::to_text).collect::<Result<_, _>>();
        let values =
            values.map_err(|error| task.error(0, OperatorFault::Input(error.to_string())))?;
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
pub(super) async fn run_child(
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
            let mut permit = Some(permit);
            while let Some(rows) = sink.held.pop_front() {
                // Others may run when little is held: what is left to do is to hand over rows.
                permit = permit.filter(|_| sink.held.len() >= WAITING_BATCHES);
                if parts.send(RowPart::Rows(rows)).await.is_err() {
                    return;
                }
            }
            Ok(())
        }
        Err(error) => {
            drop(permit);
            Err(error)
        }
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

fn value_at(column: &StringViewArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}
