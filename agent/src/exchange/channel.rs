//! The connection of one agent to another as datafusion-distributed sees it: tasks are set and told
//! about by its own client, and their rows come over the exchange.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion_distributed::grpc::BoxCloneSyncChannel;
use datafusion_distributed::{
    CoordinatorToWorkerMsg, ExecuteTaskRequest, GetWorkerInfoRequest, GetWorkerInfoResponse,
    ProducerHead, SetPlanRequest, TaskKey, WorkerChannel, WorkerToCoordinatorMsg,
};
use futures::StreamExt;
use futures::stream::BoxStream;
use http::{Extensions, HeaderMap};
use tonic::Request;
use tonic::metadata::MetadataMap;
use url::Url;

use super::call::Call;
use super::consumer::{CallHandle, PartitionStream};
use super::fault::Site;
use super::metrics::ConsumerMetrics;
use super::options::ExchangeOptions;
use super::traffic::Traffic;
use crate::address::agent_name;
use crate::proto::exchange::exchange_client::ExchangeClient;
use crate::proto::exchange::{BroadcastHead, NoHead, Open, RepartitionHead, open};

/// The channel to `agent`, whose connection is `transport`; `stock` is the client of
/// datafusion-distributed over the same connection.
pub fn channel(
    stock: Box<dyn WorkerChannel>,
    transport: BoxCloneSyncChannel,
    agent: Url,
    traffic: Arc<Traffic>,
) -> Box<dyn WorkerChannel> {
    let exchange = ExchangeClient::new(transport)
        .max_decoding_message_size(usize::MAX)
        .max_encoding_message_size(usize::MAX);
    Box::new(ExchangeChannel { stock, exchange, agent, traffic })
}

struct ExchangeChannel {
    stock: Box<dyn WorkerChannel>,
    exchange: ExchangeClient<BoxCloneSyncChannel>,
    agent: Url,
    traffic: Arc<Traffic>,
}

#[async_trait]
impl WorkerChannel for ExchangeChannel {
    async fn coordinator_channel(
        &mut self,
        headers: HeaderMap,
        set_plan_request: SetPlanRequest,
        c2w_stream: BoxStream<'static, CoordinatorToWorkerMsg>,
        metrics: ExecutionPlanMetricsSet,
        task_ctx: &Arc<TaskContext>,
    ) -> Result<BoxStream<'static, Result<WorkerToCoordinatorMsg>>> {
        let site = self.site(&set_plan_request.task_key);
        let stock = &mut self.stock;
        let opened =
            stock.coordinator_channel(headers, set_plan_request, c2w_stream, metrics, task_ctx);
        let messages = opened.await.map_err(|error| site.locate(error))?;
        Ok(messages.map(move |message| message.map_err(|error| site.locate(error))).boxed())
    }

    /// Returns when the producer has opened all partitions: from then on, dropping them cancels them
    /// there, polled or not.
    async fn execute_task(
        &mut self,
        headers: HeaderMap,
        request: ExecuteTaskRequest,
        metrics: ExecutionPlanMetricsSet,
        task_ctx: &Arc<TaskContext>,
    ) -> Result<Vec<BoxStream<'static, Result<RecordBatch>>>> {
        let site = self.site(&request.task_key);
        let open = open(request, task_ctx)?;
        let partitions = open.partition_start..open.partition_end;
        let memory = MemoryConsumer::new("exchange").register(task_ctx.memory_pool());
        let metrics = ConsumerMetrics::new(&metrics);
        let call = Arc::new(Call::new(site, open, metrics, Arc::clone(&self.traffic), memory));
        let requests = Arc::clone(&call).requests();
        let metadata = MetadataMap::from_headers(headers);
        let request = Request::from_parts(metadata, Extensions::default(), requests);
        let replies = self.exchange.fetch(request).await;
        let replies = replies.map_err(|status| call.site.refused(&status))?.into_inner();
        let reading = SpawnedTask::spawn(Arc::clone(&call).read(replies));
        let handle = Arc::new(CallHandle::new(call, reading));
        let stream = |partition| PartitionStream::new(Arc::clone(&handle), partition).boxed();
        Ok(partitions.map(stream).collect())
    }

    async fn get_worker_info(
        &mut self,
        request: GetWorkerInfoRequest,
    ) -> Result<GetWorkerInfoResponse> {
        self.stock.get_worker_info(request).await
    }
}

impl ExchangeChannel {
    fn site(&self, task: &TaskKey) -> Site {
        Site::new(&agent_name(&self.agent), task)
    }
}

fn open(request: ExecuteTaskRequest, context: &Arc<TaskContext>) -> Result<Open> {
    let ExecuteTaskRequest { task_key, target_partition_start, target_partition_end, .. } = request;
    let partitions = target_partition_end.saturating_sub(target_partition_start);
    let options = ExchangeOptions::of(context, partitions)?;
    let head = match request.producer_head {
        ProducerHead::None => open::Head::None(NoHead {}),
        ProducerHead::BroadcastExec { output_partitions } => {
            open::Head::Broadcast(BroadcastHead { output_partitions: output_partitions as u64 })
        }
        ProducerHead::RepartitionExec { partitioning } => {
            let partitioning = partitioning.encode(context)?.into();
            open::Head::Repartition(RepartitionHead { partitioning })
        }
    };
    Ok(Open {
        query_id: task_key.query_id.as_bytes().to_vec().into(),
        stage: task_key.stage_id as u64,
        task: task_key.task_number as u64,
        partition_start: target_partition_start as u64,
        partition_end: target_partition_end as u64,
        frame_bytes: options.frame_bytes,
        window_bytes: options.window_bytes,
        max_row_bytes: options.max_row_bytes,
        compression: options.compression.to_wire().into(),
        head: Some(head),
    })
}
