//! The groups of a REDUCE: the child folds by number, and the keys stay here.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::datatypes::SchemaRef;
use datafusion::common::resources_datafusion_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::logical_expr::EmitTo;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;

/// A partial fold passes its groups on when there are this many, so that its child stays small.
const PARTIAL_GROUPS: usize = 64 * 1024;

/// How the rows of a task are grouped.
#[derive(Debug, Clone)]
pub(super) struct Grouping {
    /// What the rows of a group have in common.
    pub keys: Vec<Arc<dyn PhysicalExpr>>,
    /// The columns that they make.
    pub schema: SchemaRef,
    /// Whether this is a part of the rows of a group only, to be folded once more.
    pub is_partial: bool,
}

/// The groups that a task has met since it last passed them on.
pub(super) struct Groups {
    grouping: Grouping,
    /// None without keys: then there is one group.
    values: Option<Box<dyn GroupValues>>,
    numbers: Vec<usize>,
    memory: MemoryReservation,
}

impl Groups {
    /// No groups yet.
    pub(super) fn try_new(grouping: Grouping, pool: &Arc<dyn MemoryPool>) -> Result<Self> {
        let values = match grouping.keys.as_slice() {
            [] => None,
            _ => Some(new_group_values(Arc::clone(&grouping.schema), &GroupOrdering::None)?),
        };
        let memory = MemoryConsumer::new("REDUCE").register(pool);
        Ok(Self { grouping, values, numbers: Vec::new(), memory })
    }

    /// The numbers of the groups of the rows of `batch`.
    pub(super) fn number(&mut self, batch: &RecordBatch) -> Result<ArrayRef> {
        let rows = batch.num_rows();
        let Some(values) = &mut self.values else {
            return Ok(Arc::new(UInt32Array::from(vec![0; rows])));
        };
        let key = |key: &Arc<dyn PhysicalExpr>| key.evaluate(batch)?.into_array(rows);
        let keys = self.grouping.keys.iter().map(key).collect::<Result<Vec<_>>>()?;
        values.intern(&keys, &mut self.numbers)?;
        self.memory.try_resize(values.size())?;
        if u32::try_from(values.len()).is_err() {
            return Err(resources_datafusion_err!("REDUCE has more than 4 billion groups"));
        }
        let numbers = self.numbers.iter().map(|number| *number as u32);
        Ok(Arc::new(UInt32Array::from_iter_values(numbers)))
    }

    /// Whether it is time to pass them on.
    pub(super) fn are_enough(&self) -> bool {
        let count = self.values.as_ref().map_or(1, |values| values.len());
        self.grouping.is_partial && count >= PARTIAL_GROUPS
    }

    /// The keys of all groups, by their numbers; the next group is number 0 again.
    pub(super) fn take_keys(&mut self) -> Result<RecordBatch> {
        let Some(values) = &mut self.values else {
            let options = RecordBatchOptions::new().with_row_count(Some(1));
            let schema = Arc::clone(&self.grouping.schema);
            return Ok(RecordBatch::try_new_with_options(schema, Vec::new(), &options)?);
        };
        let keys = values.emit(EmitTo::All)?;
        self.memory.free();
        Ok(RecordBatch::try_new(Arc::clone(&self.grouping.schema), keys)?)
    }
}
