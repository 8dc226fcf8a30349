//! What a Lua child is given.

use std::sync::Arc;
use std::time::Instant;

use arrow::array::RecordBatch;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use tokio::sync::mpsc::Sender;

use super::arguments::RowOrigins;
use super::feed::{ChildInput, Fed};
use super::grouping::Groups;
use super::lua_task::LuaTask;
use super::pace::Pace;
use crate::error::OperatorFault;
use crate::lua::{self, BatchEncoder};

/// What the parent remembers of a batch that the child works on.
#[derive(Debug)]
pub(super) struct InFlight {
    /// The columns beside the reply: those of kept rows, or the keys of groups.
    pub kept: Option<RecordBatch>,
    /// How many of the rows of `kept` have been replied to, where there is a reply for each.
    pub replied: usize,
    pub origins: Option<RowOrigins>,
    /// The rows that the child was given; none when it was asked for its groups.
    pub rows: usize,
    pub sent: Instant,
}

/// What the feeder of one child keeps from batch to batch.
struct Feed {
    encoder: BatchEncoder,
    groups: Option<Groups>,
    sent: Sender<InFlight>,
}

impl LuaTask {
    /// Sends `first` and the `rest` to the child.
    pub(super) async fn feed(
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
