//! The agents that queries run on.

use std::fmt;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion_distributed::{ChannelResolver, WorkerResolver};
use url::Url;

/// Agents, and the way to them. The planner only passes it on: who runs the plan connects.
#[derive(Clone)]
pub struct Cluster {
    /// Where they listen.
    pub agents: Vec<Url>,
    /// Connects to them.
    pub channels: Arc<dyn ChannelResolver + Send + Sync>,
    /// The partitions that a task works on at the same time.
    pub slots: usize,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let agents: Vec<&str> = self.agents.iter().map(Url::as_str).collect();
        f.debug_struct("Cluster").field("agents", &agents).field("slots", &self.slots).finish()
    }
}

/// Where tasks may go, for datafusion-distributed. It leaves out a stage of a single task, so that a
/// single agent is given two.
pub(crate) struct TaskPlaces(pub(crate) Vec<Url>);

impl WorkerResolver for TaskPlaces {
    fn get_urls(&self) -> Result<Vec<Url>, DataFusionError> {
        Ok(match self.0.as_slice() {
            [only] => vec![only.clone(), only.clone()],
            several => several.to_vec(),
        })
    }
}

/// `host:port`.
pub(crate) fn agent_name(agent: &Url) -> String {
    let host = agent.host_str().unwrap_or_default();
    match agent.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}
