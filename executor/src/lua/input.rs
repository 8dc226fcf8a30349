//! Where the buffers of a batch are: what the child tells the generated readers.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};

use super::LuaError;

/// Values, offsets, validity, first bit of the validity, first bit of the values.
pub(super) const SLOTS_PER_NODE: usize = 5;

/// Gives the slots of all nodes of `batch` in preorder. The addresses hold while it lives.
pub(super) fn slots(batch: &RecordBatch) -> Result<Vec<u64>, LuaError> {
    let mut slots = Vec::new();
    for column in batch.columns() {
        add_node(column, &mut slots)?;
    }
    Ok(slots)
}

fn address<T>(values: &[T]) -> u64 {
    values.as_ptr().addr() as u64
}

fn add_node(array: &ArrayRef, slots: &mut Vec<u64>) -> Result<(), LuaError> {
    let (validity, validity_shift) = match array.nulls().filter(|nulls| nulls.null_count() > 0) {
        Some(nulls) => (address(nulls.buffer().as_slice()), nulls.offset() as u64),
        None => (0, 0),
    };
    let (values, offsets, value_shift) = match array.data_type() {
        DataType::Null | DataType::Struct(_) => (0, 0, 0),
        DataType::Boolean => {
            let bits = array.as_boolean().values();
            (address(bits.values()), 0, bits.offset() as u64)
        }
        DataType::Int64 => (address(array.as_primitive::<Int64Type>().values()), 0, 0),
        DataType::UInt64 => (address(array.as_primitive::<UInt64Type>().values()), 0, 0),
        DataType::Float64 => (address(array.as_primitive::<Float64Type>().values()), 0, 0),
        DataType::Utf8 => {
            let strings = array.as_string::<i32>();
            (address(strings.value_data()), address(strings.value_offsets()), 0)
        }
        DataType::Binary => {
            let strings = array.as_binary::<i32>();
            (address(strings.value_data()), address(strings.value_offsets()), 0)
        }
        DataType::List(_) => (0, address(array.as_list::<i32>().value_offsets()), 0),
        other => return Err(LuaError::UnsupportedType(other.clone())),
    };
    slots.extend([values, offsets, validity, validity_shift, value_shift]);
    match array.data_type() {
        DataType::List(_) => add_node(array.as_list::<i32>().values(), slots),
        DataType::Struct(_) => {
            array.as_struct().columns().iter().try_for_each(|field| add_node(field, slots))
        }
        _ => Ok(()),
    }
}
