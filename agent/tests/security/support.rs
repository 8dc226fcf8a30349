//! An agent in this process, and calls to it by any path with any headers.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use datafusion::common::runtime::SpawnedTask;
use gleam_sql_agent::connection::AgentConnections;
use gleam_sql_agent::security::{TlsFiles, Token, write_certificates};
use gleam_sql_agent::server::{AgentConfig, BoundAgent, ServeError};
use gleam_sql_agent::version::{BUILD_VERSION, WIRE_VERSION};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Status};
use tower::ServiceExt;
use url::Url;

const LIMIT: Duration = Duration::from_secs(20);

/// One that answers until it is dropped or told to end.
pub(crate) struct Agent {
    pub(crate) address: SocketAddr,
    pub(crate) token: Token,
    stop: Option<oneshot::Sender<()>>,
    serving: SpawnedTask<Result<(), ServeError>>,
    _spill: TempDir,
}

impl Agent {
    pub(crate) async fn start(tls: TlsFiles) -> Self {
        Self::start_with(tls, Duration::ZERO).await
    }

    pub(crate) async fn start_with(tls: TlsFiles, grace_period: Duration) -> Self {
        let spill = tempfile::tempdir().unwrap();
        let token = Token::random().unwrap();
        let config =
            AgentConfig { grace_period, ..config("127.0.0.1:0", &token, tls, spill.path()) };
        let agent = BoundAgent::bind(config).await.unwrap();
        let address = agent.address();
        let (stop, stopped) = oneshot::channel();
        let serving = SpawnedTask::spawn(agent.serve(async {
            let _ = stopped.await;
        }));
        Self { address, token, stop: Some(stop), serving, _spill: spill }
    }

    /// Tells it to end.
    pub(crate) fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(self) {
        tokio::time::timeout(LIMIT, self.serving).await.unwrap().unwrap().unwrap();
    }

    /// A connection without a word about who we are.
    pub(crate) async fn connect(&self) -> Channel {
        endpoint(&format!("http://{}", self.address)).connect().await.unwrap()
    }

    /// As drivers have them.
    pub(crate) fn connections(&self, tls: Option<ClientTlsConfig>) -> AgentConnections {
        AgentConnections::new(&self.token, tls, Default::default())
    }

    pub(crate) fn url(&self, scheme: &str, host: &str) -> Url {
        Url::parse(&format!("{scheme}://{host}:{}", self.address.port())).unwrap()
    }

    /// What the same build sends.
    pub(crate) fn headers(&self) -> HeaderMap {
        headers(&[
            ("authorization", &format!("Bearer {}", self.token.expose())),
            ("gleam-wire", &WIRE_VERSION.to_string()),
            ("gleam-build", BUILD_VERSION),
        ])
    }
}

pub(crate) fn config(listen: &str, token: &Token, tls: TlsFiles, spill: &Path) -> AgentConfig {
    AgentConfig {
        listen: listen.parse().unwrap(),
        token: token.clone(),
        tls,
        slots: 1,
        memory_bytes: 1 << 24,
        spill_directory: spill.to_owned(),
        spill_bytes: 1 << 24,
        grace_period: Duration::ZERO,
        policy: Arc::default(),
    }
}

pub(crate) fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |&(name, value): &(&str, &str)| {
        (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
    };
    pairs.iter().map(pair).collect()
}

pub(crate) fn endpoint(url: &str) -> Endpoint {
    Endpoint::from_shared(url.to_owned()).unwrap().connect_timeout(LIMIT).timeout(LIMIT)
}

/// Calls a method, and gives the status with which the answer begins. There is no message: a method
/// that is let in complains of that.
pub(crate) async fn call(
    channel: &Channel,
    path: &str,
    headers: HeaderMap,
) -> Result<Status, tonic::transport::Error> {
    // One message without fields: a flag and a length, both zero.
    let message = Body::new("\0\0\0\0\0".to_owned());
    let mut request = Request::post(path).body(message).unwrap();
    request.headers_mut().extend(headers);
    request
        .headers_mut()
        .extend(self::headers(&[("content-type", "application/grpc"), ("te", "trailers")]));
    let response = channel.clone().oneshot(request).await?;
    let begins = Status::from_header_map(response.headers());
    Ok(begins.unwrap_or_else(|| Status::new(Code::Ok, "it answers")))
}

/// Certificates of one authority.
pub(crate) struct Certificates(TempDir);

impl Certificates {
    pub(crate) fn of(names: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        write_certificates(directory.path(), &names).unwrap();
        Self(directory)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The files of `name`, which trusts the authority.
    pub(crate) fn files(&self, name: &str) -> TlsFiles {
        TlsFiles {
            certificate: Some(self.path().join(format!("{name}.crt"))),
            key: Some(self.path().join(format!("{name}.key"))),
            authority: Some(self.path().join("ca.crt")),
        }
    }
}
