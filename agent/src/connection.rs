//! Connections to agents, of drivers and of other agents.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion_distributed::grpc::{BoxCloneSyncChannel, create_worker_client};
use datafusion_distributed::{ChannelResolver, WorkerChannel};
use futures::future::join_all;
use http::HeaderMap;
use thiserror::Error;
use tokio::sync::OnceCell;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Status};
use tower::ServiceExt;
use url::Url;

use crate::address::agent_name;
use crate::exchange::{AgentLost, Traffic, channel};
use crate::network;
use crate::proto::agent::agent_client::AgentClient;
use crate::proto::agent::{HelloRequest, StatusRequest, StatusResponse};
use crate::security::{Token, credentials};
use crate::version::{BUILD_VERSION, WIRE_VERSION};

const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// With this and the next, a peer that went away without a word is noticed within 3 seconds.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(1);
const KEEPALIVE_LIMIT: Duration = Duration::from_secs(2);
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Far above the frames of the exchange, whose credit is what holds rows back.
const STREAM_WINDOW_BYTES: u32 = 8 * 1024 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 64 * 1024 * 1024;

const START_HINT: &str = "is `gleam-sql agent` running there, and does it listen on this address?";
const SILENT_HINT: &str = "it may be stopped, or something else listens there";
const TLS_THERE_HINT: &str = "an agent with TLS needs --tls-ca, --tls-cert and --tls-key here too";
const NO_TLS_THERE_HINT: &str =
    "it answers without TLS: leave out the --tls options here, or give them to the agent";
const CERTIFICATE_HINT: &str =
    "both sides need certificates of the same authority: --tls-ca, --tls-cert and --tls-key";
const TOKEN_HINT: &str = "name the file with its token: --token-file";
const VERSION_HINT: &str = "install the same version of gleam-sql on both sides";

/// An agent that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentInfo {
    /// Where it listens.
    pub agent: Url,
    /// The partitions that it works on at the same time.
    pub slots: usize,
}

/// An agent that cannot be used.
#[derive(Debug, Clone, Error)]
#[error("agent {agent}: {reason}{}", shown_hint(.hint))]
pub struct ConnectError {
    /// `host:port`.
    pub agent: String,
    /// Why not.
    pub reason: String,
    /// What the user can do.
    pub hint: String,
}

fn shown_hint(hint: &str) -> String {
    if hint.is_empty() { String::new() } else { format!("\n  = help: {hint}") }
}

/// One connection to each agent, made when it is first needed and used by all calls.
pub struct AgentConnections {
    credentials: HeaderMap,
    tls: Option<ClientTlsConfig>,
    traffic: Arc<Traffic>,
    connections: Mutex<HashMap<Url, Arc<OnceCell<Connection>>>>,
}

#[derive(Clone)]
struct Connection {
    channel: BoxCloneSyncChannel,
    slots: usize,
}

impl fmt::Debug for AgentConnections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentConnections").field("tls", &self.tls.is_some()).finish_non_exhaustive()
    }
}

impl AgentConnections {
    /// Connections that show `token`; over TLS, where it is given.
    pub fn new(token: &Token, tls: Option<ClientTlsConfig>, traffic: Arc<Traffic>) -> Self {
        Self { credentials: credentials(token), tls, traffic, connections: Mutex::default() }
    }

    /// Who of `agents` answers, in their order.
    pub async fn hello_all(&self, agents: &[Url]) -> Vec<Result<AgentInfo, ConnectError>> {
        let hello = |agent: &Url| {
            let agent = agent.clone();
            async move {
                let Connection { slots, .. } = self.connection(&agent).await?;
                Ok(AgentInfo { agent, slots })
            }
        };
        join_all(agents.iter().map(hello)).await
    }

    /// How an agent does.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub async fn status(&self, agent: &Url) -> Result<StatusResponse, ConnectError> {
        let connection = self.connection(agent).await?;
        let mut client = AgentClient::new(connection.channel);
        let answer = in_time(client.status(StatusRequest {})).await;
        answer.map(tonic::Response::into_inner).map_err(|status| self.refused(agent, &status))
    }

    async fn connection(&self, agent: &Url) -> Result<Connection, ConnectError> {
        let cell = {
            let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(connections.entry(agent.clone()).or_default())
        };
        cell.get_or_try_init(|| self.connect(agent)).await.cloned()
    }

    async fn connect(&self, agent: &Url) -> Result<Connection, ConnectError> {
        if self.tls.is_none() {
            stays_on_this_machine(agent).await?;
        }
        let endpoint = self.endpoint(agent).map_err(|error| self.unreachable(agent, &error))?;
        let connected = network::spawn(async move { endpoint.connect().await }).join().await;
        let connected =
            connected.map_err(|ended| failed(agent, format!("cannot be reached: {ended}"), ""))?;
        let channel =
            self.with_credentials(connected.map_err(|error| self.unreachable(agent, &error))?);
        let hello =
            HelloRequest { wire_version: WIRE_VERSION, build_version: BUILD_VERSION.to_owned() };
        let answer = in_time(AgentClient::new(channel.clone()).hello(hello)).await;
        let answer = answer.map_err(|status| self.refused(agent, &status))?.into_inner();
        if (answer.wire_version, answer.build_version.as_str()) != (WIRE_VERSION, BUILD_VERSION) {
            let reason = format!(
                "it is gleam-sql {} (wire {}), and this is {BUILD_VERSION} (wire {WIRE_VERSION})",
                answer.build_version, answer.wire_version,
            );
            return Err(failed(agent, reason, VERSION_HINT));
        }
        let slots = usize::try_from(answer.slots).unwrap_or(1).max(1);
        Ok(Connection { channel, slots })
    }

    fn unreachable(&self, agent: &Url, error: &tonic::transport::Error) -> ConnectError {
        let causes = causes(error);
        let hint = match &self.tls {
            Some(_) if causes.contains("corrupt message") => NO_TLS_THERE_HINT,
            Some(_) if causes.contains("certificate") => CERTIFICATE_HINT,
            _ => START_HINT,
        };
        failed(agent, format!("cannot be reached{causes}"), hint)
    }

    fn refused(&self, agent: &Url, status: &Status) -> ConnectError {
        let causes = causes(status);
        let (reason, hint) = match status.code() {
            Code::Unauthenticated => (status.message().to_owned(), TOKEN_HINT),
            Code::FailedPrecondition => (status.message().to_owned(), VERSION_HINT),
            _ if causes.contains("timed out") => (format!("does not answer{causes}"), SILENT_HINT),
            _ if self.tls.is_none() => (format!("closed the connection{causes}"), TLS_THERE_HINT),
            // With TLS 1.3 a server looks at the client's certificate after the handshake.
            _ => (format!("closed the connection{causes}"), CERTIFICATE_HINT),
        };
        failed(agent, reason, hint)
    }

    fn endpoint(&self, agent: &Url) -> Result<Endpoint, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(agent.to_string())?
            .connect_timeout(CONNECT_LIMIT)
            .tcp_nodelay(true)
            .tcp_keepalive(Some(KEEPALIVE_INTERVAL))
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_LIMIT)
            .keep_alive_while_idle(true)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES);
        match &self.tls {
            Some(tls) => endpoint.tls_config(tls.clone()),
            None => Ok(endpoint),
        }
    }

    fn with_credentials(&self, channel: Channel) -> BoxCloneSyncChannel {
        let credentials = self.credentials.clone();
        let with_headers = channel.map_request(move |mut request: http::Request<_>| {
            request.headers_mut().extend(credentials.clone());
            request
        });
        BoxCloneSyncChannel::new(with_headers)
    }
}

#[async_trait]
impl ChannelResolver for AgentConnections {
    async fn get_worker_client_for_url(
        &self,
        agent: &Url,
    ) -> Result<Box<dyn WorkerChannel>, DataFusionError> {
        let connection = self.connection(agent).await.map_err(|error| {
            DataFusionError::External(Box::new(AgentLost::unreached(error.agent, error.reason)))
        })?;
        let stock = create_worker_client(connection.channel.clone());
        Ok(channel(stock, connection.channel, agent.clone(), Arc::clone(&self.traffic)))
    }
}

async fn in_time<T>(call: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
    let late = |_| Status::deadline_exceeded("no answer in time");
    tokio::time::timeout(ANSWER_LIMIT, call).await.map_err(late)?
}

/// Refuses to show the token to a network that could read it; no agent listens there without TLS.
async fn stays_on_this_machine(agent: &Url) -> Result<(), ConnectError> {
    let lookup = tokio::net::lookup_host(agent_name(agent));
    let found = tokio::time::timeout(CONNECT_LIMIT, lookup).await;
    let found = found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
    let mut addresses = found.map_err(|error| {
        failed(agent, format!("cannot be reached: its name is not known: {error}"), "")
    })?;
    if addresses.all(|address| address.ip().is_loopback()) {
        return Ok(());
    }
    Err(failed(
        agent,
        "the token goes to other machines only through TLS".to_owned(),
        TLS_THERE_HINT,
    ))
}

fn failed(agent: &Url, reason: String, hint: &str) -> ConnectError {
    ConnectError { agent: agent_name(agent), reason, hint: hint.to_owned() }
}

/// Each cause of an error, once, behind a colon.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        let one = error.to_string();
        if !text.contains(&one) {
            text = format!("{text}: {one}");
        }
        cause = error.source();
    }
    text
}
