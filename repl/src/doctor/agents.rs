//! Whether the agents that are named answer.

use std::path::Path;

use std::sync::Arc;

use futures::future::join_all;
use gleam_sql_agent::address::agent_name;

use super::Finding;
use crate::args::ClusterArgs;
use crate::cluster;

const WHY: &str = "queries that name it fail, or run on the others";

/// One finding for each agent.
pub(super) async fn reached(args: &ClusterArgs, spill_directory: Option<&Path>) -> Vec<Finding> {
    let named = match cluster::named(args).await {
        Ok(Some(named)) => named,
        Ok(None) if args.local_agents.is_some() => {
            return vec![started(args, spill_directory).await];
        }
        Ok(None) => return vec![Finding::good("agents", "none are named: queries run here")],
        Err(failure) => return vec![Finding::bad("agents", plain(&failure.message), WHY)],
    };
    let connections = Arc::clone(&named.connections);
    let answers = join_all(named.agents.iter().map(|agent| connections.status(agent))).await;
    let findings = named.agents.iter().zip(answers).map(|(agent, answer)| match answer {
        Ok(status) => {
            let (name, slots) = (agent_name(agent), status.slots);
            let version = status.build_version;
            Finding::good("agent", format!("{name}, version {version}, {slots} slots"))
        }
        Err(error) => Finding::bad("agent", plain(&error.to_string()), WHY),
    });
    findings.collect()
}

/// Those of `--local-agents` can be started.
async fn started(args: &ClusterArgs, spill_directory: Option<&Path>) -> Finding {
    match cluster::connect(args, spill_directory).await {
        Ok(Some(connected)) => {
            let count = connected.cluster.agents.len();
            Finding::good("agents", format!("{count} on this machine, started with each run"))
        }
        Ok(None) => Finding::good("agents", "none"),
        Err(failure) => Finding::bad("agents", plain(&failure.message), WHY),
    }
}

fn plain(message: &str) -> String {
    message.trim_start_matches("error: ").trim_end().replace("\n  = help: ", " - ")
}
