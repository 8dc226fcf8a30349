//! All partitions of one call at the producer's side: their tasks, and what the consumer says to them.

use std::collections::HashMap;

use datafusion::common::runtime::JoinSet;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinError};
use tonic::{Status, Streaming};

use super::fault::Site;
use super::options::ExchangeOptions;
use super::producer::Producer;
use crate::proto::exchange::{
    ConsumerMessage, Fault, PartitionGrant, ProducerMessage, consumer_message, producer_message,
};

/// The producers of one call.
pub(crate) struct Production {
    site: Site,
    tasks: JoinSet<Result<()>>,
    partitions: HashMap<u64, Controls>,
    messages: mpsc::Sender<ProducerMessage>,
}

struct Controls {
    granted: watch::Sender<u64>,
    task: AbortHandle,
}

impl Production {
    /// Starts one task for each stream; the first is that of partition `start`.
    pub(crate) fn start(
        site: Site,
        options: ExchangeOptions,
        start: u64,
        streams: Vec<SendableRecordBatchStream>,
        messages: mpsc::Sender<ProducerMessage>,
    ) -> Self {
        let mut tasks = JoinSet::new();
        let mut partitions = HashMap::with_capacity(streams.len());
        for (partition, rows) in (start..).zip(streams) {
            let (granted_to, granted) = watch::channel(0);
            let producer = Producer { partition, options, granted, messages: messages.clone() };
            let task = tasks.spawn(producer.run(rows));
            partitions.insert(partition, Controls { granted: granted_to, task });
        }
        Self { site, tasks, partitions, messages }
    }

    /// Runs until all partitions have ended or were cancelled, one has failed, or the consumer is gone.
    pub(crate) async fn run(mut self, mut consumer: Streaming<ConsumerMessage>) {
        loop {
            tokio::select! {
                biased;
                message = consumer.message() => match message {
                    Ok(Some(message)) => self.obey(message),
                    // The consumer has all that it wants, or its connection broke.
                    Ok(None) | Err(Status { .. }) => return,
                },
                joined = self.tasks.join_next() => match joined {
                    None => return,
                    Some(joined) => if let Some(fault) = self.judge(joined) {
                        self.tasks.abort_all();
                        let message = Some(producer_message::Message::Fault(fault));
                        // A closed channel is a consumer that left.
                        let _ = self.messages.send(ProducerMessage { message }).await;
                        return;
                    }
                },
            }
        }
    }

    fn obey(&mut self, message: ConsumerMessage) {
        match message.message {
            Some(consumer_message::Message::Grant(grant)) => {
                grant.partitions.into_iter().for_each(|grant| self.grant(&grant));
            }
            Some(consumer_message::Message::Cancel(cancel)) => {
                for partition in cancel.partitions {
                    if let Some(controls) = self.partitions.remove(&partition) {
                        controls.task.abort();
                    }
                }
            }
            Some(consumer_message::Message::Open(_)) | None => {}
        }
    }

    fn grant(&self, grant: &PartitionGrant) {
        let Some(controls) = self.partitions.get(&grant.partition) else { return };
        controls.granted.send_if_modified(|granted| {
            let news = grant.granted_bytes > *granted;
            *granted = grant.granted_bytes.max(*granted);
            news
        });
    }

    /// What the end of a task means for the consumer.
    fn judge(&self, joined: Result<Result<()>, JoinError>) -> Option<Fault> {
        match joined {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(self.site.describe(&error)),
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => Some(self.site.panicked(panic.as_ref())),
                // It was cancelled.
                Err(_) => None,
            },
        }
    }
}
