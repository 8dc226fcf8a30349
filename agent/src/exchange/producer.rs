//! The producer of one partition: its rows as frames, as far as credit goes.

use std::time::{Duration, Instant};

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use tokio::sync::{mpsc, watch};

use super::frame::{Encoded, FrameEncoder};
use super::options::ExchangeOptions;
use crate::credit::{Permission, SendCredit};
use crate::proto::exchange::{End, Frame, ProducerMessage, Waiting, producer_message};

/// One partition on its way to one consumer.
pub(crate) struct Producer {
    pub(crate) partition: u64,
    pub(crate) options: ExchangeOptions,
    /// The total that the consumer has granted.
    pub(crate) granted: watch::Receiver<u64>,
    pub(crate) messages: mpsc::Sender<ProducerMessage>,
}

/// The consumer takes nothing more.
struct Closed;

impl Producer {
    /// Sends all rows and the end. Nothing is polled before the first credit: nobody has asked.
    pub(crate) async fn run(mut self, mut rows: SendableRecordBatchStream) -> Result<()> {
        let mut credit = SendCredit::new(self.options.window_bytes, self.options.max_row_bytes);
        let mut end = End { partition: self.partition, ..End::default() };
        let mut stalled = Duration::ZERO;
        let mut encoder = FrameEncoder::try_new(
            self.partition,
            &rows.schema(),
            self.options.frame_bytes,
            self.options.compression,
        )?;
        if self.granted.wait_for(|granted| *granted > 0).await.is_err() {
            return Ok(());
        }
        while let Some(batch) = rows.next().await {
            encoder.push(&batch?)?;
            while let Some(encoded) = encoder.next()? {
                self.check_length(&encoded)?;
                end.rows += encoded.rows as u64;
                end.bytes += encoded.bytes;
                let waited = self.wait_for_credit(&mut credit, &encoded).await;
                let Ok(waited) = waited else { return Ok(()) };
                stalled += waited;
                credit.sent(encoded.bytes);
                if self.send_frame(encoded.frame).await.is_err() {
                    return Ok(());
                }
            }
        }
        end.stalled_us = u64::try_from(stalled.as_micros()).unwrap_or(u64::MAX);
        // A closed channel is a consumer that left.
        let _ = self.send(producer_message::Message::End(end)).await;
        Ok(())
    }

    fn check_length(&self, encoded: &Encoded) -> Result<()> {
        let limit = self.options.max_row_bytes;
        if encoded.rows > 1 || encoded.bytes <= limit {
            return Ok(());
        }
        Err(DataFusionError::ResourcesExhausted(format!(
            "a row of {} bytes is above the limit of {limit} bytes for rows that go between agents",
            encoded.bytes
        )))
    }

    /// How long that took.
    async fn wait_for_credit(
        &mut self,
        credit: &mut SendCredit,
        encoded: &Encoded,
    ) -> Result<Duration, Closed> {
        let mut began = None;
        loop {
            credit.grant(*self.granted.borrow_and_update());
            if credit.may_send(encoded.bytes, encoded.rows == 1) == Permission::Send {
                return Ok(began.map_or(Duration::ZERO, |began: Instant| began.elapsed()));
            }
            began.get_or_insert_with(Instant::now);
            let granted_bytes = credit.granted();
            let waiting = Waiting { partition: self.partition, granted_bytes };
            self.send(producer_message::Message::Waiting(waiting)).await?;
            self.granted.changed().await.map_err(|_| Closed)?;
        }
    }

    async fn send_frame(&self, frame: Frame) -> Result<(), Closed> {
        self.send(producer_message::Message::Frame(frame)).await
    }

    async fn send(&self, message: producer_message::Message) -> Result<(), Closed> {
        let message = ProducerMessage { message: Some(message) };
        self.messages.send(message).await.map_err(|_| Closed)
    }
}
