//! The first rows of a query, and a copy of them for what comes after.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};

/// How long is waited to learn whether there is a row beyond the last one that is shown.
const PATIENCE: Duration = Duration::from_millis(100);
/// What is kept of a result.
const KEPT_ROWS: usize = 100_000;
/// What is kept of a result, with the buffers that its rows share.
const KEPT_BYTES: usize = 64 * 1024 * 1024;

/// What there is behind the rows that were shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing, as far as the query was read.
    #[default]
    Nothing,
    /// So many rows.
    Rows(usize),
    /// Rows, or at least the query has not ended.
    Unknown,
}

/// Rows that were shown, for a chart of them.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) schema: SchemaRef,
    pub(super) batches: Vec<RecordBatch>,
    rows: usize,
    bytes: usize,
    pub(super) rest: Rest,
}

impl Kept {
    fn keep(&mut self, batch: &RecordBatch) {
        let bytes = self.bytes.saturating_add(batch.get_array_memory_size());
        if self.rows + batch.num_rows() <= KEPT_ROWS && bytes <= KEPT_BYTES {
            self.rows += batch.num_rows();
            self.bytes = bytes;
            self.batches.push(batch.clone());
        }
    }
}

/// A stream that ends behind `limit` rows, and what has passed it.
pub(super) struct Limited {
    pub(super) rows: SendableRecordBatchStream,
    pub(super) kept: Arc<Mutex<Kept>>,
}

struct Reading {
    /// None once nothing more is wanted: the query ends with it.
    rows: Option<SendableRecordBatchStream>,
    left: usize,
    kept: Arc<Mutex<Kept>>,
}

/// Ends `rows` behind `limit` of them. The query is not read further than to see that there is more.
pub(super) fn limit(rows: SendableRecordBatchStream, limit: Option<usize>) -> Limited {
    let schema = rows.schema();
    let kept = Kept {
        schema: Arc::clone(&schema),
        batches: Vec::new(),
        rows: 0,
        bytes: 0,
        rest: Rest::Nothing,
    };
    let kept = Arc::new(Mutex::new(kept));
    let left = limit.unwrap_or(usize::MAX);
    let reading = Reading { rows: Some(rows), left, kept: Arc::clone(&kept) };
    let rows = stream::unfold(reading, |mut reading| async move {
        let next = reading.next().await?;
        Some((next, reading))
    });
    Limited { rows: Box::pin(RecordBatchStreamAdapter::new(schema, rows)), kept }
}

impl Reading {
    async fn next(&mut self) -> Option<datafusion::error::Result<RecordBatch>> {
        let rows = self.rows.as_mut()?;
        let batch = match rows.next().await? {
            Ok(batch) => batch,
            Err(error) => {
                self.rows = None;
                return Some(Err(error));
            }
        };
        let shown = batch.slice(0, batch.num_rows().min(self.left));
        let cut = batch.num_rows() - shown.num_rows();
        self.left -= shown.num_rows();
        if self.left == 0 {
            let rest = rest(rows, cut).await;
            self.rows = None;
            match rest {
                Ok(rest) => self.kept().rest = rest,
                Err(error) => return Some(Err(error)),
            }
        }
        self.kept().keep(&shown);
        Some(Ok(shown))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is behind the limit, of which `cut` rows have come.
async fn rest(rows: &mut SendableRecordBatchStream, cut: usize) -> datafusion::error::Result<Rest> {
    let more = async {
        loop {
            match rows.next().await {
                Some(Ok(batch)) if batch.num_rows() == 0 => {}
                other => break other,
            }
        }
    };
    Ok(match tokio::time::timeout(PATIENCE, more).await {
        Ok(None) if cut == 0 => Rest::Nothing,
        Ok(None) => Rest::Rows(cut),
        Ok(Some(Err(error))) => return Err(error),
        Ok(Some(Ok(_))) | Err(_) => Rest::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array};
    use datafusion::error::DataFusionError;

    use super::*;

    fn batch(rows: i64) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
        RecordBatch::try_from_iter([("n", column)]).unwrap()
    }

    /// Limits batches of these sizes, behind which the stream ends or stays open.
    async fn check(sizes: &[i64], ends: bool, most: Option<usize>, expected: (usize, Rest)) {
        let batches: Vec<_> = sizes.iter().map(|&rows| Ok(batch(rows))).collect();
        let rest =
            if ends { stream::empty().left_stream() } else { stream::pending().right_stream() };
        let rows = stream::iter(batches).chain(rest);
        let rows = Box::pin(RecordBatchStreamAdapter::new(batch(0).schema(), rows));
        let Limited { rows, kept } = limit(rows, most);
        let shown: Vec<_> = rows.collect().await;
        let shown: usize = shown.into_iter().map(|batch| batch.unwrap().num_rows()).sum();
        let kept = kept.lock().unwrap();
        let kept_rows: usize = kept.batches.iter().map(RecordBatch::num_rows).sum();
        assert_eq!((shown, kept.rest), expected, "{sizes:?} {most:?}");
        assert_eq!(kept_rows, shown);
    }

    #[tokio::test]
    async fn ends_behind_the_limit() {
        check(&[], true, Some(40), (0, Rest::Nothing)).await;
        check(&[39], true, Some(40), (39, Rest::Nothing)).await;
        check(&[40], true, Some(40), (40, Rest::Nothing)).await;
        check(&[41], true, Some(40), (40, Rest::Rows(1))).await;
        check(&[20, 40], true, Some(40), (40, Rest::Rows(20))).await;
        check(&[40, 0, 1], true, Some(40), (40, Rest::Unknown)).await;
        check(&[40], false, Some(40), (40, Rest::Unknown)).await;
        check(&[100, 100], true, None, (200, Rest::Nothing)).await;
    }

    #[tokio::test]
    async fn an_error_behind_the_limit_is_told() {
        let items = vec![Ok(batch(40)), Err(DataFusionError::Plan("late".to_owned()))];
        let rows = Box::pin(RecordBatchStreamAdapter::new(batch(0).schema(), stream::iter(items)));
        let shown: Vec<_> = limit(rows, Some(40)).rows.collect().await;
        assert!(shown.iter().any(Result::is_err));
    }
}
