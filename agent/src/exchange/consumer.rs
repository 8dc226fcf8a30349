//! The rows of one partition, as its operator takes them.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::{DataFusionError, Result};
use futures::Stream;

use super::call::Call;
use super::decode::FrameDecoder;
use super::fault::received;
use super::frame::frame_bytes;
use super::inbox::State;
use crate::proto::exchange::{End, Frame};

/// The partitions of a call hold it together; the last one that is dropped ends it.
pub(crate) struct CallHandle {
    call: Arc<Call>,
    _reading: SpawnedTask<()>,
}

impl CallHandle {
    pub(crate) fn new(call: Arc<Call>, reading: SpawnedTask<()>) -> Self {
        Self { call, _reading: reading }
    }
}

impl Drop for CallHandle {
    fn drop(&mut self) {
        self.call.lock().outbox.close();
    }
}

/// One partition of a remote task.
pub(crate) struct PartitionStream {
    handle: Arc<CallHandle>,
    partition: u64,
    decoder: FrameDecoder,
    rows: u64,
    bytes: u64,
    waits_since: Option<Instant>,
    done: bool,
}

/// What the queue has for the operator.
enum Next {
    Frame(Frame),
    End(End),
    Failure(DataFusionError),
}

impl PartitionStream {
    pub(crate) fn new(handle: Arc<CallHandle>, partition: u64) -> Self {
        let decoder = FrameDecoder::default();
        Self { handle, partition, decoder, rows: 0, bytes: 0, waits_since: None, done: false }
    }

    fn poll_queue(&self, context: &mut Context<'_>) -> Poll<Next> {
        let mut mail = self.handle.call.lock();
        let Some(partition) = mail.inbox.partition(self.partition) else {
            let message = format!("there is no partition {}", self.partition);
            return Poll::Ready(Next::Failure(DataFusionError::Internal(message)));
        };
        let next = match partition.take() {
            Some(frame) => Poll::Ready(Next::Frame(frame)),
            None => match &partition.state {
                State::Open => {
                    partition.wait(context.waker());
                    Poll::Pending
                }
                State::Ended(end) => Poll::Ready(Next::End(*end)),
                State::Failed(fault) => Poll::Ready(Next::Failure(received(fault.clone()))),
                State::Dropped => Poll::Ready(Next::End(End::default())),
            },
        };
        // The first poll grants the first window; later ones return what was taken.
        mail.send_grants(self.partition);
        next
    }

    fn take(&mut self, frame: &Frame) -> Result<RecordBatch> {
        let bytes = frame_bytes(frame);
        self.handle.call.release(bytes);
        let batch = self.decoder.decode(frame)?;
        self.rows += batch.num_rows() as u64;
        self.bytes += bytes;
        Ok(batch)
    }

    fn check(&self, end: End) -> Result<()> {
        if (self.rows, self.bytes) == (end.rows, end.bytes) {
            return Ok(());
        }
        let message = format!(
            "the exchange was disturbed: {} rows in {} bytes arrived of {} in {}",
            self.rows, self.bytes, end.rows, end.bytes
        );
        Err(self.handle.call.site.fault(message).into())
    }

    fn count_waiting(&mut self, is_pending: bool) {
        if is_pending {
            self.waits_since.get_or_insert_with(Instant::now);
        } else if let Some(since) = self.waits_since.take() {
            self.handle.call.metrics.waited(since.elapsed());
        }
    }
}

impl Stream for PartitionStream {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.done {
            return Poll::Ready(None);
        }
        let next = self.poll_queue(context);
        self.count_waiting(next.is_pending());
        let item = match std::task::ready!(next) {
            Next::Frame(frame) => Some(self.take(&frame)),
            Next::End(end) => self.check(end).err().map(Err),
            Next::Failure(error) => Some(Err(error)),
        };
        self.done = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}

impl Drop for PartitionStream {
    fn drop(&mut self) {
        let mut mail = self.handle.call.lock();
        let Some(partition) = mail.inbox.partition(self.partition) else { return };
        let was_open = partition.is_open();
        let dropped_bytes = partition.finish(State::Dropped);
        if was_open {
            mail.outbox.cancel(self.partition);
        }
        drop(mail);
        self.handle.call.release(dropped_bytes);
    }
}
