//! Which stages run on how many agents.
//!
//! datafusion-distributed cuts a plan into stages and asks here, for each node, in how many tasks it
//! may run. What is read is split by bytes; a stage whose rows one node needs together is one task.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::{DataSource, DataSourceExec};
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
        can_leave &= is_known && node.name() != "RecursiveQueryExec";
        Ok(if can_leave { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    walked.is_ok() && can_leave
}

fn file_scan(node: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    node.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref()
}

fn desired_tasks(
    event: DesiredTaskCountEvent<'_>,
) -> Option<Result<DesiredTaskCountEventResponse>> {
    if needs_one_task(event.plan) {
        return Some(Ok(DesiredTaskCountEventResponse::maximum(1)));
    }
    let scan = file_scan(event.plan)?;
    let files = scan.file_groups.iter().flat_map(FileGroup::iter);
    let bytes: u64 = files.map(|file| file.effective_size()).sum();
    let options = event.session_config.options();
    let gleam = options.extensions.get::<GleamOptions>().cloned().unwrap_or_default();
    let wanted = (bytes / gleam.min_task_bytes as u64).try_into().unwrap_or(usize::MAX);
    // What cannot be divided further is no work for more tasks.
    let most = pieces(scan, event.session_config, usize::from(u8::MAX)).len();
    Some(Ok(DesiredTaskCountEventResponse::desired(wanted.min(most).max(1))))
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

/// Whether every task is sent all of these rows.
fn is_broadcast(node: &Arc<dyn ExecutionPlan>) -> bool {
    if node.is::<BroadcastExec>() {
        return true;
    }
    match node.children().as_slice() {
        [child] if node.is::<CoalescePartitionsExec>() => is_broadcast(child),
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
    let tasks = event.task_count;
    let groups = pieces(scan, event.session_config, tasks);
    let per_task = groups.len().div_ceil(tasks).max(1);
    let variant = |task: usize| {
        let own = groups.iter().skip(task * per_task).take(per_task).cloned();
        let mut own: Vec<FileGroup> = own.collect();
        // Every task has the same number of partitions, be it that some are empty.
        own.resize_with(per_task, || FileGroup::new(Vec::new()));
        let mut scan = scan.clone();
        scan.file_groups = own;
        DataSourceExec::from_data_source(scan) as Arc<dyn ExecutionPlan>
    };
    let leaf = DistributedLeafExec::try_new(Arc::clone(event.plan), (0..tasks).map(variant))?;
    Ok(Arc::new(leaf))
}

/// The files of a scan in groups for so many tasks: in byte ranges where their format allows, and
/// else whole.
fn pieces(scan: &FileScanConfig, config: &SessionConfig, tasks: usize) -> Vec<FileGroup> {
    let partitions = config.target_partitions().max(1) * tasks;
    let minimum = 0;
    let mut whole = scan.clone();
    whole.file_groups = vec![FileGroup::new(whole_files(scan))];
    let cut = DataSource::repartitioned(&whole, partitions, minimum, None).ok().flatten();
    let cut = cut.and_then(|cut| Some(cut.downcast_ref::<FileScanConfig>()?.file_groups.clone()));
    cut.unwrap_or_else(|| {
        let [whole] = &whole.file_groups[..] else { return Vec::new() };
        whole.clone().split_files(partitions)
    })
}

/// Each file of a scan once, as it was before it was cut in ranges.
fn whole_files(scan: &FileScanConfig) -> Vec<datafusion::datasource::listing::PartitionedFile> {
    let mut seen = std::collections::HashSet::new();
    let files = scan.file_groups.iter().flat_map(FileGroup::iter);
    let first = files.filter(|file| seen.insert(file.object_meta.location.clone()));
    first
        .map(|file| {
            let mut file = file.clone();
            file.range = None;
            file
        })
        .collect()
}

/// Task i goes to agent i, so that it can be told beforehand.
fn route(event: RouteTasksEvent<'_>) -> Option<Result<RouteTasksEventResponse>> {
    let urls = event.task_ctx.session_config().get_distributed_worker_resolver();
    let urls = match urls.and_then(|resolver| resolver.get_urls()) {
        Ok(urls) if !urls.is_empty() => urls,
        Ok(_) => return None,
        Err(error) => return Some(Err(error)),
    };
    let urls = urls.iter().cycle().take(event.task_count).cloned().collect();
    Some(Ok(RouteTasksEventResponse::new(urls)))
}
