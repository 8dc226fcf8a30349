//! One task of a `PARSE`.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, StringViewArray,
};
use arrow::buffer::{BooleanBuffer, MutableBuffer};
use arrow::compute::{and, cast, filter, prep_null_mask_filter};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::util::bit_util;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder, Time};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use gleam_sql_formats::{Failures, LineParser};

use super::arguments::RowOrigins;
use super::row_errors::{RowErrorSample, RowErrors};
use super::{OperatorArguments, ParseExec, ParseSource, ParseSpec};
use crate::error::{OperatorError, OperatorFault};
use crate::operator::OnError;

/// While a predicate keeps fewer rows than one in so many, the other columns are made of what it
/// keeps, for which lines are looked at a second time.
const LATE_FRACTION: usize = 4;
/// How much of a line a message shows where the line's place is not known.
const SHOWN_CHARS: usize = 80;

/// What one task does with its batches.
pub(super) struct ParseTask {
    spec: Arc<ParseSpec>,
    parser: Arc<LineParser>,
    arguments: OperatorArguments,
    output: Columns,
    /// What the predicate looks at, with the output columns where these are made at once.
    filter: Option<Filter>,
    partition: usize,
    row_errors: RowErrors,
    metrics: ParseMetrics,
    /// Whether the last batch kept few rows.
    is_selective: bool,
}

/// Columns to make, of input columns and fields.
#[derive(Debug, Clone)]
struct Columns {
    sources: Vec<ParseSource>,
    schema: SchemaRef,
}

/// A predicate over columns of its own.
struct Filter {
    columns: Columns,
    predicate: Arc<dyn PhysicalExpr>,
}

struct ParseMetrics {
    input_rows: Count,
    output_rows: Count,
    unmatched: Count,
    time: Time,
}

/// The fields that are made of a batch, by their index in the format.
type Fields = Vec<(usize, ArrayRef)>;

impl ParseTask {
    pub(super) fn try_new(
        exec: &ParseExec,
        partition: usize,
        metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Self> {
        let sources =
            |columns: &[usize]| -> Vec<_> { columns.iter().map(|c| exec.sources()[*c]).collect() };
        let output = Columns { sources: sources(exec.columns()), schema: exec.schema() };
        let filter = exec.predicate().map(|predicate| {
            let used = collect_columns(predicate);
            let mut used: Vec<usize> = used.iter().map(|column| column.index()).collect();
            used.sort_unstable();
            used.dedup();
            Filter::try_new(predicate, &used, sources(&used), exec.all_columns())
        });
        Ok(Self {
            spec: Arc::clone(exec.spec()),
            parser: Arc::clone(exec.parser()),
            arguments: exec.arguments().clone(),
            output,
            filter: filter.transpose()?,
            partition,
            row_errors: exec.row_errors().clone(),
            metrics: ParseMetrics::new(metrics, partition),
            is_selective: true,
        })
    }

    /// The rows of `input` with their fields.
    pub(super) fn run(mut self, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.output.schema);
        let rows = input.filter_map(move |batch| {
            let parsed = batch.and_then(|batch| self.batch(&batch)).transpose();
            futures::future::ready(parsed)
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }

    /// The rows of a batch with their fields; none where none is left.
    fn batch(&mut self, batch: &RecordBatch) -> Result<Option<RecordBatch>> {
        let time = self.metrics.time.clone();
        let _timer = time.timer();
        self.metrics.input_rows.add(batch.num_rows());
        let lines = self.lines(batch)?;
        let wanted = self.first_fields();
        let (fields, failures) = self.parse(&lines, &wanted)?;
        self.tell(&failures, &lines, batch)?;
        let keep = self.keep(batch, &fields, &failures)?;
        let rows = match keep {
            None => self.output.batch(batch, &fields)?,
            Some(keep) => {
                let kept = keep.true_count();
                self.is_selective = kept < batch.num_rows() / LATE_FRACTION;
                if kept == 0 {
                    return Ok(None);
                }
                self.kept(batch, &lines, fields, &keep)?
            }
        };
        self.metrics.output_rows.add(rows.num_rows());
        Ok(Some(rows))
    }

    fn lines(&self, batch: &RecordBatch) -> Result<StringViewArray> {
        let mut lines = self.arguments.evaluate(batch)?.swap_remove(0);
        if *lines.data_type() != DataType::Utf8View {
            lines = cast(&lines, &DataType::Utf8View)?;
        }
        Ok(lines.as_string_view().clone())
    }

    /// The fields that are made of all lines: those of the predicate, and those of the output
    /// unless few rows get as far.
    fn first_fields(&self) -> Vec<usize> {
        match &self.filter {
            Some(filter) if self.is_selective => fields_of(&[&filter.columns]),
            Some(filter) => fields_of(&[&filter.columns, &self.output]),
            None => fields_of(&[&self.output]),
        }
    }

    fn parse(&self, lines: &StringViewArray, wanted: &[usize]) -> Result<(Fields, Failures)> {
        let reasons = if self.spec.on_error == OnError::Fail {
            1
        } else {
            self.row_errors.wanted(0, self.partition)
        };
        let parsed = self.parser.parse(lines, wanted, reasons)?;
        Ok((wanted.iter().copied().zip(parsed.columns).collect(), parsed.failures))
    }

    /// Counts the lines that did not match, and keeps the first of them.
    fn tell(
        &self,
        failures: &Failures,
        lines: &StringViewArray,
        batch: &RecordBatch,
    ) -> Result<()> {
        self.row_errors.count(0, batch.num_rows() as u64, failures.rows.len() as u64);
        self.metrics.unmatched.add(failures.rows.len());
        let told = failures.rows.iter().zip(&failures.reasons);
        if told.len() == 0 {
            return Ok(());
        }
        let origins = self.arguments.origins(batch)?;
        for (row, reason) in told {
            let origin = origins.as_ref().and_then(|origins: &RowOrigins| origins.of(*row));
            let mut reason = reason.clone();
            if origin.is_none() {
                reason.push_str(&format!(", in `{}`", shown(lines.value(*row))));
            }
            if self.spec.on_error == OnError::Fail {
                let fault = OperatorFault::Unmatched { reason };
                let error = OperatorError::new(&self.spec.label, fault);
                return Err(OperatorError { origin, ..error }.into());
            }
            self.row_errors.sample(0, RowErrorSample { partition: self.partition, origin, reason });
        }
        Ok(())
    }

    /// Which rows stay; none where all do.
    fn keep(
        &self,
        batch: &RecordBatch,
        fields: &Fields,
        failures: &Failures,
    ) -> Result<Option<BooleanArray>> {
        let matched = (self.spec.on_error == OnError::Skip && !failures.rows.is_empty())
            .then(|| all_but(&failures.rows, batch.num_rows()));
        let passed = match &self.filter {
            Some(filter) => Some(filter.evaluate(batch, fields)?),
            None => None,
        };
        Ok(match (matched, passed) {
            (Some(matched), Some(passed)) => Some(and(&matched, &passed)?),
            (matched, passed) => matched.or(passed),
        })
    }

    /// The output of the rows that stay, with the fields that are still missing.
    fn kept(
        &self,
        batch: &RecordBatch,
        lines: &StringViewArray,
        fields: Fields,
        keep: &BooleanArray,
    ) -> Result<RecordBatch> {
        let wanted = fields_of(&[&self.output]);
        let is_made = |field: &usize| fields.iter().any(|(made, _)| made == field);
        let missing: Vec<usize> = wanted.iter().copied().filter(|f| !is_made(f)).collect();
        let mut kept = Vec::with_capacity(wanted.len());
        for (field, values) in &fields {
            if wanted.contains(field) {
                kept.push((*field, compact(filter(values, keep)?)));
            }
        }
        if !missing.is_empty() {
            let lines = filter(lines, keep)?;
            let parsed = self.parser.parse(lines.as_string_view(), &missing, 0)?;
            let made = parsed.columns.into_iter().map(compact);
            kept.extend(missing.into_iter().zip(made));
        }
        let input = self.output.inputs(batch, keep)?;
        self.output.build(keep.true_count(), &input, &kept)
    }
}

impl Columns {
    /// The columns of a whole batch.
    fn batch(&self, batch: &RecordBatch, fields: &Fields) -> Result<RecordBatch> {
        let inputs: Vec<_> = batch.columns().iter().cloned().map(Some).collect();
        self.build(batch.num_rows(), &inputs, fields)
    }

    /// The input columns that are used, of the rows that stay.
    fn inputs(&self, batch: &RecordBatch, keep: &BooleanArray) -> Result<Vec<Option<ArrayRef>>> {
        let input = |(index, column): (usize, &ArrayRef)| {
            let is_used = self.sources.contains(&ParseSource::Input(index));
            is_used.then(|| Ok(compact(filter(column, keep)?))).transpose()
        };
        batch.columns().iter().enumerate().map(input).collect()
    }

    fn build(
        &self,
        rows: usize,
        inputs: &[Option<ArrayRef>],
        fields: &Fields,
    ) -> Result<RecordBatch> {
        let column = |source: &ParseSource| {
            let found = match source {
                ParseSource::Input(index) => inputs[*index].as_ref(),
                ParseSource::Field(field) => {
                    fields.iter().find(|(made, _)| made == field).map(|(_, values)| values)
                }
            };
            Arc::clone(found.expect("the columns that are used have been made"))
        };
        let columns = self.sources.iter().map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

impl Filter {
    /// `predicate` over `used` of all columns, ascending, which come from `sources`.
    fn try_new(
        predicate: &Arc<dyn PhysicalExpr>,
        used: &[usize],
        sources: Vec<ParseSource>,
        all_columns: &Schema,
    ) -> Result<Self> {
        let schema = Arc::new(all_columns.project(used)?);
        // By their places: two of all columns may have one name.
        let predicate = Arc::clone(predicate).transform_down(|part| {
            let Some(column) = part.downcast_ref::<Column>() else {
                return Ok(Transformed::no(part));
            };
            let place = used.binary_search(&column.index()).unwrap_or_default();
            Ok(Transformed::yes(Arc::new(Column::new(column.name(), place))))
        });
        let predicate = predicate?.data;
        Ok(Self { columns: Columns { sources, schema }, predicate })
    }

    fn evaluate(&self, batch: &RecordBatch, fields: &Fields) -> Result<BooleanArray> {
        let batch = self.columns.batch(batch, fields)?;
        let passed = self.predicate.evaluate(&batch)?.into_array(batch.num_rows())?;
        let passed = as_boolean_array(&passed)?;
        Ok(if passed.null_count() > 0 { prep_null_mask_filter(passed) } else { passed.clone() })
    }
}

impl ParseMetrics {
    fn new(metrics: &ExecutionPlanMetricsSet, partition: usize) -> Self {
        let counter = |name| MetricBuilder::new(metrics).counter(name, partition);
        Self {
            input_rows: counter("input_rows"),
            output_rows: MetricBuilder::new(metrics).output_rows(partition),
            unmatched: counter("unmatched"),
            time: MetricBuilder::new(metrics).elapsed_compute(partition),
        }
    }
}

/// The fields that `columns` need, each once.
fn fields_of(columns: &[&Columns]) -> Vec<usize> {
    let sources = columns.iter().flat_map(|columns| &columns.sources);
    let mut fields: Vec<usize> = sources
        .filter_map(|source| match source {
            ParseSource::Field(field) => Some(*field),
            ParseSource::Input(_) => None,
        })
        .collect();
    fields.sort_unstable();
    fields.dedup();
    fields
}

/// True for each row but these.
fn all_but(rows: &[usize], length: usize) -> BooleanArray {
    let mut bits = MutableBuffer::from_len_zeroed(length.div_ceil(8));
    bits.as_slice_mut().fill(u8::MAX);
    for row in rows {
        bit_util::unset_bit(bits.as_slice_mut(), *row);
    }
    BooleanArray::new(BooleanBuffer::new(bits.into(), 0, length), None)
}

/// The same values without the text around them: a few rows must not keep what was read alive.
fn compact(values: ArrayRef) -> ArrayRef {
    match values.as_string_view_opt() {
        Some(text) => Arc::new(text.gc()),
        None => values,
    }
}

fn shown(line: &str) -> String {
    let mut shown: String = line.chars().take(SHOWN_CHARS).collect();
    if shown.len() < line.len() {
        shown.push('…');
    }
    shown
}
