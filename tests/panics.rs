//! A task that panics on one of three agents: the query fails, every time, with what the panic said.
//!
//! Driver and two agents are the real binary. The third agent is made here of the same services, and its
//! worker puts a panic behind the first rows of every file that it reads; the product has no such switch.

#![expect(clippy::disallowed_methods, reason = "tests start programs and talk to who runs them")]
#![allow(dead_code, unused_imports, reason = "other tests use more of what they share")]

mod support;

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion_distributed::{
    ChannelResolver, DistributedExt, Worker, WorkerPlanRewriteEvent,
    WorkerPlanRewriteEventResponse, WorkerQueryContext,
};
use futures::{StreamExt, stream};
use gleam_sql_agent::connection::AgentConnections;
use gleam_sql_agent::exchange::{self, Traffic};
use gleam_sql_agent::proto::agent::agent_server::{Agent as AgentCalls, AgentServer};
use gleam_sql_agent::proto::agent::{HelloRequest, HelloResponse, StatusRequest, StatusResponse};
use gleam_sql_agent::security::Token;
use gleam_sql_agent::version::{BUILD_VERSION, WIRE_VERSION};
use gleam_sql_executor::codec::GleamCodec;
use support::agents::TOKEN;
use support::{AccessLog, Agent, Place};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

const RUNS: usize = 100;
const WHAT_IT_SAYS: &str = "the third agent has had enough";

/// One of each way in which rows leave a task: as they are, over a shuffle, to a merge, and copied to
/// all tasks of a join.
const QUERIES: [&str; 4] = [
    "SELECT line FROM 'access.log'",
    "SELECT line, count(*) FROM 'access.log' GROUP BY line",
    "SELECT line FROM 'access.log' ORDER BY line",
    "SELECT count(*) FROM 'access.log' a JOIN 'few.log' b ON a.line = b.line",
];

#[test]
fn a_panic_on_one_of_three_agents_is_an_error_with_its_message() {
    be_quiet_about_it();
    let log = AccessLog::new(3000);
    let place = Place::with("access.log", log.text());
    place.write("few.log", log.lines()[..30].join("\n"));
    let agents = Agent::several(&place, 2);
    let third = ThirdAgent::start();
    let token = place.secret("token", TOKEN);
    let names = format!("{},{},{}", agents[0].address, agents[1].address, third.address);
    for run in 0..RUNS {
        let query = format!(
            "SET gleam.min_task_bytes = 1; SET datafusion.optimizer.repartition_file_min_size = 1; {}",
            QUERIES[run % QUERIES.len()]
        );
        let failed =
            place.sql(query).arg("--agents").arg(&names).arg("--token-file").arg(&token).run();
        failed.code(1).says(&["error: a task panicked", WHAT_IT_SAYS]);
        failed.says(&[&format!("agent {}", third.address)]);
    }
}

/// The other panics are those of this test.
fn be_quiet_about_it() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str() != Some(WHAT_IT_SAYS) {
            others(panic);
        }
    }));
}

/// An agent in this process.
struct ThirdAgent {
    address: String,
    _runtime: Runtime,
}

impl ThirdAgent {
    fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("it has one").to_string();
        let _entered = runtime.enter();
        let worker = worker();
        let traffic = Arc::new(Traffic::default());
        let server = Server::builder()
            .add_service(worker.clone().into_worker_server())
            .add_service(exchange::service(worker, address.clone(), traffic))
            .add_service(AgentServer::new(Calls))
            .serve_with_incoming(TcpListenerStream::new(listener));
        runtime.spawn(server);
        drop(_entered);
        Self { address, _runtime: runtime }
    }
}

fn worker() -> Worker {
    let token = Token::parse(TOKEN, "the test").expect("it is a token");
    let connections: Arc<dyn ChannelResolver + Send + Sync> =
        Arc::new(AgentConnections::new(&token, None, Arc::default()));
    Worker::from_session_builder(move |context: WorkerQueryContext| {
        let connections = Arc::clone(&connections);
        async move {
            Ok(context
                .builder
                .with_distributed_user_codec(GleamCodec)
                .with_distributed_channel_resolver(connections)
                .with_distributed_worker_plan_rewrite_handler(panic_behind_files)
                .build())
        }
    })
}

fn panic_behind_files(event: WorkerPlanRewriteEvent<'_>) -> Result<WorkerPlanRewriteEventResponse> {
    let plan = event.plan.transform_up(|node| {
        Ok(if node.is::<DataSourceExec>() {
            Transformed::yes(panicking(&node)?)
        } else {
            Transformed::no(node)
        })
    })?;
    Ok(WorkerPlanRewriteEventResponse::new(plan.data))
}

fn panicking(scan: &Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let partitions = 0..scan.output_partitioning().partition_count();
    let partitions = partitions.map(|partition| {
        Arc::new(PanickingPartition { scan: Arc::clone(scan), schema: scan.schema(), partition })
            as Arc<_>
    });
    let schema = scan.schema();
    let plan =
        StreamingTableExec::try_new(schema, partitions.collect(), None, vec![], false, None)?;
    Ok(Arc::new(plan))
}

/// The first rows of a partition of a scan, and a panic behind them.
struct PanickingPartition {
    scan: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    partition: usize,
}

impl fmt::Debug for PanickingPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PanickingPartition")
    }
}

impl PartitionStream for PanickingPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.scan.execute(self.partition, context).expect("a scan can be started");
        let panic = stream::once(async { panic_now() });
        let rows = rows.take(1).chain(panic);
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}

fn panic_now() -> Result<RecordBatch> {
    panic!("{WHAT_IT_SAYS}")
}

/// Who it is.
struct Calls;

#[tonic::async_trait]
impl AgentCalls for Calls {
    async fn hello(
        &self,
        _: Request<HelloRequest>,
    ) -> std::result::Result<Response<HelloResponse>, Status> {
        Ok(Response::new(HelloResponse {
            wire_version: WIRE_VERSION,
            build_version: BUILD_VERSION.to_owned(),
            slots: 2,
        }))
    }

    async fn status(
        &self,
        _: Request<StatusRequest>,
    ) -> std::result::Result<Response<StatusResponse>, Status> {
        Err(Status::unimplemented("nobody asks"))
    }
}
