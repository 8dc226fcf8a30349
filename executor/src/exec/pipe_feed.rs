//! Feeding a shell child.

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use super::feed::{ChildInput, Fed};
use super::pipe_task::PipeTask;
use crate::error::{OperatorError, OperatorFault};
use crate::wire;

impl PipeTask {
    /// Writes the rows of `first` and `rest`.
    pub(super) async fn feed(
        self,
        first: Option<RecordBatch>,
        mut rest: SendableRecordBatchStream,
        mut child: ChildInput,
    ) -> (ChildInput, Result<()>) {
        let Some(mut batch) = first else { return (child, Ok(())) };
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
        self.metrics.input_rows.add(batch.num_rows());
        let text = self.encode(batch)?;
        child.progress.begin_work();
        let fed = child.write(&text).await.map_err(|error| self.error(0, error))?;
        child.progress.end_work();
        Ok(fed)
    }

    fn encode(&self, batch: &RecordBatch) -> Result<Buffer> {
        let columns = self.arguments.evaluate(batch)?;
        let written = wire::encode(self.spec.input_format, &self.spec.input_names, &columns);
        written.map_err(|unwritable| {
            let error = self.error(0, OperatorFault::Input(unwritable.reason));
            match self.arguments.origins(batch) {
                Ok(origins) => {
                    let origin = origins.zip(unwritable.row).and_then(|(at, row)| at.of(row));
                    OperatorError { origin, ..error }.into()
                }
                Err(error) => error,
            }
        })
    }
}
