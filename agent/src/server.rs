//! The agent itself: one port, behind which all of its services stand.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use gleam_sql_executor::policy::{Policy, RootedStore};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic_health::ServingStatus;
use tonic_health::server::{HealthReporter, health_reporter};
use tower::layer::util::{Identity, Stack};

use crate::connection::AgentConnections;
use crate::drain::Drain;
use crate::exchange::{self, Traffic};
use crate::network;
use crate::proto::agent::agent_server::AgentServer;
use crate::security::{RequireToken, TlsError, TlsFiles, Token};
use crate::status::AgentStatus;
use crate::worker_session::worker;

/// With this and the next, tasks of a driver that went away without a word end within 8 seconds.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(4);
const KEEPALIVE_LIMIT: Duration = Duration::from_secs(4);
/// Between two looks at whether the last task has ended, when the agent is to end.
const DRAIN_LOOK: Duration = Duration::from_millis(50);

/// What an agent is started with.
#[derive(Debug)]
pub struct AgentConfig {
    /// Where it listens; port 0 is any that is free.
    pub listen: SocketAddr,
    /// What callers must show, and what it shows to other agents.
    pub token: Token,
    /// Needed wherever others than this machine can connect.
    pub tls: TlsFiles,
    /// The partitions that it works on at the same time.
    pub slots: usize,
    /// What its queries may hold; beyond it they spill.
    pub memory_bytes: usize,
    /// Where they spill to.
    pub spill_directory: PathBuf,
    /// How much they may spill.
    pub spill_bytes: u64,
    /// What the plans of drivers may do here.
    pub policy: Arc<Policy>,
    /// How long running tasks may go on when the agent is told to end.
    pub grace_period: Duration,
}

/// Why there is no agent.
#[derive(Debug, Error)]
pub enum ServeError {
    /// Others could listen, and speak.
    #[error(
        "{0} can be reached from other machines, where an agent needs TLS: give --tls-cert, --tls-key and --tls-ca, or listen on 127.0.0.1"
    )]
    NotProtected(SocketAddr),
    /// The port is taken, or the address is not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The same, found by the library.
    #[error("TLS: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// The spill directory cannot be used.
    #[error("cannot spill to {}: {source}", directory.display())]
    Spill {
        /// The directory.
        directory: PathBuf,
        /// Why not.
        source: DataFusionError,
    },
}

/// An agent that has its port.
pub struct BoundAgent {
    address: SocketAddr,
    listener: std::net::TcpListener,
    router: Router<Stack<RequireToken, Identity>>,
    traffic: Arc<Traffic>,
    drain: Arc<Drain>,
    health: HealthReporter,
    grace_period: Duration,
}

impl BoundAgent {
    /// Takes the port. Calls are answered from [`BoundAgent::serve`] on. The tasks of plans run in the
    /// runtime of who calls this.
    ///
    /// # Errors
    /// When the address may not be listened on, or cannot.
    pub async fn bind(config: AgentConfig) -> Result<Self, ServeError> {
        if !config.listen.ip().is_loopback() && !config.tls.any() {
            return Err(ServeError::NotProtected(config.listen));
        }
        let failed = |source| ServeError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let listener = listener.into_std().map_err(failed)?;
        let traffic = Arc::new(Traffic::default());
        let drain = Arc::new(Drain::default());
        let (health, health_service) = health_reporter();
        let router = router(&config, address, &traffic, &drain)?.add_service(health_service);
        let grace_period = config.grace_period;
        Ok(Self { address, listener, router, traffic, drain, health, grace_period })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers calls until `stop` comes; then takes no new tasks, and returns when the running ones have
    /// ended or the grace period has. What still runs then ends with the process.
    ///
    /// # Errors
    /// When the port fails.
    pub async fn serve(self, stop: impl Future<Output = ()>) -> Result<(), ServeError> {
        let address = self.address;
        let failed = move |source| ServeError::Listen { address, source };
        let (listener, router) = (self.listener, self.router);
        let serving = network::spawn(async move {
            let connections =
                TcpListenerStream::new(TcpListener::from_std(listener).map_err(failed)?);
            router.serve_with_incoming(connections).await.map_err(ServeError::Transport)
        });
        let ending = async {
            stop.await;
            self.drain.begin();
            self.health.set_service_status("", ServingStatus::NotServing).await;
            let _ = tokio::time::timeout(self.grace_period, until_idle(&self.traffic, &self.drain))
                .await;
        };
        tokio::select! {
            served = serving.join() => match served {
                Ok(served) => served,
                Err(ended) => Err(failed(std::io::Error::other(ended))),
            },
            () = ending => Ok(()),
        }
    }
}

async fn until_idle(traffic: &Traffic, drain: &Drain) {
    while traffic.running_exchanges() > 0 || drain.open_tasks() > 0 {
        tokio::time::sleep(DRAIN_LOOK).await;
    }
}

fn router(
    config: &AgentConfig,
    address: SocketAddr,
    traffic: &Arc<Traffic>,
    drain: &Arc<Drain>,
) -> Result<Router<Stack<RequireToken, Identity>>, ServeError> {
    let client_tls = if config.tls.any() { Some(config.tls.client()?) } else { None };
    let connections = AgentConnections::new(&config.token, client_tls, Arc::clone(traffic));
    let pool: Arc<dyn MemoryPool> = Arc::new(FairSpillPool::new(config.memory_bytes));
    let policy = Arc::clone(&config.policy);
    let worker = worker(runtime(config, &pool)?, Arc::new(connections), policy);
    let status = AgentStatus {
        started: Instant::now(),
        slots: config.slots,
        traffic: Arc::clone(traffic),
        pool,
        pool_limit_bytes: config.memory_bytes,
        drain: Arc::clone(drain),
    };
    let mut server = Server::builder();
    if config.tls.any() {
        server = server.tls_config(config.tls.server()?)?;
    }
    Ok(server
        .tcp_nodelay(true)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_LIMIT))
        .layer(RequireToken::new(config.token.clone(), Arc::clone(drain)))
        .add_service(worker.clone().into_worker_server())
        .add_service(exchange::service(worker, address.to_string(), Arc::clone(traffic)))
        .add_service(AgentServer::new(status)))
}

fn runtime(
    config: &AgentConfig,
    pool: &Arc<dyn MemoryPool>,
) -> Result<Arc<RuntimeEnv>, ServeError> {
    let directory = config.spill_directory.clone();
    let disk = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::Directories(vec![directory.clone()]))
        .with_max_temp_directory_size(config.spill_bytes);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::clone(pool))
        .with_disk_manager_builder(disk)
        .build_arc();
    let runtime = runtime.map_err(|source| ServeError::Spill { directory, source })?;
    if !config.policy.roots.are_all() {
        let files = Arc::new(RootedStore::new(config.policy.roots.clone()));
        runtime.register_object_store(ObjectStoreUrl::local_filesystem().as_ref(), files);
    }
    Ok(runtime)
}
