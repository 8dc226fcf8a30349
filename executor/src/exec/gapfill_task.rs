//! One task of a `GAPFILL`.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{cast, concat_batches, partition, take};
use arrow::datatypes::{DataType, Int64Type, SchemaRef, TimeUnit};
use chrono::{DateTime, Months};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::metrics::Count;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;

use super::{GapStep, GapfillSpec};
use crate::error::{OperatorError, OperatorFault};

/// More buckets than this between two rows are taken for a mistake.
const MAX_GAP_ROWS: usize = 10_000_000;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// What one task does with its batches.
pub(super) struct GapfillTask {
    spec: Arc<GapfillSpec>,
    schema: SchemaRef,
    filled: Count,
    output_rows: Count,
    /// The last row that was seen.
    last: Option<RecordBatch>,
}

/// The rows to give: for each the row of the input that it is or follows, and its bucket.
#[derive(Default)]
struct Rows {
    /// The row whose keys it has.
    keys: Vec<u32>,
    /// The same for a row of the input; none for one that is filled in.
    others: Vec<Option<u32>>,
    buckets: Vec<Option<i64>>,
}

impl GapfillTask {
    pub(super) fn new(
        spec: Arc<GapfillSpec>,
        schema: SchemaRef,
        filled: Count,
        output_rows: Count,
    ) -> Self {
        Self { spec, schema, filled, output_rows, last: None }
    }

    /// The rows of `input`, which has them in groups and by buckets, and those between them.
    pub(super) fn run(mut self, input: SendableRecordBatchStream) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        let rows = input.map(move |batch| self.batch(&batch?));
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }

    fn batch(&mut self, batch: &RecordBatch) -> Result<RecordBatch> {
        if batch.num_rows() == 0 {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.schema)));
        }
        // The row before the batch stands in front of it, and is not given again.
        let (joined, seen) = match self.last.take() {
            Some(last) => (concat_batches(&batch.schema(), [&last, batch])?, 1),
            None => (batch.clone(), 0),
        };
        self.last = Some(joined.slice(joined.num_rows() - 1, 1));
        let buckets = cast(joined.column(self.spec.column), &DataType::Int64)?;
        let buckets = buckets.as_primitive::<Int64Type>();
        let mut rows = Rows::default();
        for group in self.groups(&joined)? {
            self.group(group, seen, buckets, &mut rows)?;
        }
        let given = rows.keys.len();
        self.filled.add(given + seen - joined.num_rows());
        self.output_rows.add(given);
        self.build(&joined, rows)
    }

    /// The ranges of rows with equal keys.
    fn groups(&self, rows: &RecordBatch) -> Result<Vec<Range<usize>>> {
        if self.spec.keys.is_empty() {
            let all = 0..rows.num_rows();
            return Ok(vec![all]);
        }
        let keys: Vec<ArrayRef> =
            self.spec.keys.iter().map(|key| Arc::clone(rows.column(*key))).collect();
        Ok(partition(&keys)?.ranges())
    }

    fn group(
        &self,
        group: Range<usize>,
        seen: usize,
        buckets: &Int64Array,
        rows: &mut Rows,
    ) -> Result<()> {
        for row in group.clone() {
            let bucket = buckets.is_valid(row).then(|| buckets.value(row));
            let before = (row > group.start).then(|| row - 1);
            let before = before.filter(|before| buckets.is_valid(*before));
            if let (Some(bucket), Some(before)) = (bucket, before) {
                self.gap(buckets.value(before), bucket, before as u32, rows)?;
            }
            if row >= seen {
                rows.keys.push(row as u32);
                rows.others.push(Some(row as u32));
                rows.buckets.push(bucket);
            }
        }
        Ok(())
    }

    /// The buckets between two.
    fn gap(&self, from: i64, to: i64, row: u32, rows: &mut Rows) -> Result<()> {
        for count in 1.. {
            let Some(bucket) = self.later(from, count).filter(|bucket| *bucket < to) else {
                return Ok(());
            };
            if count as usize > MAX_GAP_ROWS {
                break;
            }
            rows.keys.push(row);
            rows.others.push(None);
            rows.buckets.push(Some(bucket));
        }
        let message =
            format!("more than {MAX_GAP_ROWS} buckets are missing between two rows of a group");
        Err(OperatorError::new(&self.spec.label, OperatorFault::Input(message)).into())
    }

    /// The bucket that is `count` steps behind `from`; none beyond what the type can hold.
    fn later(&self, from: i64, count: i64) -> Option<i64> {
        match self.spec.step {
            GapStep::Units(units) => from.checked_add(units.checked_mul(count)?),
            GapStep::Months(months) => {
                let months = u32::try_from(i64::from(months).checked_mul(count)?).ok()?;
                add_months(from, months, self.schema.field(self.spec.column).data_type())
            }
        }
    }

    fn build(&self, input: &RecordBatch, rows: Rows) -> Result<RecordBatch> {
        let keys = UInt32Array::from(rows.keys);
        let others = UInt32Array::from(rows.others);
        let buckets: ArrayRef = Arc::new(Int64Array::from(rows.buckets));
        let columns = input.columns().iter().enumerate().map(|(index, column)| {
            if index == self.spec.column {
                return Ok(cast(&buckets, column.data_type())?);
            }
            let rows = if self.spec.keys.contains(&index) { &keys } else { &others };
            Ok::<_, DataFusionError>(take(column, rows, None)?)
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

/// A moment of a column's type so many calendar months later, on the last day of a month that is
/// too short.
fn add_months(value: i64, months: u32, data_type: &DataType) -> Option<i64> {
    let units_per_second = match data_type {
        DataType::Timestamp(TimeUnit::Second, _) => 1,
        DataType::Timestamp(TimeUnit::Millisecond, _) => 1_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000_000,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => NANOS_PER_SECOND,
        _ => {
            let midnight = DateTime::from_timestamp(value.checked_mul(SECONDS_PER_DAY)?, 0)?;
            let later = midnight.checked_add_months(Months::new(months))?;
            return Some(later.timestamp() / SECONDS_PER_DAY);
        }
    };
    let (seconds, rest) = (value.div_euclid(units_per_second), value.rem_euclid(units_per_second));
    let later = DateTime::from_timestamp(seconds, 0)?.checked_add_months(Months::new(months))?;
    later.timestamp().checked_mul(units_per_second)?.checked_add(rest)
}
