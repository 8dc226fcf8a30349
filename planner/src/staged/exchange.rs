//! How rows go from one stage to the next, in words.

use std::sync::Arc;

use datafusion::physical_expr_common::physical_expr::fmt_sql;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};
use datafusion_distributed::{
    BroadcastExec, NetworkBoundaryExt, NetworkBroadcastExec, NetworkShuffleExec,
};

/// What an exchange below `parent` does; `None` for other operators.
pub(super) fn describe(
    plan: &dyn ExecutionPlan,
    parent: Option<&Arc<dyn ExecutionPlan>>,
) -> Option<String> {
    let stage = plan.as_network_boundary()?.input_stage();
    let number = stage.num();
    if plan.is::<NetworkShuffleExec>() {
        let keys = stage.local_plan().and_then(keys);
        let by = keys.map(|keys| format!(" by hash of ({keys})")).unwrap_or_default();
        return Some(format!("shuffle of stage {number}{by}"));
    }
    if plan.is::<NetworkBroadcastExec>() {
        return Some(format!("broadcast of stage {number}"));
    }
    let is_merge = parent.is_some_and(|parent| parent.is::<SortPreservingMergeExec>());
    Some(format!("{} of stage {number}", if is_merge { "ordered merge" } else { "gather" }))
}

/// The plan of a stage without the operator at its head that deals its rows out.
pub(super) fn below_head(plan: &Arc<dyn ExecutionPlan>) -> &Arc<dyn ExecutionPlan> {
    let deals = plan.is::<BroadcastExec>() || keys(plan).is_some();
    match plan.children().as_slice() {
        [child] if deals => child,
        _ => plan,
    }
}

fn keys(head: &Arc<dyn ExecutionPlan>) -> Option<String> {
    let Partitioning::Hash(keys, _) = head.downcast_ref::<RepartitionExec>()?.partitioning() else {
        return None;
    };
    let keys: Vec<String> = keys.iter().map(|key| fmt_sql(key.as_ref()).to_string()).collect();
    Some(keys.join(", "))
}
