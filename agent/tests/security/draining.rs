//! An agent that was told to end.

use std::time::Duration;

use datafusion::common::runtime::SpawnedTask;
use gleam_sql_agent::proto::agent::{HelloRequest, HelloResponse};
use gleam_sql_agent::security::TlsFiles;
use http::uri::PathAndQuery;
use tonic::Code;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus};
use tonic_prost::ProstCodec;

use crate::support::{Agent, call};

const NEW_TASK: &str = "/worker.WorkerService/CoordinatorChannel";
const STATUS: &str = "/gleam.agent.v1.Agent/Status";

#[tokio::test]
async fn ends_when_it_is_idle() {
    let mut agent = Agent::start_with(TlsFiles::default(), Duration::from_secs(3600)).await;
    let url = agent.url("http", "127.0.0.1");
    agent.connections(None).status(&url).await.unwrap();
    agent.stop();
    agent.ended().await;
}

#[tokio::test]
async fn takes_no_new_tasks_while_it_ends() {
    let mut agent = Agent::start_with(TlsFiles::default(), Duration::from_secs(3600)).await;
    let channel = agent.connect().await;
    let health = |message: HealthCheckRequest| {
        let mut request = tonic::Request::new(message);
        let authorization = format!("Bearer {}", agent.token.expose());
        request.metadata_mut().insert("authorization", authorization.parse().unwrap());
        request
    };
    let mut client = HealthClient::new(channel.clone());
    let mut changes = client.watch(health(Default::default())).await.unwrap().into_inner();
    let status = changes.message().await.unwrap().unwrap().status();
    assert_eq!(status, ServingStatus::Serving);
    // A driver that has a task here keeps this call open, and the agent with it.
    let task = open_task(&agent, &channel);
    // The connection keeps the order of calls.
    call(&channel, STATUS, agent.headers()).await.unwrap();
    agent.stop();
    let status = changes.message().await.unwrap().unwrap().status();
    assert_eq!(status, ServingStatus::NotServing);
    let refused = call(&channel, NEW_TASK, agent.headers()).await.unwrap();
    assert_eq!(refused.code(), Code::Unavailable);
    let asked = call(&channel, STATUS, agent.headers()).await.unwrap();
    assert_eq!(asked.code(), Code::Ok);
    drop(task);
    agent.ended().await;
}

/// A driver that has said nothing yet.
fn open_task(agent: &Agent, channel: &Channel) -> SpawnedTask<()> {
    let mut request = tonic::Request::new(futures::stream::pending::<HelloRequest>());
    *request.metadata_mut() = MetadataMap::from_headers(agent.headers());
    let mut client = Grpc::new(channel.clone());
    SpawnedTask::spawn(async move {
        client.ready().await.unwrap();
        let codec = ProstCodec::<HelloRequest, HelloResponse>::default();
        let path = PathAndQuery::from_static(NEW_TASK);
        let answer = client.streaming(request, path, codec).await;
        std::future::pending::<()>().await;
        drop(answer);
    })
}
