//! An agent on a loopback port, tasks for it made of streams, and both ways to fetch from it.

use std::fmt;
use std::sync::{Arc, Mutex};

use datafusion::arrow::array::{Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::prelude::SessionConfig;
use datafusion_distributed::grpc::{BoxCloneSyncChannel, create_worker_client};
use datafusion_distributed::{
    CoordinatorToWorkerMsg, DistributedConfig, DistributedExt, ExecuteTaskRequest, MaybeEncoded,
    ProducerHead, SetPlanRequest, TaskKey, Worker, WorkerQueryContext, WorkerToCoordinatorMsg,
};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use gleam_sql_agent::address::agent_name;
use gleam_sql_agent::exchange::{self, Traffic, guard_broadcast};
use http::HeaderMap;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Endpoint, Server};
use url::Url;
use uuid::Uuid;

pub(crate) type Rows = BoxStream<'static, Result<RecordBatch>>;

/// A server with both services, whose worker the test can give plans.
pub(crate) struct Agent {
    pub(crate) url: Url,
    pub(crate) traffic: Arc<Traffic>,
    worker: Worker,
    /// The agent's own, so that ending it ends its connections too.
    runtime: Option<Runtime>,
    plans: Vec<BoxStream<'static, Result<WorkerToCoordinatorMsg>>>,
}

/// Whose client and service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Stock,
    Ours,
}

impl Agent {
    pub(crate) fn start() -> Self {
        Self::serve(Worker::default())
    }

    /// As an agent does it.
    pub(crate) fn start_guarded() -> Self {
        Self::serve(Worker::from_session_builder(async |context: WorkerQueryContext| {
            let guarded =
                context.builder.with_distributed_worker_plan_rewrite_handler(guard_broadcast);
            Ok(guarded.build())
        }))
    }

    fn serve(worker: Worker) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let _entered = runtime.enter();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let traffic = Arc::new(Traffic::default());
        let name = agent_name(&url);
        let server = Server::builder()
            .add_service(worker.clone().into_worker_server())
            .add_service(exchange::service(worker.clone(), name, Arc::clone(&traffic)))
            .serve_with_incoming(TcpListenerStream::new(listener));
        runtime.spawn(server);
        drop(_entered);
        Self { url, traffic, worker, runtime: Some(runtime), plans: Vec::new() }
    }

    /// Cuts all connections and takes no new ones.
    pub(crate) fn kill(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Gives the agent a task whose partitions are `partitions`.
    pub(crate) async fn set_task(
        &mut self,
        schema: &SchemaRef,
        partitions: Vec<Source>,
    ) -> TaskKey {
        self.set_plan(source_plan(schema, partitions)).await
    }

    pub(crate) async fn set_plan(&mut self, plan: Arc<dyn ExecutionPlan>) -> TaskKey {
        let task_key = TaskKey { query_id: Uuid::new_v4(), stage_id: 1, task_number: 0 };
        let request = SetPlanRequest {
            task_key,
            task_count: 1,
            plan: MaybeEncoded::Decoded(plan),
            work_unit_feed_declarations: Vec::new(),
            target_worker_url: self.url.clone(),
            query_start_time_ns: 0,
        };
        let messages = futures::stream::pending::<Result<CoordinatorToWorkerMsg>>().boxed();
        let replies = self.worker.coordinator_channel(HeaderMap::new(), request, messages).await;
        self.plans.push(replies.unwrap());
        task_key
    }

    /// As errors call it.
    pub(crate) fn name(&self) -> String {
        agent_name(&self.url)
    }

    /// The streams of `partitions` partitions of a task.
    pub(crate) async fn fetch(
        &self,
        transport: Transport,
        task: TaskKey,
        partitions: usize,
        consumer: &Consumer,
    ) -> Result<Vec<Rows>> {
        self.fetch_from(transport, task, partitions, ProducerHead::None, consumer).await
    }

    /// The same with a head.
    pub(crate) async fn fetch_from(
        &self,
        transport: Transport,
        task: TaskKey,
        partitions: usize,
        producer_head: ProducerHead,
        consumer: &Consumer,
    ) -> Result<Vec<Rows>> {
        let endpoint = Endpoint::from_shared(self.url.to_string()).unwrap();
        let connection = BoxCloneSyncChannel::new(endpoint.connect().await.unwrap());
        let stock = create_worker_client(connection.clone());
        let mut channel = match transport {
            Transport::Stock => stock,
            Transport::Ours => {
                let traffic = Arc::clone(&consumer.traffic);
                exchange::channel(stock, connection, self.url.clone(), traffic)
            }
        };
        let request = ExecuteTaskRequest {
            task_key: task,
            target_partition_start: 0,
            target_partition_end: partitions,
            producer_head,
        };
        let metrics = consumer.metrics.clone();
        channel.execute_task(HeaderMap::new(), request, metrics, &consumer.context).await
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The context of a task that fetches.
pub(crate) struct Consumer {
    pub(crate) context: Arc<TaskContext>,
    pub(crate) metrics: ExecutionPlanMetricsSet,
    pub(crate) traffic: Arc<Traffic>,
}

impl Consumer {
    /// With this much memory for what has arrived.
    pub(crate) fn new(budget_bytes: usize) -> Self {
        Self::with(budget_bytes, "none")
    }

    pub(crate) fn with(budget_bytes: usize, compression: &str) -> Self {
        let mut options = DistributedConfig::default();
        options.worker_connection_buffer_budget_bytes = budget_bytes;
        options.compression = compression.to_owned();
        let config = SessionConfig::new().with_distributed_option_extension(options);
        let state = SessionStateBuilder::new().with_default_features().with_config(config).build();
        Self {
            context: state.task_ctx(),
            metrics: ExecutionPlanMetricsSet::new(),
            traffic: Arc::default(),
        }
    }

    /// A metric, summed over the calls of this consumer.
    pub(crate) fn metric(&self, name: &str) -> usize {
        self.metrics.clone_inner().sum_by_name(name).map_or(0, |value| value.as_usize())
    }
}

type MakeStream = Arc<dyn Fn() -> Rows + Send + Sync>;

/// What one partition gives.
#[derive(Clone)]
pub(crate) struct Source(MakeStream);

impl Source {
    pub(crate) fn new<S>(make: impl Fn() -> S + Send + Sync + 'static) -> Self
    where
        S: Stream<Item = Result<RecordBatch>> + Send + 'static,
    {
        Self(Arc::new(move || make().boxed()))
    }

    /// These batches, which are shared.
    pub(crate) fn batches(batches: Vec<RecordBatch>) -> Self {
        Self::new(move || futures::stream::iter(batches.clone().into_iter().map(Ok)))
    }

    fn of(self, schema: &SchemaRef) -> SourcePartition {
        SourcePartition { schema: Arc::clone(schema), make: self.0 }
    }
}

/// A plan with these partitions.
pub(crate) fn source_plan(schema: &SchemaRef, partitions: Vec<Source>) -> Arc<dyn ExecutionPlan> {
    let partitions =
        partitions.into_iter().map(|source| Arc::new(source.of(schema)) as Arc<_>).collect();
    let plan = StreamingTableExec::try_new(Arc::clone(schema), partitions, None, [], false, None);
    Arc::new(plan.unwrap())
}

/// A plan of streams that were fetched: each is executed once.
pub(crate) fn fetched_plan(schema: &SchemaRef, streams: Vec<Rows>) -> Arc<dyn ExecutionPlan> {
    let partition = |rows: Rows| {
        let rows = Mutex::new(Some(rows));
        Source::new(move || rows.lock().unwrap().take().unwrap())
    };
    source_plan(schema, streams.into_iter().map(partition).collect())
}

struct SourcePartition {
    schema: SchemaRef,
    make: MakeStream,
}

impl fmt::Debug for SourcePartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SourcePartition")
    }
}

impl PartitionStream for SourcePartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), (self.make)()))
    }
}

/// One column of numbers.
pub(crate) fn numbers_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)]))
}

/// `rows` numbers from `start`.
pub(crate) fn numbers(start: i64, rows: i64) -> RecordBatch {
    let column = Int64Array::from_iter_values(start..start + rows);
    RecordBatch::try_new(numbers_schema(), vec![Arc::new(column)]).unwrap()
}

/// The first error of type `E` in the chain of causes.
pub(crate) fn find<E: std::error::Error + 'static>(error: &DataFusionError) -> Option<&E> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<E>() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// All rows of a stream.
pub(crate) async fn drain(rows: &mut Rows) -> Result<usize> {
    let mut count = 0;
    while let Some(batch) = rows.next().await {
        count += batch?.num_rows();
    }
    Ok(count)
}
