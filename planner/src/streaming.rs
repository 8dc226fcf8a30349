//! Rows of standard input pass as they come: `tail -f app.log | gleam-sql -c "FROM stdin |> WHERE …"`.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;
use gleam_sql_executor::text::StdinExec;

/// A filter gathers the rows that it keeps until they make a batch of its size, but lets pass what
/// has more than half of it: with this size, everything.
const EVERY_BATCH: usize = 1;

/// The physical rule that keeps filters over standard input from gathering.
#[derive(Debug)]
pub(crate) struct PassStdin;

impl PhysicalOptimizerRule for PassStdin {
    fn name(&self) -> &str {
        "pass_stdin"
    }

    fn schema_check(&self) -> bool {
        true
    }

    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let rewritten = plan.transform_up(|plan| {
            let Some(filter) = plan.downcast_ref::<FilterExec>() else {
                return Ok(Transformed::no(plan));
            };
            if !reads_stdin(&plan)? {
                return Ok(Transformed::no(plan));
            }
            Ok(Transformed::yes(Arc::new(filter.with_batch_size(EVERY_BATCH)?)))
        });
        Ok(rewritten?.data)
    }
}

fn reads_stdin(plan: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    plan.exists(|part| Ok(part.downcast_ref::<StdinExec>().is_some()))
}
