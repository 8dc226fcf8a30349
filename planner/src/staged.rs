//! Staged plans as text: the driver's part, then each stage from the last to the first.

mod detail;
mod exchange;
mod scan;
mod union;

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion_distributed::{DistributedExec, DistributedLeafExec, NetworkBoundaryExt, Stage};
use url::Url;

use crate::cluster::agent_name;
use crate::placement;
pub(crate) use detail::{Detail, MetricsShown};

/// `plan` as text, line by line; its tasks run on `agents`.
pub(crate) fn draw(plan: &DistributedExec, agents: &[Url], detail: &Detail) -> String {
    let mut drawing = Drawing { detail, lines: vec!["driver".to_owned()] };
    for child in plan.children() {
        drawing.operator(child, None, 1);
    }
    let mut stages = BTreeMap::new();
    collect_stages(plan, &mut stages);
    // A stage has a higher number than those that it reads.
    for stage in stages.into_values().rev() {
        drawing.stage(stage, agents);
    }
    drawing.lines.join("\n")
}

fn collect_stages<'a>(plan: &'a dyn ExecutionPlan, stages: &mut BTreeMap<usize, &'a Stage>) {
    for child in plan.children() {
        if let Some(boundary) = child.as_network_boundary() {
            let stage = boundary.input_stage();
            stages.insert(stage.num(), stage);
        }
        collect_stages(child.as_ref(), stages);
    }
}

struct Drawing<'a> {
    detail: &'a Detail,
    lines: Vec<String>,
}

impl Drawing<'_> {
    fn stage(&mut self, stage: &Stage, agents: &[Url]) {
        let Some(plan) = stage.local_plan() else { return };
        self.lines.push(title(stage, exchange::below_head(plan), agents));
        // What deals the rows out is told where they arrive; its metrics are told only here.
        let shown = if self.detail.has_metrics() { plan } else { exchange::below_head(plan) };
        self.operator(shown, None, 1);
    }

    fn operator(
        &mut self,
        plan: &Arc<dyn ExecutionPlan>,
        parent: Option<&Arc<dyn ExecutionPlan>>,
        depth: usize,
    ) {
        let plan_itself = plan.as_ref();
        if let Some(exchange) = exchange::describe(plan_itself, parent) {
            self.line(depth, &exchange, &self.detail.metrics(plan_itself));
            return;
        }
        if let Some(leaf) = plan.downcast_ref::<DistributedLeafExec>() {
            return self.leaf(plan_itself, leaf, depth);
        }
        let operator = detail::operator(plan_itself);
        let words = scan::describe(plan, &[]).or_else(|| union::describe(&operator));
        let text = words.unwrap_or(operator);
        self.line(depth, &text, &self.detail.metrics(plan_itself));
        for child in plan.children() {
            self.operator(child, Some(plan), depth + 1);
        }
    }

    /// What is read, by all tasks together and by each.
    fn leaf(&mut self, measured: &dyn ExecutionPlan, leaf: &DistributedLeafExec, depth: usize) {
        let (whole, tasks) = (leaf.original(), leaf.variants());
        let text = scan::describe(whole, tasks).unwrap_or_else(|| detail::operator(whole.as_ref()));
        self.line(depth, &text, &self.detail.metrics(measured));
        for (index, task) in tasks.iter().enumerate() {
            let Some(parts) = scan::parts(task) else { continue };
            self.line(depth + 1, &format!("{} of {}: {parts}", index + 1, tasks.len()), "");
        }
    }

    fn line(&mut self, depth: usize, text: &str, metrics: &str) {
        self.lines.push(format!("{}{text}{metrics}", "  ".repeat(depth)));
    }
}

fn title(stage: &Stage, plan: &Arc<dyn ExecutionPlan>, agents: &[Url]) -> String {
    let tasks = stage.task_count();
    let partitions = plan.output_partitioning().partition_count();
    let places: Vec<String> = placement::agents_of_tasks(agents, tasks).map(agent_name).collect();
    let places = match places.as_slice() {
        [first, second] if first == second => format!(", both on {first}"),
        several => format!(" on {}", several.join(", ")),
    };
    let (tasks, partitions) = (counted(tasks, "task"), counted(partitions, "partition"));
    format!("stage {}: {tasks} of {partitions}{places}", stage.num())
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
