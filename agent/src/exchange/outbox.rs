//! What a consumer has to say: one grant and one cancel at most wait here, whatever they hold.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};

use crate::proto::exchange::{
    Cancel, ConsumerMessage, Grant, Open, PartitionGrant, consumer_message::Message,
};

/// Messages that wait for the connection. Grants of the same partition replace each other.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    open: Option<Open>,
    grants: BTreeMap<u64, u64>,
    cancelled: Vec<u64>,
    closed: bool,
    waker: Option<Waker>,
}

impl Outbox {
    /// Begins with `open`.
    pub(crate) fn new(open: Open) -> Self {
        Self { open: Some(open), ..Self::default() }
    }

    pub(crate) fn grant(&mut self, partition: u64, granted: u64) {
        self.grants.insert(partition, granted);
        self.wake();
    }

    pub(crate) fn cancel(&mut self, partition: u64) {
        self.grants.remove(&partition);
        self.cancelled.push(partition);
        self.wake();
    }

    /// What waits is still sent, and then nothing.
    pub(crate) fn close(&mut self) {
        self.closed = true;
        self.wake();
    }

    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<ConsumerMessage>> {
        match self.next() {
            Some(message) => Poll::Ready(Some(ConsumerMessage { message: Some(message) })),
            None if self.closed => Poll::Ready(None),
            None => {
                self.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn next(&mut self) -> Option<Message> {
        if let Some(open) = self.open.take() {
            return Some(Message::Open(open));
        }
        if !self.cancelled.is_empty() {
            let partitions = std::mem::take(&mut self.cancelled);
            return Some(Message::Cancel(Cancel { partitions }));
        }
        if self.grants.is_empty() {
            return None;
        }
        let grants = std::mem::take(&mut self.grants).into_iter();
        let partitions = grants
            .map(|(partition, granted_bytes)| PartitionGrant { partition, granted_bytes })
            .collect();
        Some(Message::Grant(Grant { partitions }))
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
