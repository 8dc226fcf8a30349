//! The rows that ON ERROR let pass: how many of how many, and the first few of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{Count, Label, Metric, MetricValue, MetricsSet};

use super::{FoldExec, LuaExec, ParseExec, PipeExec, ReduceExec};
use crate::operator::{OnError, OperatorLabel, RowOrigin};

/// How many of the rows are kept to be shown.
pub const SHOWN_ROW_ERRORS: usize = 3;

/// What ON ERROR did in one operator, over all of its tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowErrorSummary {
    /// The operator.
    pub label: OperatorLabel,
    /// What it does with such rows.
    pub on_error: OnError,
    /// The rows that it looked at.
    pub rows: u64,
    /// Those with an error.
    pub errors: u64,
    /// The first few of them, in the order of files and lines where these are known, and else in that
    /// of the tasks; at most [`SHOWN_ROW_ERRORS`].
    pub samples: Vec<RowErrorSample>,
}

/// One row with an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowErrorSample {
    /// The task that saw it.
    pub partition: usize,
    /// Where the row came from, where that is known.
    pub origin: Option<RowOrigin>,
    /// What is wrong with it, in one line.
    pub reason: String,
}

/// The summaries of the operators of one node of a plan, shared by its tasks.
#[derive(Debug, Clone)]
pub(super) struct RowErrors(Arc<Mutex<Vec<RowErrorSummary>>>);

impl RowErrors {
    /// Nothing yet, for each operator in order.
    pub(super) fn new<'a>(
        operators: impl IntoIterator<Item = (&'a OperatorLabel, OnError)>,
    ) -> Self {
        let empty = |(label, on_error): (&OperatorLabel, OnError)| RowErrorSummary {
            label: label.clone(),
            on_error,
            rows: 0,
            errors: 0,
            samples: Vec::new(),
        };
        Self(Arc::new(Mutex::new(operators.into_iter().map(empty).collect())))
    }

    /// Operator `index` looked at `rows` more, of which `errors` had an error.
    pub(super) fn count(&self, index: usize, rows: u64, errors: u64) {
        if let Some(summary) = self.lock().get_mut(index) {
            summary.rows += rows;
            summary.errors += errors;
        }
    }

    /// Whether a row of task `partition` may be among the first.
    pub(super) fn wants(&self, index: usize, partition: usize) -> bool {
        self.lock().get(index).is_some_and(|summary| {
            let own = summary.samples.iter().filter(|sample| sample.partition == partition);
            own.count() < SHOWN_ROW_ERRORS
        })
    }

    /// How many more rows of task `partition` may be among the first.
    pub(super) fn wanted(&self, index: usize, partition: usize) -> usize {
        self.lock().get(index).map_or(0, |summary| {
            let own = summary.samples.iter().filter(|sample| sample.partition == partition);
            SHOWN_ROW_ERRORS.saturating_sub(own.count())
        })
    }

    /// Keeps a row that is wanted.
    pub(super) fn sample(&self, index: usize, sample: RowErrorSample) {
        if let Some(summary) = self.lock().get_mut(index) {
            summary.samples.push(sample);
        }
    }

    /// `metrics` and these counts: metrics are what comes back from agents.
    pub(super) fn with_metrics(&self, mut metrics: MetricsSet) -> MetricsSet {
        for (step, summary) in self.lock().iter().enumerate() {
            if summary.on_error != OnError::Fail && summary.rows > 0 {
                metrics_of(step, summary).for_each(|metric| metrics.push(Arc::new(metric)));
            }
        }
        metrics
    }

    /// The summaries of the operators that let rows pass, from the metrics of all their tasks.
    fn summaries(&self, metrics: &MetricsSet) -> Vec<RowErrorSummary> {
        let mut summaries = self.lock().clone();
        for (step, summary) in summaries.iter_mut().enumerate() {
            (summary.rows, summary.errors, summary.samples) = (0, 0, Vec::new());
            let of_step = metrics.iter().filter(|metric| step_of(metric) == Some(step));
            of_step.for_each(|metric| add(summary, metric));
            // Stable: within a task they stay in the order of its rows.
            summary.samples.sort_by(|left, right| place(left).cmp(&place(right)));
            summary.samples.truncate(SHOWN_ROW_ERRORS);
        }
        summaries.retain(|summary| summary.errors > 0);
        summaries
    }

    fn lock(&self) -> MutexGuard<'_, Vec<RowErrorSummary>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const CHECKED: &str = "rows_checked";
const PASSED: &str = "row_errors_passed";
const SAMPLE: &str = "row_errors_shown";
const STEP: &str = "step";
const FILE: &str = "file";
const LINE: &str = "line";
const LAST_LINE: &str = "last_line";
const REASON: &str = "reason";
/// A reason may quote a value of any length.
const MAX_REASON_BYTES: usize = 4 * 1024;

fn metrics_of(step: usize, summary: &RowErrorSummary) -> impl Iterator<Item = Metric> + '_ {
    let of_step = move || vec![Label::new(STEP, step.to_string())];
    let counts = [(CHECKED, summary.rows), (PASSED, summary.errors)];
    let counts = counts.into_iter().filter(|(_, number)| *number > 0);
    let counts = counts.map(move |(name, number)| count(name, number, None, of_step()));
    let samples = summary.samples.iter().map(move |sample| {
        let mut labels = of_step();
        if let Some(origin) = &sample.origin {
            labels.push(Label::new(FILE, origin.file.clone()));
            let lines = [(LINE, origin.line_number), (LAST_LINE, origin.last_line_number)];
            let lines = lines.into_iter().filter_map(|(name, line)| Some((name, line?)));
            labels.extend(lines.map(|(name, line)| Label::new(name, line.to_string())));
        }
        labels.push(Label::new(REASON, shortened(&sample.reason)));
        count(SAMPLE, 1, Some(sample.partition), labels)
    });
    counts.chain(samples)
}

fn count(name: &'static str, number: u64, partition: Option<usize>, labels: Vec<Label>) -> Metric {
    let count = Count::new();
    count.add(usize::try_from(number).unwrap_or(usize::MAX));
    Metric::new_with_labels(MetricValue::Count { name: name.into(), count }, partition, labels)
}

fn shortened(reason: &str) -> String {
    match reason.char_indices().find(|(at, _)| *at >= MAX_REASON_BYTES) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason.to_owned(),
    }
}

fn step_of(metric: &Metric) -> Option<usize> {
    label(metric, STEP)?.parse().ok()
}

fn label<'a>(metric: &'a Metric, name: &str) -> Option<&'a str> {
    metric.labels().iter().find(|label| label.name() == name).map(Label::value)
}

/// Adds what one metric of one task tells of the operator.
fn add(summary: &mut RowErrorSummary, metric: &Metric) {
    let MetricValue::Count { name, count } = metric.value() else { return };
    match name.as_ref() {
        CHECKED => summary.rows += count.value() as u64,
        PASSED => summary.errors += count.value() as u64,
        SAMPLE => {
            let line = |name| label(metric, name).and_then(|line| line.parse().ok());
            let origin = label(metric, FILE).map(|file| RowOrigin {
                file: file.to_owned(),
                line_number: line(LINE),
                last_line_number: line(LAST_LINE),
            });
            let reason = label(metric, REASON).unwrap_or_default().to_owned();
            let partition = metric.partition().unwrap_or_default();
            summary.samples.push(RowErrorSample { partition, origin, reason });
        }
        _ => {}
    }
}

/// What tells which of two rows is the first. Any task may have taken any part of a file.
fn place(sample: &RowErrorSample) -> (Option<(&str, Option<u64>)>, usize) {
    let origin = sample.origin.as_ref();
    match origin.map(|origin| (origin.file.as_str(), origin.line_number)) {
        Some(line) => (Some(line), 0),
        None => (None, sample.partition),
    }
}

/// What ON ERROR did in the operators of `plan`, in the order in which rows pass them. To be called
/// when the plan has run; of a plan that ran on agents, with the metrics that came back from them.
pub fn row_errors(plan: &Arc<dyn ExecutionPlan>) -> Vec<RowErrorSummary> {
    let mut summaries: Vec<RowErrorSummary> =
        plan.children().into_iter().flat_map(row_errors).collect();
    let of_node = if let Some(lua) = plan.downcast_ref::<LuaExec>() {
        Some(lua.row_errors())
    } else if let Some(pipe) = plan.downcast_ref::<PipeExec>() {
        Some(pipe.row_errors())
    } else if let Some(parse) = plan.downcast_ref::<ParseExec>() {
        Some(parse.row_errors())
    } else if let Some(fold) = plan.downcast_ref::<FoldExec>() {
        Some(fold.row_errors())
    } else {
        plan.downcast_ref::<ReduceExec>().map(ReduceExec::row_errors)
    };
    if let (Some(of_node), Some(metrics)) = (of_node, plan.metrics()) {
        summaries.extend(of_node.summaries(&metrics));
    }
    summaries
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::Place;

    #[test]
    fn keeps_the_first_rows_of_the_first_tasks() {
        let label = OperatorLabel { keyword: "PIPE".to_owned(), place: Place::default() };
        let errors = RowErrors::new([(&label, OnError::Skip)]);
        let sample = |partition, reason: &str| {
            assert!(errors.wants(0, partition));
            let reason = reason.to_owned();
            errors.sample(0, RowErrorSample { partition, origin: None, reason });
        };
        sample(1, "c");
        sample(1, "d");
        sample(1, "e");
        assert!(!errors.wants(0, 1));
        sample(0, "a");
        sample(0, "b");
        errors.count(0, 10, 5);
        errors.count(0, 7, 0);
        let metrics = errors.with_metrics(MetricsSet::new());
        let [summary] = &errors.summaries(&metrics)[..] else { panic!("one operator") };
        assert_eq!((summary.rows, summary.errors), (17, 5));
        let reasons: Vec<&str> = summary.samples.iter().map(|s| s.reason.as_str()).collect();
        assert_eq!(reasons, ["a", "b", "c"]);
        let errors = RowErrors::new([(&label, OnError::Skip)]);
        errors.count(0, 3, 3);
        for (partition, line) in [(0, 30), (0, 40), (1, 10), (2, 20)] {
            let origin =
                RowOrigin { file: "x".into(), line_number: Some(line), last_line_number: None };
            let reason = line.to_string();
            errors.sample(0, RowErrorSample { partition, origin: Some(origin), reason });
        }
        let summaries = errors.summaries(&errors.with_metrics(MetricsSet::new()));
        let reasons: Vec<&str> = summaries[0].samples.iter().map(|s| s.reason.as_str()).collect();
        assert_eq!(reasons, ["10", "20", "30"]);
    }
}
