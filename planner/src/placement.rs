//! Which stages run on how many agents.
//!
//! datafusion-distributed cuts a plan into stages and asks here, for each node, in how many tasks it
//! may run. What is read is split by bytes; a stage whose rows one node needs together is one task.

mod build_limits;
mod deal;

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::placeholder_row::PlaceholderRowExec;
use datafusion::physical_plan::{Distribution, ExecutionPlan, ExecutionPlanProperties};
use datafusion::prelude::SessionConfig;
use datafusion_distributed::{
    BroadcastExec, DesiredTaskCountEvent, DesiredTaskCountEventResponse, DistributedExt,
    DistributedGetterExt, DistributedLeafExec, RouteTasksEvent, RouteTasksEventResponse,
    ScaleUpLeafNodeEvent, ScaleUpLeafNodeEventResponse,
};
use gleam_sql_executor::options::GleamOptions;
use url::Url;

pub(crate) use build_limits::LimitBuildSides;

/// A scan is divided among up to so many tasks.
const MOST_TASKS: usize = 255;

/// What cannot be cut in stages: a recursion feeds itself, and what a scalar subquery gives is known
/// only to the process that ran it.
const STAYING: [&str; 2] = ["RecursiveQueryExec", "ScalarSubqueryExec"];

/// `config`, in which these rules hold.
pub(crate) fn with_rules(config: SessionConfig) -> SessionConfig {
    config
        .with_distributed_desired_task_count_handler(desired_tasks)
        .with_distributed_scale_up_leaf_node_handler(split_leaf)
        .with_distributed_route_tasks_handler(route)
}

/// Whether all that a plan reads is there for agents too, and can be told to them.
pub(crate) fn can_leave_the_driver(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let mut can_leave = true;
    let walked = plan.apply(|node| {
        let is_known = !node.children().is_empty()
            || node.is::<EmptyExec>()
            || node.is::<PlaceholderRowExec>()
            || file_scan(node).is_some();
        can_leave &= is_known && !STAYING.contains(&node.name());
        Ok(if can_leave { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    walked.is_ok() && can_leave
}

/// What a node reads, where these are files.
pub(crate) fn file_scan(node: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    node.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref()
}

fn desired_tasks(
    event: DesiredTaskCountEvent<'_>,
) -> Option<Result<DesiredTaskCountEventResponse>> {
    if needs_one_task(event.plan) {
        return Some(Ok(DesiredTaskCountEventResponse::maximum(1)));
    }
    let scan = file_scan(event.plan)?;
    if is_relied_on(scan) {
        return Some(Ok(DesiredTaskCountEventResponse::maximum(1)));
    }
    let files = scan.file_groups.iter().flat_map(FileGroup::iter);
    let bytes: u64 = files.map(|file| file.effective_size()).sum();
    let options = event.session_config.options();
    let gleam = options.extensions.get::<GleamOptions>().cloned().unwrap_or_default();
    let wanted = (bytes / gleam.min_task_bytes as u64).try_into().unwrap_or(usize::MAX);
    // What cannot be divided further is no work for more tasks.
    let most = deal::pieces(scan, event.session_config.target_partitions() * MOST_TASKS).len();
    Some(Ok(DesiredTaskCountEventResponse::desired(wanted.min(most).max(1))))
}

/// Whether what is planned above a scan relies on how its files are grouped: on their order, or on
/// all rows being together, as for a limit that holds where it is read.
fn is_relied_on(scan: &FileScanConfig) -> bool {
    scan.file_groups.len() < 2
        || !scan.output_ordering.is_empty()
        || scan.output_partitioning.is_some()
}

/// Whether a node has its rows together only because they come in one partition: in several tasks,
/// each would have a partition of its own.
fn needs_one_task(node: &Arc<dyn ExecutionPlan>) -> bool {
    let required = node.input_distribution_requirements();
    node.children().into_iter().zip(required.per_child_distributions()).any(|(child, required)| {
        !matches!(required, Distribution::UnspecifiedDistribution)
            && child.output_partitioning().partition_count() == 1
            && !is_broadcast(child)
    })
}

/// Whether every task is sent all of these rows; not where each takes the first few of them.
fn is_broadcast(node: &Arc<dyn ExecutionPlan>) -> bool {
    if node.is::<BroadcastExec>() {
        return true;
    }
    match node.children().as_slice() {
        [child] if node.is::<CoalescePartitionsExec>() && node.fetch().is_none() => {
            is_broadcast(child)
        }
        _ => false,
    }
}

fn split_leaf(event: ScaleUpLeafNodeEvent<'_>) -> Option<Result<ScaleUpLeafNodeEventResponse>> {
    let scan = file_scan(event.plan)?;
    if event.task_count == 1 {
        return Some(Ok(ScaleUpLeafNodeEventResponse::new(Arc::clone(event.plan))));
    }
    Some(split_scan(event, scan).map(ScaleUpLeafNodeEventResponse::new))
}

fn split_scan(
    event: ScaleUpLeafNodeEvent<'_>,
    scan: &FileScanConfig,
) -> Result<Arc<dyn ExecutionPlan>> {
    let partitions = event.session_config.target_partitions().max(1);
    let variant = |own: Vec<FileGroup>| {
        let mut scan = scan.clone();
        scan.file_groups = own;
        DataSourceExec::from_data_source(scan) as Arc<dyn ExecutionPlan>
    };
    let tasks = deal::deal(scan, partitions, event.task_count).into_iter().map(variant);
    Ok(Arc::new(DistributedLeafExec::try_new(Arc::clone(event.plan), tasks)?))
}

/// The agents of a session, in the order in which they are given tasks.
pub(crate) fn agents(config: &SessionConfig) -> Result<Vec<Url>> {
    config.get_distributed_worker_resolver()?.get_urls()
}

/// Task i goes to agent i, so that it can be told beforehand.
pub(crate) fn agents_of_tasks(agents: &[Url], tasks: usize) -> impl Iterator<Item = &Url> {
    agents.iter().cycle().take(tasks)
}

fn route(event: RouteTasksEvent<'_>) -> Option<Result<RouteTasksEventResponse>> {
    let agents = match agents(event.task_ctx.session_config()) {
        Ok(agents) if !agents.is_empty() => agents,
        Ok(_) => return None,
        Err(error) => return Some(Err(error)),
    };
    let agents = agents_of_tasks(&agents, event.task_count).cloned().collect();
    Some(Ok(RouteTasksEventResponse::new(agents)))
}
