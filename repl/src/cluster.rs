//! The agents that the queries of a command run on.

use std::path::Path;
use std::sync::Arc;

use gleam_sql_agent::address;
use gleam_sql_agent::connection::AgentConnections;
use gleam_sql_agent::exchange::Traffic;
use gleam_sql_agent::local_agents::LocalAgents;
use gleam_sql_agent::security::Token;
use gleam_sql_planner::Cluster;
use url::Url;

use crate::args::ClusterArgs;
use crate::report::{self, Failure};

/// This program, which is also the agent.
const PROGRAM: &str = "/proc/self/exe";

/// Agents that answer, and those among them that end with this command.
pub(crate) struct Connected {
    pub(crate) cluster: Cluster,
    pub(crate) connections: Arc<AgentConnections>,
    _local: Option<LocalAgents>,
}

/// Agents by name; whether they answer is not known.
pub(crate) struct Named {
    pub(crate) agents: Vec<Url>,
    pub(crate) connections: Arc<AgentConnections>,
}

/// Connects to the agents that `args` name; `None` where they name none. Agents that this starts spill
/// to `spill_directory`.
///
/// # Errors
/// When none of them can be used.
pub(crate) async fn connect(
    args: &ClusterArgs,
    spill_directory: Option<&Path>,
) -> Result<Option<Connected>, Failure> {
    if let (Some(count), Some(spill_directory)) = (args.local_agents, spill_directory) {
        return local(count.get(), spill_directory).await.map(Some);
    }
    match named(args).await? {
        Some(named) => reached(named).await.map(Some),
        None => Ok(None),
    }
}

/// The agents that `args` name, and the way to them.
///
/// # Errors
/// When the names, the token or the certificates cannot be used.
pub(crate) async fn named(args: &ClusterArgs) -> Result<Option<Named>, Failure> {
    let Some(names) = &args.agents else { return Ok(None) };
    let tls = args.peer.tls();
    let tls = if tls.any() { Some(tls.client().map_err(usage)?) } else { None };
    let agents = address::resolve(names, tls.is_some()).await.map_err(usage)?;
    let token = args.peer.token().map_err(usage)?;
    let connections = AgentConnections::new(&token, tls, Arc::new(Traffic::default()));
    Ok(Some(Named { agents, connections: Arc::new(connections) }))
}

async fn local(count: usize, spill_directory: &Path) -> Result<Connected, Failure> {
    let token = Token::random().map_err(usage)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let slots = cores.div_ceil(count);
    let options = ["--spill-dir".into(), spill_directory.into()];
    let started = LocalAgents::start(Path::new(PROGRAM), count, slots, &options, &token).await;
    let agents = started.map_err(usage)?;
    let connections = AgentConnections::new(&token, None, Arc::new(Traffic::default()));
    let connections = Arc::new(connections);
    let channels = Arc::clone(&connections) as _;
    let cluster = Cluster { agents: agents.urls(), channels, slots };
    Ok(Connected { cluster, connections, _local: Some(agents) })
}

/// Who does not answer is told of, and the others do the work.
async fn reached(named: Named) -> Result<Connected, Failure> {
    let Named { agents, connections } = named;
    let (mut answering, mut errors) = (Vec::new(), Vec::new());
    for answer in connections.hello_all(&agents).await {
        match answer {
            Ok(info) => answering.push(info),
            Err(error) => errors.push(error.to_string()),
        }
    }
    if answering.is_empty() {
        return Err(Failure::usage(errors.join("\nerror: ")));
    }
    for error in errors {
        report::note(&format!("warning: {error}\n"));
    }
    let slots = answering.iter().map(|agent| agent.slots).max().unwrap_or(1);
    let agents = answering.into_iter().map(|info| info.agent).collect();
    let cluster = Cluster { agents, channels: Arc::clone(&connections) as _, slots };
    Ok(Connected { cluster, connections, _local: None })
}

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::usage(error.to_string())
}
