//! The rows that ON ERROR let pass: how many of how many, and the first few of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::physical_plan::ExecutionPlan;

use super::{LuaExec, PipeExec, ReduceExec};
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

    /// Keeps a row that is wanted.
    pub(super) fn sample(&self, index: usize, sample: RowErrorSample) {
        if let Some(summary) = self.lock().get_mut(index) {
            summary.samples.push(sample);
        }
    }

    fn summaries(&self) -> Vec<RowErrorSummary> {
        let mut summaries: Vec<RowErrorSummary> =
            self.lock().iter().filter(|summary| summary.errors > 0).cloned().collect();
        for summary in &mut summaries {
            // Stable: within a task they stay in the order of its rows.
            summary.samples.sort_by(|left, right| place(left).cmp(&place(right)));
            summary.samples.truncate(SHOWN_ROW_ERRORS);
        }
        summaries
    }

    fn lock(&self) -> MutexGuard<'_, Vec<RowErrorSummary>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
/// when the plan has run.
pub fn row_errors(plan: &Arc<dyn ExecutionPlan>) -> Vec<RowErrorSummary> {
    let mut summaries: Vec<RowErrorSummary> =
        plan.children().into_iter().flat_map(row_errors).collect();
    if let Some(lua) = plan.downcast_ref::<LuaExec>() {
        summaries.extend(lua.row_errors().summaries());
    } else if let Some(pipe) = plan.downcast_ref::<PipeExec>() {
        summaries.extend(pipe.row_errors().summaries());
    } else if let Some(reduce) = plan.downcast_ref::<ReduceExec>() {
        summaries.extend(reduce.row_errors().summaries());
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
        let [summary] = &errors.summaries()[..] else { panic!("one operator") };
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
        let summaries = errors.summaries();
        let reasons: Vec<&str> = summaries[0].samples.iter().map(|s| s.reason.as_str()).collect();
        assert_eq!(reasons, ["10", "20", "30"]);
    }
}
