//! One task of a chain of Lua operators: a Lua child, its feeder, and the reading of its replies.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{RecordBatch, new_null_array};
use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use tokio::sync::mpsc::{Sender, channel};

use super::OperatorArguments;
use super::feed::{ChildInput, Feeder};
use super::grouping::Grouping;
use super::lua_reply::{Read, ReadError, ReplyReader};
use super::metrics::OperatorMetrics;
use super::pace::Pace;
use super::pipe_exec::OUTPUT_QUEUE_BATCHES;
use super::pipe_task::first_rows;
use super::row_errors::RowErrors;
use crate::child::{ChildCommand, ChildProcess, ChildStatus, Progress, lua_child_arguments};
use crate::error::{OperatorError, OperatorFault};
use crate::lua::LuaProgram;
use crate::operator::OperatorLabel;
use crate::options::GleamOptions;

/// Batches that may be on their way to a child, the one that it works on included: while it
/// computes one, the next is encoded.
const IN_FLIGHT_BATCHES: usize = 2;
/// How long a child may take to end once it has closed its output.
const EXIT_PATIENCE: Duration = Duration::from_secs(5);
/// Operators of a chain that an error of the whole chain names.
const SHOWN_LABELS: usize = 3;
/// What a child may use beside its functions' memory, and as much again as those for the batches.
const CHILD_OWN_BYTES: u64 = 1024 * 1024 * 1024;

/// What one task does; a copy a partition.
#[derive(Debug, Clone)]
pub(super) struct LuaTask {
    pub program: Arc<LuaProgram>,
    pub labels: Arc<[OperatorLabel]>,
    pub arguments: OperatorArguments,
    /// The input columns that the output has, where it has some.
    pub kept: Option<Arc<[usize]>>,
    /// How a REDUCE groups its rows.
    pub grouping: Option<Grouping>,
    pub schema: SchemaRef,
    pub options: GleamOptions,
    pub pool: Arc<dyn MemoryPool>,
    pub partition: usize,
    pub metrics: OperatorMetrics,
    pub row_errors: RowErrors,
}

/// Where the rows of a task go.
pub(super) type Output = Sender<Result<RecordBatch>>;

/// Starts the task over `input`, and gives its rows.
pub(super) fn start(task: LuaTask, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
    let schema = Arc::clone(&task.schema);
    let mut stream = RecordBatchReceiverStreamBuilder::new(schema, OUTPUT_QUEUE_BATCHES);
    let output = stream.tx();
    stream.spawn(run(task, input, output));
    stream.build()
}

/// Sends the rows of `input` through a child. A partition without rows starts none.
async fn run(task: LuaTask, mut input: SendableRecordBatchStream, output: Output) -> Result<()> {
    let Some(first) = first_rows(&mut input).await? else {
        return task.without_rows(&output).await;
    };
    let timeout = task.options.operator_timeout.0;
    let started = ChildProcess::start(task.command()).await;
    let (mut child, stdin, stdout) = started.map_err(|source| {
        task.error(OperatorFault::CannotStart { program: "gleam-sql".to_owned(), source })
    })?;
    task.metrics.children.add(1);
    let progress = Arc::new(Progress::default());
    let pace = Arc::new(Pace::default());
    let (sent, in_flight) = channel(IN_FLIGHT_BATCHES);
    let feeding = task.clone();
    let feeding_pace = Arc::clone(&pace);
    let mut feeder = Feeder::start(ChildInput::new(stdin, Arc::clone(&progress)), |child_input| {
        feeding.feed(first, input, child_input, sent, feeding_pace)
    });
    let mut reader = ReplyReader::new(&task, stdout, in_flight, &progress, &pace);
    let read = tokio::select! {
        biased;
        // The child must not take the failure of its input for the end of it.
        failure = feeder.failure() => return Err(failure),
        read = reader.read(&output) => read,
        () = progress.stalled(timeout) => {
            let fault = OperatorFault::Stalled { limit: timeout };
            return Err(reader.at_current_batch(task.error(fault)).into());
        }
    };
    match read {
        Ok(Read::DownstreamClosed) => return Ok(()),
        // The child told what is wrong; how it ends is of no interest.
        Err(ReadError::Told(error)) => {
            feeder.finish().await?;
            return Err(error);
        }
        Ok(Read::Ended) | Err(ReadError::Lost(_)) => {}
    }
    let exited = tokio::time::timeout(EXIT_PATIENCE, child.exited()).await;
    task.metrics.child_time.add_duration(child.cpu_time().unwrap_or_default());
    feeder.finish().await?;
    let status = match exited {
        Ok(status) => status.map_err(|error| task.error(error))?,
        Err(_) => return Err(task.error(OperatorFault::Stalled { limit: EXIT_PATIENCE }).into()),
    };
    match (read, status) {
        (Ok(_), ChildStatus::Exited(0)) => Ok(()),
        (Err(ReadError::Lost(error)), ChildStatus::Exited(0)) => Err(task.error(error).into()),
        _ => {
            let stderr = child.last_words().await;
            let error = task.error(OperatorFault::ChildEnded { status });
            Err(reader.at_current_batch(OperatorError { stderr, ..error }).into())
        }
    }
}

impl LuaTask {
    /// The answer to nothing: a fold of all rows has one group even so, whose values are NULL.
    pub(super) async fn without_rows(&self, output: &Output) -> Result<()> {
        if self.is_one_group() {
            let nulls = self.schema.fields().iter();
            let nulls = nulls.map(|field| new_null_array(field.data_type(), 1)).collect();
            let row = RecordBatch::try_new(Arc::clone(&self.schema), nulls)?;
            // Nobody listens when the query has ended meanwhile.
            let _ = output.send(Ok(row)).await;
        }
        Ok(())
    }

    /// Whether it folds all rows to one.
    fn is_one_group(&self) -> bool {
        let is_whole = |grouping: &Grouping| grouping.keys.is_empty() && !grouping.is_partial;
        self.grouping.as_ref().is_some_and(is_whole)
    }

    /// Limit on the memory of the functions.
    pub(super) fn memory_bytes(&self) -> usize {
        const MIB: usize = 1024 * 1024;
        self.options.lua_memory_mib.saturating_mul(MIB)
    }

    fn command(&self) -> ChildCommand {
        ChildCommand {
            // The running program itself, even when its file has been replaced meanwhile.
            program: "/proc/self/exe".into(),
            name: "gleam-sql".to_owned(),
            arguments: lua_child_arguments(),
            address_space_bytes: Some(
                (self.memory_bytes() as u64).saturating_mul(2).saturating_add(CHILD_OWN_BYTES),
            ),
            inherited: None,
        }
    }

    /// An error of the chain as a whole.
    pub(super) fn error(&self, fault: impl Into<OperatorFault>) -> OperatorError {
        let mut error = OperatorError::new(&self.labels[0], fault);
        let shown = self.labels.iter().take(SHOWN_LABELS).map(|label| label.keyword.as_str());
        let mut keywords: Vec<&str> = shown.collect();
        if self.labels.len() > SHOWN_LABELS {
            keywords.push("…");
        }
        error.label.keyword = keywords.join(" | ");
        error
    }
}
