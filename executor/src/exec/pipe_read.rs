//! Reading what a shell child says.

use std::future::pending;
use std::time::Duration;

use datafusion::physical_plan::metrics::Time;
use tokio::io::AsyncReadExt;
use tokio::process::ChildStdout;
use tokio::time::Instant;

use super::pipe_output::{OutputReader, OutputRows};
use super::pipe_task::PipeTask;
use crate::child::Progress;
use crate::error::{OperatorError, OperatorFault};
use crate::text::Arrival;
use crate::wire::RecordBatcher;

/// How long rows may wait for a batch to fill.
pub(super) const PATIENCE: Duration = Duration::from_millis(50);
/// About how many bytes a batch of output may have.
pub(super) const BATCH_BYTES: usize = 1024 * 1024;

/// How the reading of a child's output ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    /// The child has closed its output.
    Ended,
    /// Nobody wants more rows.
    DownstreamClosed,
}

/// Where the rows of one child go.
pub(super) trait RowSink: Send {
    /// Takes rows; false when nobody wants more. The child is not to blame for how long that takes.
    ///
    /// # Errors
    /// When they are more than can be held.
    fn take(
        &mut self,
        rows: OutputRows,
    ) -> impl Future<Output = Result<bool, OperatorFault>> + Send;
}

impl PipeTask {
    /// Reads `stdout` to its end; `waiting` is how long there was nothing else to do.
    pub(super) async fn read(
        &self,
        stdout: &mut ChildStdout,
        progress: &Progress,
        waiting: &Time,
        sink: &mut impl RowSink,
    ) -> Result<Read, OperatorError> {
        let mut reader =
            OutputReader::new(&self.spec, &self.schema, self.invalid_utf8_lines.clone());
        let mut records = RecordBatcher::new(self.spec.output_format, self.batch_rows, BATCH_BYTES);
        let mut arrival = Arrival::Flowing;
        let mut deadline = None;
        loop {
            while let Some(records) = records
                .next_records(arrival)
                .map_err(|error| self.last_error(OperatorFault::Output(error.to_string())))?
            {
                let rows = reader.read(&records).map_err(|fault| self.last_error(fault))?;
                deadline = None;
                let taken = progress.deliver(sink.take(rows)).await;
                if !taken.map_err(|fault| self.last_error(fault))? {
                    return Ok(Read::DownstreamClosed);
                }
            }
            if arrival == Arrival::Ended {
                return Ok(Read::Ended);
            }
            if arrival == Arrival::Flowing && !records.room().is_empty() {
                deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
            }
            let timer = waiting.timer();
            arrival = tokio::select! {
                biased;
                read = stdout.read_buf(records.room()) => {
                    progress.moved();
                    let read = read.map_err(|error| self.last_error(error))?;
                    self.metrics.child_output_bytes.add(read);
                    if read == 0 { Arrival::Ended } else { Arrival::Flowing }
                }
                () = passing(deadline) => {
                    deadline = None;
                    Arrival::Idle
                }
            };
            timer.done();
        }
    }
}

/// Waits until `deadline`; for ever when there is none.
pub(super) async fn passing(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => pending().await,
    }
}
