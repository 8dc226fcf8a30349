//! One call at the consumer's side: what its partitions and its connection share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::execution::memory_pool::MemoryReservation;
use futures::Stream;
use tonic::{Status, Streaming};

use super::fault::{Site, is_lost, shown_status};
use super::frame::frame_bytes;
use super::inbox::{Inbox, State};
use super::metrics::ConsumerMetrics;
use super::outbox::Outbox;
use super::traffic::Traffic;
use crate::proto::exchange::{
    ConsumerMessage, Fault, Frame, Open, ProducerMessage, Waiting, producer_message::Message,
};

/// Shared by the partitions of a call, the task that reads its connection, and the stream of its
/// requests.
pub(crate) struct Call {
    pub(crate) site: Site,
    pub(crate) metrics: ConsumerMetrics,
    traffic: Arc<Traffic>,
    memory: MemoryReservation,
    state: Mutex<Mail>,
}

/// The two directions.
pub(crate) struct Mail {
    pub(crate) inbox: Inbox,
    pub(crate) outbox: Outbox,
}

impl Call {
    pub(crate) fn new(
        site: Site,
        open: Open,
        metrics: ConsumerMetrics,
        traffic: Arc<Traffic>,
        memory: MemoryReservation,
    ) -> Self {
        let inbox = Inbox::new(open.partition_start, open.partition_end, open.window_bytes);
        let state = Mutex::new(Mail { inbox, outbox: Outbox::new(open) });
        Self { site, metrics, traffic, memory, state }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Mail> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the consumer says, until the call is closed.
    pub(crate) fn requests(
        self: Arc<Self>,
    ) -> impl Stream<Item = ConsumerMessage> + Send + 'static {
        futures::stream::poll_fn(move |context| {
            let next = self.lock().outbox.poll(context);
            if let std::task::Poll::Ready(Some(message)) = &next {
                self.count_grant(message);
            }
            next
        })
    }

    /// Reads the connection to its end. It is read whatever the operators do, so that a partition that
    /// nobody polls never holds up another, of this call or of one that shares the connection; credit
    /// bounds what that puts in the queues.
    pub(crate) async fn read(self: Arc<Self>, mut producer: Streaming<ProducerMessage>) {
        let fault = loop {
            let message = match producer.message().await {
                Ok(Some(message)) => message.message,
                Ok(None) => break self.site.lost("its stream closed before the end").into(),
                Err(status) => break self.broken(&status),
            };
            if let Err(fault) = message.map_or(Ok(()), |message| self.receive(message)) {
                break *fault;
            }
        };
        // Partitions that have ended or were dropped do not mind.
        let mut mail = self.lock();
        self.release(mail.inbox.fail(&fault));
        mail.outbox.close();
    }

    fn broken(&self, status: &Status) -> Fault {
        if is_lost(status) {
            return self.site.lost(shown_status(status)).into();
        }
        self.site.fault(status.message()).into()
    }

    fn receive(&self, message: Message) -> Result<(), Box<Fault>> {
        let mut mail = self.lock();
        match message {
            Message::Frame(frame) => self.receive_frame(&mut mail.inbox, frame),
            Message::Waiting(waiting) => {
                self.metrics.credit_stalls.add(1);
                Self::receive_waiting(&mut mail, &waiting);
                Ok(())
            }
            Message::End(end) => {
                self.metrics.stalled(end.stalled_us);
                if mail.inbox.end(end) {
                    mail.outbox.close();
                }
                Ok(())
            }
            Message::Fault(fault) => Err(Box::new(fault)),
        }
    }

    fn receive_frame(&self, inbox: &mut Inbox, frame: Frame) -> Result<(), Box<Fault>> {
        let bytes = frame_bytes(&frame);
        let number = frame.partition;
        let unasked = || self.protocol_fault(&format!("partition {number} was not asked for"));
        let partition = inbox.partition(number).ok_or_else(unasked)?;
        self.traffic.received(bytes);
        match partition.state {
            State::Open => {}
            // Sent before the producer knew.
            State::Dropped => return Ok(()),
            State::Ended(_) | State::Failed(_) => {
                return Err(
                    self.protocol_fault(&format!("partition {number} went on after its end"))
                );
            }
        }
        partition.receive(frame).map_err(|overrun| self.protocol_fault(&overrun.to_string()))?;
        self.memory.grow(usize_of(bytes));
        self.metrics.bytes_received.add_bytes(usize_of(bytes));
        self.metrics.frames_received.add(1);
        self.metrics.max_buffered_bytes.set_max(self.memory.size());
        Ok(())
    }

    fn receive_waiting(mail: &mut Mail, waiting: &Waiting) {
        if let Some(partition) = mail.inbox.partition(waiting.partition) {
            partition.window.sender_waits(waiting.granted_bytes);
            mail.send_grants(waiting.partition);
        }
    }

    fn protocol_fault(&self, what: &str) -> Box<Fault> {
        Box::new(self.site.fault(format!("the exchange was disturbed: {what}")).into())
    }

    /// Bytes that have left the queues.
    pub(crate) fn release(&self, bytes: u64) {
        self.memory.shrink(usize_of(bytes));
    }

    fn count_grant(&self, message: &ConsumerMessage) {
        use crate::proto::exchange::consumer_message::Message;
        if matches!(message.message, Some(Message::Grant(_))) {
            self.metrics.grants_sent.add(1);
        }
    }
}

impl Mail {
    /// Grants `partition` what has come back, if that is due.
    pub(crate) fn send_grants(&mut self, partition: u64) {
        for (partition, granted) in self.inbox.grants(partition) {
            self.outbox.grant(partition, granted);
        }
    }
}

fn usize_of(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}
