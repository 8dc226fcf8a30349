//! What is charted: a number for each row, and what the row is called.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::compute::{cast, concat_batches};
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;

use crate::output::visible::{NULL, escape};
use crate::prompt::limited::Kept;

/// A number for each row, in the order of the rows.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::prompt) struct Series {
    pub(super) value_name: String,
    /// What a row is called, escaped, and its value; NULL and what is no number have none.
    pub(super) points: Vec<(String, Option<f64>)>,
}

/// Why a result has no chart.
#[derive(Debug, thiserror::Error)]
pub(in crate::prompt) enum SeriesError {
    #[error("the last result has no column of numbers")]
    NoNumbers,
    #[error("the last result has no rows")]
    NoRows,
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

impl Series {
    /// The first column of numbers that is not needed to name the rows; they are named by the first
    /// other column, or by their numbers.
    ///
    /// # Errors
    /// When there is nothing to draw.
    pub(in crate::prompt) fn of(kept: &Kept) -> Result<Self, SeriesError> {
        let batch = concat_batches(&kept.schema, &kept.batches)?;
        if batch.num_rows() == 0 {
            return Err(SeriesError::NoRows);
        }
        let fields = kept.schema.fields();
        let is_number = |column: usize| fields[column].data_type().is_numeric();
        let value = (1..fields.len())
            .chain([0])
            .filter(|&column| column < fields.len())
            .find(|&column| is_number(column))
            .ok_or(SeriesError::NoNumbers)?;
        let columns = || (0..fields.len()).filter(|&column| column != value);
        let name = columns().find(|&column| !is_number(column)).or_else(|| columns().next());
        let names = match name {
            Some(column) => texts(batch.column(column))?,
            None => (1..=batch.num_rows()).map(|row| row.to_string()).collect(),
        };
        let values = cast(batch.column(value), &DataType::Float64)?;
        let values = values.as_primitive::<Float64Type>().iter();
        let values = values.map(|value| value.filter(|value| value.is_finite()));
        let value_name = gleam_sql_planner::plain_names(fields[value].name());
        Ok(Self {
            value_name: escape(&value_name).into_owned(),
            points: names.into_iter().zip(values).collect(),
        })
    }

    pub(in crate::prompt) fn rows(&self) -> usize {
        self.points.len()
    }
}

fn texts(column: &Arc<dyn Array>) -> Result<Vec<String>, ArrowError> {
    let texts = cast(column, &DataType::Utf8)?;
    let shown = |text: Option<&str>| text.map_or(NULL.into(), escape).into_owned();
    Ok(texts.as_string::<i32>().iter().map(shown).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
    use futures::{StreamExt, stream};

    use super::*;
    use crate::prompt::limited;

    fn kept(columns: Vec<(&str, ArrayRef)>) -> Kept {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let rows = RecordBatchStreamAdapter::new(batch.schema(), stream::iter([Ok(batch)]));
        let limited = limited::limit(Box::pin(rows), None);
        futures::executor::block_on(limited.rows.count());
        Mutex::into_inner(Arc::into_inner(limited.kept).unwrap()).unwrap()
    }

    #[test]
    fn chooses_columns() {
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some("a\u{1b}[m"), None]));
        let one: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        let two: ArrayRef = Arc::new(Int64Array::from(vec![3, 4]));
        let check = |columns: Vec<(&str, &ArrayRef)>, name: &str, first: (&str, Option<f64>)| {
            let columns = columns.into_iter().map(|(name, array)| (name, Arc::clone(array)));
            let series = Series::of(&kept(columns.collect())).unwrap();
            assert_eq!(series.value_name, name);
            assert_eq!((series.points[0].0.as_str(), series.points[0].1), first);
        };
        check(vec![("t", &text), ("n", &one)], "n", ("a\\x1b[m", Some(1.0)));
        check(vec![("n", &one), ("t", &text)], "n", ("a\\x1b[m", Some(1.0)));
        check(vec![("hour", &two), ("n", &one)], "n", ("3", Some(1.0)));
        check(vec![("n", &one)], "n", ("1", Some(1.0)));
        assert!(matches!(Series::of(&kept(vec![("t", text)])), Err(SeriesError::NoNumbers)));
    }
}
