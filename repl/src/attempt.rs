//! The runs of a statement: one, and another where an agent was lost before the first row was seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::sink::DataSinkExec;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, future};
use gleam_sql_agent::address::agent_name;
use gleam_sql_executor::exec::PipeExec;
use gleam_sql_parser::Statement;
use gleam_sql_planner::{Planned, Session};

use crate::output::OutputError;
use crate::report::{self, Failure};
use crate::source::Script;

const RETRY_HINT: &str =
    "its programs may have had effects already; --retry runs such a query once more";

/// Who reads the rows of a query.
pub(crate) trait Reader {
    /// Runs the plan of `statement` to its end, or until enough rows were seen.
    fn execute(
        &mut self,
        planned: &Planned,
        statement: &Statement,
        shown: &Shown,
    ) -> impl Future<Output = Result<(), OutputError>> + Send;
}

/// Runs a statement; once more where an agent is lost before the first row was seen, and running
/// twice does no harm or `retries_effects`.
///
/// # Errors
/// When the statement cannot be planned, or fails.
pub(crate) async fn run(
    session: &mut Session,
    reader: &mut impl Reader,
    statement: &Statement,
    script: &Script,
    retries_effects: bool,
) -> Result<(), Failure> {
    let shown = Shown::default();
    let planned = plan(session, statement, script).await?;
    let Err(error) = reader.execute(&planned, statement, &shown).await else { return Ok(()) };
    let fails = |error| Err(Failure::running(error, statement, script));
    let Some(lost) = error.lost_agent().cloned() else { return fails(error) };
    if shown.any() || session.agents().len() < 2 {
        return fails(error);
    }
    if has_effects(&planned.plan) && !retries_effects {
        return Err(Failure::running(error, statement, script).with_hint(RETRY_HINT));
    }
    session.exclude_agent(|agent| agent_name(agent) == lost.agent);
    report::say(&format!("warning: {lost}\n  running the query again on the other agents\n"));
    let planned = plan(session, statement, script).await?;
    reader.execute(&planned, statement, &shown).await.or_else(fails)
}

async fn plan(
    session: &mut Session,
    statement: &Statement,
    script: &Script,
) -> Result<Planned, Failure> {
    let planned = session.plan(statement, &script.text).await;
    planned.map_err(|error| Failure::statement(&error, script))
}

/// Whether the reader of a query has seen any of its rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shown(Arc<AtomicBool>);

impl Shown {
    /// The rows of `stream`, which are seen as they pass. Batches without rows are left out, so that
    /// nothing is printed before there is a row.
    pub(crate) fn watch(&self, stream: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let schema = stream.schema();
        let seen = Arc::clone(&self.0);
        let rows = stream.filter(move |batch| {
            let passes = batch.as_ref().map_or(true, |batch| batch.num_rows() > 0);
            if passes && batch.is_ok() {
                seen.store(true, Ordering::Relaxed);
            }
            future::ready(passes)
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }

    /// Whether a row has passed.
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whether running `plan` twice may do more than running it once: a program may do anything, and a
/// sink may have written some of its rows. Lua functions have nothing that they could do it to.
fn has_effects(plan: &Arc<dyn ExecutionPlan>) -> bool {
    let mut found = false;
    let walked = plan.apply(|node| {
        found |= node.is::<PipeExec>() || node.is::<DataSinkExec>();
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    });
    // What cannot be looked at is not run twice.
    found || walked.is_err()
}
