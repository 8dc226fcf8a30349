//! The agents that queries run on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_distributed::{
    ChannelResolver, DistributedExec, DistributedExt, DistributedMetricsFormat, WorkerResolver,
    rewrite_distributed_plan_with_metrics,
};
use gleam_sql_executor::settings;
use http::{HeaderMap, HeaderValue};
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

/// How long the counts of agents may take to come when all rows are there.
pub(crate) const METRICS_LIMIT: Duration = Duration::from_secs(3);

/// A plan that has run, with the metrics of its tasks on agents. Where these do not come in time, as
/// those of an agent that has just gone, the plan as it is.
pub async fn with_metrics(plan: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    let format = DistributedMetricsFormat::Aggregated;
    let collected = rewrite_distributed_plan_with_metrics(Arc::clone(on_agents(plan)), format);
    match tokio::time::timeout(METRICS_LIMIT, collected).await {
        Ok(Ok(collected)) if collected.is::<DistributedExec>() => collected,
        _ => Arc::clone(plan),
    }
}

/// The part of a plan that agents have a share in: a COPY has it below itself.
fn on_agents(plan: &Arc<dyn ExecutionPlan>) -> &Arc<dyn ExecutionPlan> {
    match plan.children().as_slice() {
        [child] if !plan.is::<DistributedExec>() => on_agents(child),
        _ => plan,
    }
}

/// `context` with its settings in the headers of the calls that bring tasks to agents.
pub(crate) fn with_travelling_settings(
    context: TaskContext,
) -> Result<TaskContext, DataFusionError> {
    let config = context.session_config().clone();
    let settings = settings::encode(config.options());
    let settings = HeaderValue::try_from(settings)
        .map_err(|error| DataFusionError::Configuration(error.to_string()))?;
    let mut headers = HeaderMap::new();
    headers.insert(settings::SETTINGS_HEADER, settings);
    Ok(context.with_session_config(config.with_distributed_passthrough_headers(headers)?))
}
