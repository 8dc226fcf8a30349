//! One task of a `FOLD`.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringViewArray, StringViewBuilder,
};
use arrow::compute::{cast, interleave};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;
use futures::{StreamExt, TryStreamExt};
use regex::Regex;

use super::row_errors::{RowErrorSample, RowErrors};
use super::{FoldExec, FoldSource, FoldSpec, OperatorArguments};

/// What one task does with its batches.
pub(super) struct FoldTask {
    spec: Arc<FoldSpec>,
    start: Regex,
    arguments: OperatorArguments,
    sources: Arc<[FoldSource]>,
    schema: SchemaRef,
    partition: usize,
    row_errors: RowErrors,
    input_rows: Count,
    output_rows: Count,
    /// The event whose end has not been seen.
    open: Option<Event>,
}

/// An event that lines are added to.
struct Event {
    /// The row of its first line, a batch of one row where that came before the batch at hand.
    first: First,
    file: Option<String>,
    text: String,
    lines: u64,
}

enum First {
    Carried(RecordBatch),
    Row(usize),
}

/// The events that have ended in one batch: where their first rows are, and their lines.
#[derive(Default)]
struct Ended {
    /// The batch of the first row, and the row in it; at most one stands in an earlier batch.
    rows: Vec<(usize, usize)>,
    carried: Option<RecordBatch>,
    texts: StringViewBuilder,
}

const CARRIED: usize = 0;
const AT_HAND: usize = 1;

impl FoldTask {
    pub(super) fn new(
        exec: &FoldExec,
        partition: usize,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Self {
        Self {
            spec: Arc::clone(exec.spec()),
            start: exec.start().clone(),
            arguments: exec.arguments().clone(),
            sources: Arc::clone(exec.sources()),
            schema: exec.schema(),
            partition,
            row_errors: exec.row_errors().clone(),
            input_rows: MetricBuilder::new(metrics).counter("input_rows", partition),
            output_rows: MetricBuilder::new(metrics).output_rows(partition),
            open: None,
        }
    }

    /// The events of the rows of `input`.
    pub(super) fn run(mut self, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        // Behind the last batch stands one more, in which the last event ends.
        let batches = input.map_ok(Some).chain(stream::iter([Ok(None)]));
        let events = batches.map(move |batch| match batch? {
            Some(batch) => self.batch(&batch),
            None => self.end(),
        });
        let events = events.try_filter(|batch| futures::future::ready(batch.num_rows() > 0));
        Box::pin(RecordBatchStreamAdapter::new(schema, events))
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        self.input_rows.add(batch.num_rows());
        let lines = text(self.arguments.evaluate(batch)?.swap_remove(0))?;
        let files = match &self.arguments.origin {
            Some([file, _]) => Some(text(file.evaluate(batch)?.into_array(batch.num_rows())?)?),
            None => None,
        };
        let mut ended = Ended::default();
        for row in 0..batch.num_rows() {
            let file = files.as_ref().map(|files| files.value(row));
            let line = if lines.is_valid(row) { lines.value(row) } else { "" };
            if self.is_first(line, file, row, batch)? {
                if let Some(event) = self.open.take() {
                    ended.add(event);
                }
                self.open = Some(Event::begin(row, line, file));
            } else if let Some(event) = &mut self.open {
                event.text.push('\n');
                event.text.push_str(line);
                event.lines += 1;
            }
        }
        let events = self.rows(ended, batch)?;
        if let Some(event) = &mut self.open {
            event.carry(batch)?;
        }
        Ok(events)
    }

    fn end(&mut self) -> Result<RecordBatch> {
        let mut ended = Ended::default();
        if let Some(event) = self.open.take() {
            ended.add(event);
        }
        let nothing = ended.carried.clone();
        match nothing {
            Some(carried) => self.rows(ended, &carried),
            None => Ok(RecordBatch::new_empty(Arc::clone(&self.schema))),
        }
    }

    /// Whether another event begins with this line.
    fn is_first(
        &self,
        line: &str,
        file: Option<&str>,
        row: usize,
        batch: &RecordBatch,
    ) -> Result<bool> {
        let Some(event) = &self.open else { return Ok(true) };
        if event.file.as_deref() != file || self.start.is_match(line) {
            return Ok(true);
        }
        if event.lines < self.spec.max_lines {
            return Ok(false);
        }
        self.tell_split(row, batch)?;
        Ok(true)
    }

    fn tell_split(&self, row: usize, batch: &RecordBatch) -> Result<()> {
        self.row_errors.count(0, 0, 1);
        if !self.row_errors.wants(0, self.partition) {
            return Ok(());
        }
        let origin = self.arguments.origins(batch)?.and_then(|origins| origins.of(row));
        let reason = format!("the event went on for more than {} lines", self.spec.max_lines);
        let partition = self.partition;
        self.row_errors.sample(0, RowErrorSample { partition, origin, reason });
        Ok(())
    }

    fn rows(&self, mut ended: Ended, batch: &RecordBatch) -> Result<RecordBatch> {
        let carried = ended.carried.as_ref().unwrap_or(batch);
        let texts: ArrayRef = Arc::new(ended.texts.finish());
        let column = |source: &FoldSource| match source {
            FoldSource::Lines => Ok(Arc::clone(&texts)),
            FoldSource::Input(index) => {
                let columns = [carried.column(*index).as_ref(), batch.column(*index).as_ref()];
                interleave(&columns, &ended.rows)
            }
        };
        let columns = self.sources.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let rows = ended.rows.len();
        self.row_errors.count(0, rows as u64, 0);
        self.output_rows.add(rows);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

impl Event {
    fn begin(row: usize, line: &str, file: Option<&str>) -> Self {
        let file = file.map(str::to_owned);
        Self { first: First::Row(row), file, text: line.to_owned(), lines: 1 }
    }

    /// Keeps the first row when its batch goes, and nothing else of that.
    fn carry(&mut self, batch: &RecordBatch) -> Result<()> {
        if let First::Row(row) = self.first {
            let columns = batch.columns().iter();
            let columns = columns.map(|column| interleave(&[column.as_ref()], &[(0, row)]));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            let options = RecordBatchOptions::new().with_row_count(Some(1));
            let row = RecordBatch::try_new_with_options(batch.schema(), columns, &options)?;
            self.first = First::Carried(row);
        }
        Ok(())
    }
}

impl Ended {
    fn add(&mut self, event: Event) {
        match event.first {
            First::Row(row) => self.rows.push((AT_HAND, row)),
            First::Carried(row) => {
                self.rows.push((CARRIED, 0));
                self.carried = Some(row);
            }
        }
        self.texts.append_value(event.text);
    }
}

fn text(values: ArrayRef) -> Result<StringViewArray> {
    let values = match values.data_type() {
        DataType::Utf8View => values,
        _ => cast(&values, &DataType::Utf8View)?,
    };
    Ok(values.as_string_view().clone())
}
