//! What every operator counts, for EXPLAIN ANALYZE.

use std::collections::BTreeMap;

use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, Time};

/// The counts of one task.
#[derive(Debug, Clone)]
pub(super) struct OperatorMetrics {
    /// Children started.
    pub children: Count,
    /// Rows that went into the operator.
    pub input_rows: Count,
    /// Rows that came out of it.
    pub output_rows: Count,
    /// Bytes written to children.
    pub child_input_bytes: Count,
    /// Bytes read from children.
    pub child_output_bytes: Count,
    /// Processor time of the children, with what they started and waited for.
    pub child_time: Time,
    /// How long the task had nothing to do but wait for its child.
    pub waiting_for_child: Time,
    /// Rows with an error that ON ERROR let pass.
    pub rows_with_errors: Count,
    /// Where a count with a name of its own is kept.
    all: ExecutionPlanMetricsSet,
    partition: usize,
}

impl OperatorMetrics {
    /// The counts of task `partition`, in `metrics`.
    pub(super) fn new(metrics: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let counter = |name| MetricBuilder::new(metrics).counter(name, partition);
        let time = |name| MetricBuilder::new(metrics).subset_time(name, partition);
        Self {
            children: counter("children"),
            input_rows: counter("input_rows"),
            output_rows: MetricBuilder::new(metrics).output_rows(partition),
            child_input_bytes: counter("child_input_bytes"),
            child_output_bytes: counter("child_output_bytes"),
            child_time: time("child_time"),
            waiting_for_child: time("waiting_for_child"),
            rows_with_errors: counter("rows_with_errors"),
            all: metrics.clone(),
            partition,
        }
    }

    /// Counts what LuaJIT left to its interpreter, each under a name of its own.
    pub(super) fn interpreted(&self, counts: &BTreeMap<String, u64>) {
        for (reason, traces) in counts {
            let name = format!("lua_interprets({reason})");
            let counter = MetricBuilder::new(&self.all).counter(name, self.partition);
            counter.add(usize::try_from(*traces).unwrap_or(usize::MAX));
        }
    }

    /// The counts of one program of several, of which each counts its children and all of them together
    /// what goes in and what comes out.
    pub(super) fn of_link(all: &Self, is_first: bool, is_last: bool) -> Self {
        let either =
            |counts: bool, count: &Count| if counts { count.clone() } else { Count::new() };
        Self {
            input_rows: either(is_first, &all.input_rows),
            child_input_bytes: either(is_first, &all.child_input_bytes),
            output_rows: either(is_last, &all.output_rows),
            child_output_bytes: either(is_last, &all.child_output_bytes),
            ..all.clone()
        }
    }
}
