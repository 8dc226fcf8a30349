//! How a PIPE shows itself in plans.

use std::fmt;

use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan};

use super::pipe_spec::PipeScope;
use super::{PipeExec, shown_order};
use crate::operator::{OnError, first_line};
use crate::options::OperatorTimeout;

impl DisplayAs for PipeExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spec = self.spec();
        let codes = spec.commands.iter().map(|command| format!("`{}`", first_line(&command.code)));
        let codes = codes.collect::<Vec<_>>().join(" | ");
        write!(f, "PipeExec: {codes}, using=[{}]", joined(&self.arguments().values))?;
        let arrangement = self.arrangement();
        match spec.scope {
            PipeScope::Split => {}
            PipeScope::Partitioned => {
                write!(f, ", partition_by=[{}]", joined(&arrangement.partition_by))?;
            }
            scope @ (PipeScope::Single | PipeScope::PerRow) => write!(f, ", {scope}")?,
        }
        if let Some(order) = &arrangement.order_by {
            write!(f, ", order_by=[{order}]")?;
        }
        let schema = self.schema();
        let columns = schema.fields().iter().map(|field| field.name().as_str());
        let columns = columns.collect::<Vec<_>>().join(", ");
        let format = match spec.scope {
            PipeScope::PerRow => spec.output_format,
            _ => spec.input_format,
        };
        write!(f, ", {format} -> ({columns})")?;
        if !spec.ok_exit.is_empty() {
            write!(f, ", OK EXIT ({})", joined(&spec.ok_exit))?;
        }
        if let Some(timeout) = spec.timeout {
            write!(f, ", TIMEOUT {}", OperatorTimeout(timeout))?;
        }
        if spec.on_error != OnError::Fail {
            write!(f, ", ON ERROR {}", spec.on_error)?;
        }
        f.write_str(shown_order(arrangement.in_order))?;
        let tasks = self.properties().partitioning.partition_count();
        match spec.scope {
            PipeScope::PerRow => write!(f, ", tasks={tasks}"),
            _ => write!(f, ", children={tasks}"),
        }
    }
}

fn joined<T: ToString>(values: &[T]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
