//! Limits on what a join collects.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::limit::GlobalLimitExec;

/// Puts a limit on the collected side of a join above where its partitions meet.
/// datafusion-distributed sends a join's tasks all rows of these partitions, and lets each of them
/// take the first few: other ones each. What stands above them is done once, for all tasks.
#[derive(Debug)]
pub(crate) struct LimitBuildSides;

impl PhysicalOptimizerRule for LimitBuildSides {
    fn name(&self) -> &'static str {
        "limit_build_sides"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rewritten = plan.transform_up(|plan| {
            let Some(limited) = limited_build_side(&plan) else { return Ok(Transformed::no(plan)) };
            let mut children: Vec<_> = plan.children().into_iter().map(Arc::clone).collect();
            if let Some(build) = children.first_mut() {
                *build = limited;
            }
            let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
            plan.replace_children(children, options).map(Transformed::yes)
        });
        Ok(rewritten?.data)
    }
}

fn limited_build_side(join: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    let collects =
        join.is::<HashJoinExec>() || join.is::<NestedLoopJoinExec>() || join.is::<CrossJoinExec>();
    let build = *join.children().first()?;
    let limit = build.downcast_ref::<CoalescePartitionsExec>()?.fetch()?;
    collects.then(|| Arc::new(GlobalLimitExec::new(Arc::clone(build), 0, Some(limit))) as _)
}
