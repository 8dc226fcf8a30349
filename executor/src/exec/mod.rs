//! The physical operators.

mod arguments;
mod feed;
mod lua_exec;
mod lua_task;
mod order;
mod pace;
mod pipe_exec;
mod pipe_task;

pub use arguments::OperatorArguments;
pub use lua_exec::LuaExec;
pub use order::InputOrder;
pub use pipe_exec::{PipeCommand, PipeExec};

use std::sync::Arc;

use datafusion::common::internal_err;
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};

fn only_child(mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
    match (children.pop(), children.is_empty()) {
        (Some(child), true) => Ok(child),
        _ => internal_err!("an operator has one input"),
    }
}

fn recompute() -> ReplaceChildrenOptions {
    ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute)
}
