//! Several programs without a shell to connect them: each has a child of its own, and lines go from
//! one to the next.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::stream::{
    RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter,
};
use futures::{StreamExt, stream};

use super::OperatorArguments;
use super::metrics::OperatorMetrics;
use super::pipe_exec::OUTPUT_QUEUE_BATCHES;
use super::pipe_spec::{PipeScope, PipeSpec};
use super::pipe_task::{self, Output, PipeTask, first_rows};
use super::row_errors::RowErrors;
use crate::operator::OnError;
use crate::wire::WireFormat;

/// Does what `task` does with a shell: if there are rows, all programs are started, even those that
/// get none of them. `programs` has the words of each.
pub(super) async fn run(
    task: PipeTask,
    programs: Vec<Vec<String>>,
    mut input: SendableRecordBatchStream,
    output: Output,
) -> Result<()> {
    let first = first_rows(&mut input).await?;
    if first.is_none() && task.spec.scope != PipeScope::Single {
        return Ok(());
    }
    let mut lines = with_first(first, input);
    let last = programs.len() - 1;
    for (position, words) in programs.into_iter().enumerate() {
        let link = link(&task, position, words);
        if position == last {
            return pipe_task::run(link, lines, output).await;
        }
        let schema = Arc::clone(&link.schema);
        let mut stream = RecordBatchReceiverStreamBuilder::new(schema, OUTPUT_QUEUE_BATCHES);
        let between = stream.tx();
        stream.spawn(pipe_task::run(link, lines, between));
        lines = stream.build();
    }
    Ok(())
}

fn with_first(
    first: Option<RecordBatch>,
    rest: SendableRecordBatchStream,
) -> SendableRecordBatchStream {
    let schema = rest.schema();
    let all = stream::iter(first.map(Ok)).chain(rest);
    Box::pin(RecordBatchStreamAdapter::new(schema, all))
}

/// The part of `task` that is its program at `position`.
fn link(task: &PipeTask, position: usize, words: Vec<String>) -> PipeTask {
    let is_first = position == 0;
    let is_last = position + 1 == task.spec.commands.len();
    let command = task.spec.commands[position].clone();
    let on_error = if is_last { task.spec.on_error } else { OnError::Fail };
    let row_errors = match is_last {
        true => task.row_errors.clone(),
        false => RowErrors::new([(&command.label, on_error)]),
    };
    let spec = PipeSpec {
        commands: vec![command],
        input_format: if is_first { task.spec.input_format } else { WireFormat::Raw },
        output_format: if is_last { task.spec.output_format } else { WireFormat::Raw },
        scope: PipeScope::Single,
        on_error,
        ..task.spec.as_ref().clone()
    };
    PipeTask {
        spec: Arc::new(spec),
        words: Some(words),
        arguments: if is_first { task.arguments.clone() } else { the_line() },
        schema: if is_last { Arc::clone(&task.schema) } else { line_schema() },
        row_errors,
        metrics: OperatorMetrics::of_link(&task.metrics, is_first, is_last),
        ..task.clone()
    }
}

fn line_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("line", DataType::Utf8View, true)]))
}

fn the_line() -> OperatorArguments {
    OperatorArguments { values: vec![Arc::new(Column::new("line", 0))], origin: None }
}
