//! How much is told of an operator.

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::display::DisplayableExecutionPlan;
use datafusion::physical_plan::metrics::{MetricCategory, MetricType};

/// What stands beside each operator.
#[derive(Debug, Clone)]
pub(crate) struct Detail {
    pub(crate) metrics: MetricsShown,
    /// Of which kinds.
    pub(crate) types: Vec<MetricType>,
    /// Of which categories; all where none are named.
    pub(crate) categories: Option<Vec<MetricCategory>>,
}

/// Whose metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetricsShown {
    /// Nobody's: the plan has not run.
    None,
    /// Those of all tasks and partitions together.
    Summed,
    /// Those of each partition.
    Each,
}

impl Detail {
    /// Plans that have not run.
    pub(crate) fn plan_only() -> Self {
        Self { metrics: MetricsShown::None, types: Vec::new(), categories: None }
    }

    pub(crate) fn has_metrics(&self) -> bool {
        self.metrics != MetricsShown::None
    }

    /// `, metrics=[…]` as DataFusion writes it, or nothing.
    pub(super) fn metrics(&self, plan: &dyn ExecutionPlan) -> String {
        let measured = match self.metrics {
            MetricsShown::None => return String::new(),
            MetricsShown::Summed => DisplayableExecutionPlan::with_metrics(plan),
            MetricsShown::Each => DisplayableExecutionPlan::with_full_metrics(plan),
        };
        let measured = measured
            .set_metric_types(self.types.clone())
            .set_metric_categories(self.categories.clone());
        // DataFusion gives them only behind the operator.
        let line = measured.one_line().to_string();
        line.strip_prefix(&operator(plan)).unwrap_or_default().trim_end().to_owned()
    }
}

/// An operator, without metrics.
pub(super) fn operator(plan: &dyn ExecutionPlan) -> String {
    DisplayableExecutionPlan::new(plan).one_line().to_string().trim_end().to_owned()
}
