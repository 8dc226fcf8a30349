//! The physical operators.

mod arguments;
mod feed;
mod fold_exec;
mod fold_task;
mod gap_step;
mod gapfill_exec;
mod gapfill_task;
mod grouping;
mod lua_exec;
mod lua_feed;
mod lua_reply;
mod lua_task;
mod metrics;
mod new_file;
mod pace;
mod parse_exec;
mod parse_spec;
mod parse_task;
mod pipe_chain;
mod pipe_display;
mod pipe_end;
mod pipe_exec;
mod pipe_feed;
mod pipe_output;
mod pipe_read;
mod pipe_row_child;
mod pipe_rows;
mod pipe_spec;
mod pipe_task;
mod reduce_exec;
mod row_errors;

pub use arguments::OperatorArguments;
pub use fold_exec::{FoldExec, FoldSource, FoldSpec};
pub use gap_step::{GapStep, NANOS_PER_DAY, nanos_per};
pub use gapfill_exec::{GapfillExec, GapfillSpec};
pub use lua_exec::LuaExec;
pub use new_file::NewFileExec;
pub use parse_exec::ParseExec;
pub use parse_spec::{ParseSource, ParseSpec};
pub use pipe_exec::{Arrangement, PipeExec};
pub use pipe_spec::{PipeCommand, PipeScope, PipeSpec};
pub use reduce_exec::{ReduceExec, ReducePhase};
pub use row_errors::{RowErrorSample, RowErrorSummary, SHOWN_ROW_ERRORS, row_errors};

use std::sync::Arc;

use datafusion::common::internal_err;
use datafusion::error::Result;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::{Distribution, ExecutionPlan, InputDistributionRequirements};

fn only_child(mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
    match (children.pop(), children.is_empty()) {
        (Some(child), true) => Ok(child),
        _ => internal_err!("an operator has one input"),
    }
}

fn recompute() -> ReplaceChildrenOptions {
    ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute)
}

/// An order is one over all rows, so it takes a single task: rows go through one child in their
/// order, and come out of it in the same.
fn distribution(in_order: bool) -> InputDistributionRequirements {
    InputDistributionRequirements::new(vec![if in_order {
        Distribution::SinglePartition
    } else {
        Distribution::UnspecifiedDistribution
    }])
}

fn shown_order(in_order: bool) -> &'static str {
    if in_order { ", in order" } else { "" }
}
