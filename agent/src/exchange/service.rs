//! The producing side of the exchange: serves the partitions of this agent's tasks.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion_distributed::{ExecuteTaskRequest, MaybeEncoded, ProducerHead, TaskKey, Worker};
use futures::Stream;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;

use super::fault::Site;
use super::frame::frame_bytes;
use super::options::ExchangeOptions;
use super::production::Production;
use super::traffic::{RunningTask, Traffic};
use crate::proto::exchange::exchange_server::{Exchange, ExchangeServer};
use crate::proto::exchange::{
    ConsumerMessage, Fault, Open, ProducerMessage, consumer_message, open, producer_message,
};

/// The most partitions of one call.
const MAX_PARTITIONS: u64 = 1 << 16;

/// Messages of one call that wait for the connection; each is a frame at most.
const QUEUED_MESSAGES: usize = 8;

/// The service for the tasks of `worker`, which run in the runtime of who calls this: that of the
/// connections is not for them. Errors name `agent_name`.
pub fn service(
    worker: Worker,
    agent_name: String,
    traffic: Arc<Traffic>,
) -> ExchangeServer<ExchangeService> {
    let service = ExchangeService { worker, agent_name, traffic, operators: Handle::current() };
    // The credit bounds messages, and the limit on rows the longest one.
    ExchangeServer::new(service)
        .max_decoding_message_size(usize::MAX)
        .max_encoding_message_size(usize::MAX)
}

/// Serves [`Exchange`].
pub struct ExchangeService {
    worker: Worker,
    agent_name: String,
    traffic: Arc<Traffic>,
    /// Where tasks run.
    operators: Handle,
}

#[tonic::async_trait]
impl Exchange for ExchangeService {
    type FetchStream = Replies;

    /// Answers when all partitions of the call have been opened, so that a consumer knows that they will
    /// be cancelled if it leaves.
    async fn fetch(
        &self,
        request: Request<Streaming<ConsumerMessage>>,
    ) -> Result<Response<Replies>, Status> {
        let mut consumer = request.into_inner();
        let Some(ConsumerMessage { message: Some(consumer_message::Message::Open(open)) }) =
            consumer.message().await?
        else {
            return Err(Status::invalid_argument("the first message must be Open"));
        };
        let options = ExchangeOptions::from_open(&open)
            .ok_or_else(|| Status::invalid_argument("the sizes or the compression are unknown"))?;
        let start = open.partition_start;
        let request = task_request(open)?;
        let key = request.task_key;
        let site = Site::new(&self.agent_name, &key);
        let (messages, replies) = mpsc::channel(QUEUED_MESSAGES);
        let running = self.traffic.serve(key);
        let production = match self.open(request, &site).await {
            Ok(streams) => {
                let production = {
                    let _entered = self.operators.enter();
                    Production::start(site, options, start, streams, messages)
                };
                Some(SpawnedTask::spawn(production.run(consumer)))
            }
            Err(fault) => {
                let message = Some(producer_message::Message::Fault(fault));
                messages.try_send(ProducerMessage { message }).expect("the queue is new");
                None
            }
        };
        let traffic = Arc::clone(&self.traffic);
        Ok(Response::new(Replies { replies, traffic, _production: production, _running: running }))
    }
}

impl ExchangeService {
    async fn open(
        &self,
        request: ExecuteTaskRequest,
        site: &Site,
    ) -> Result<Vec<SendableRecordBatchStream>, Fault> {
        let worker = self.worker.clone();
        // In a task of its own, so that a panic becomes a fault with its message.
        let opening = {
            let _entered = self.operators.enter();
            SpawnedTask::spawn(async move { worker.execute_task(request).await })
        };
        match opening.await {
            Ok(Ok((streams, _))) => Ok(streams),
            Ok(Err(error)) => Err(site.describe(&error)),
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => Err(site.panicked(panic.as_ref())),
                Err(ended) => Err(site.describe(&DataFusionError::ExecutionJoin(Box::new(ended)))),
            },
        }
    }
}

/// What goes to one consumer. Dropping it ends the call's tasks.
pub struct Replies {
    replies: mpsc::Receiver<ProducerMessage>,
    traffic: Arc<Traffic>,
    _production: Option<SpawnedTask<()>>,
    _running: RunningTask,
}

impl Stream for Replies {
    type Item = Result<ProducerMessage, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.replies.poll_recv(context);
        if let Poll::Ready(Some(ProducerMessage {
            message: Some(producer_message::Message::Frame(frame)),
        })) = &next
        {
            self.traffic.sent(frame_bytes(frame));
        }
        next.map(|message| message.map(Ok))
    }
}

fn task_request(open: Open) -> Result<ExecuteTaskRequest, Status> {
    let missing = |_| Status::invalid_argument("a number is out of range");
    let query_id = Uuid::from_slice(&open.query_id)
        .map_err(|_| Status::invalid_argument("the query has no UUID"))?;
    let producer_head = match open.head {
        Some(open::Head::None(_)) => ProducerHead::None,
        Some(open::Head::Broadcast(head)) => ProducerHead::BroadcastExec {
            output_partitions: head.output_partitions.try_into().map_err(missing)?,
        },
        Some(open::Head::Repartition(head)) => ProducerHead::RepartitionExec {
            partitioning: MaybeEncoded::Encoded(head.partitioning.to_vec()),
        },
        None => return Err(Status::invalid_argument("the head is missing")),
    };
    let partitions = open.partition_end.checked_sub(open.partition_start);
    if partitions.is_none_or(|partitions| partitions > MAX_PARTITIONS) {
        return Err(Status::invalid_argument("the range of partitions is none"));
    }
    Ok(ExecuteTaskRequest {
        task_key: TaskKey {
            query_id,
            stage_id: open.stage.try_into().map_err(missing)?,
            task_number: open.task.try_into().map_err(missing)?,
        },
        target_partition_start: open.partition_start.try_into().map_err(missing)?,
        target_partition_end: open.partition_end.try_into().map_err(missing)?,
        producer_head,
    })
}
