//! Arrays without the values that no row uses: a slice of a view or of a dictionary would otherwise
//! carry all of the buffers that it was cut from.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, GenericListArray, MapArray, OffsetSizeTrait,
    RecordBatch, RecordBatchOptions, StructArray,
};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow_select::dictionary::garbage_collect_any_dictionary;

/// `batch`, with each array holding only what its rows use.
pub(crate) fn compact(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns: Vec<ArrayRef> =
        batch.columns().iter().map(compact_array).collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(batch.schema(), columns, &options)
}

fn compact_array(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::Utf8View => Ok(Arc::new(array.as_string_view().gc())),
        DataType::BinaryView => Ok(Arc::new(array.as_binary_view().gc())),
        DataType::Dictionary(_, _) => compact_dictionary(array),
        nested if !holds_values(nested) => Ok(Arc::clone(array)),
        DataType::Struct(_) => compact_struct(array.as_struct()),
        DataType::List(_) => compact_list(array.as_list::<i32>()),
        DataType::LargeList(_) => compact_list(array.as_list::<i64>()),
        DataType::FixedSizeList(_, _) => compact_fixed_list(array.as_fixed_size_list()),
        DataType::Map(_, _) => compact_map(array.as_map()),
        _ => Ok(Arc::clone(array)),
    }
}

/// Whether views or dictionaries are somewhere inside.
fn holds_values(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8View | DataType::BinaryView | DataType::Dictionary(_, _) => true,
        DataType::Struct(fields) => fields.iter().any(|field| holds_values(field.data_type())),
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => holds_values(field.data_type()),
        _ => false,
    }
}

fn compact_dictionary(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let kept = garbage_collect_any_dictionary(array.as_any_dictionary())?;
    let dictionary = kept.as_any_dictionary();
    Ok(dictionary.with_values(compact_array(dictionary.values())?))
}

fn compact_struct(array: &StructArray) -> Result<ArrayRef, ArrowError> {
    let columns = array.columns().iter().map(compact_array).collect::<Result<Vec<_>, _>>()?;
    let kept = StructArray::try_new_with_length(
        array.fields().clone(),
        columns,
        array.nulls().cloned(),
        array.len(),
    )?;
    Ok(Arc::new(kept))
}

fn compact_list<O: OffsetSizeTrait>(array: &GenericListArray<O>) -> Result<ArrayRef, ArrowError> {
    let (field, offsets, values, nulls) = array.clone().into_parts();
    let first = offsets[0];
    let used = values.slice(first.as_usize(), (offsets[offsets.len() - 1] - first).as_usize());
    let shifted = offsets.iter().map(|offset| *offset - first).collect::<Vec<_>>();
    let offsets = arrow::buffer::OffsetBuffer::new(shifted.into());
    Ok(Arc::new(GenericListArray::try_new(field, offsets, compact_array(&used)?, nulls)?))
}

fn compact_fixed_list(array: &FixedSizeListArray) -> Result<ArrayRef, ArrowError> {
    let (field, size, values, nulls) = array.clone().into_parts();
    let kept = FixedSizeListArray::try_new_with_length(
        field,
        size,
        compact_array(&values)?,
        nulls,
        array.len(),
    )?;
    Ok(Arc::new(kept))
}

fn compact_map(array: &MapArray) -> Result<ArrayRef, ArrowError> {
    let (field, offsets, entries, nulls, ordered) = array.clone().into_parts();
    let first = offsets[0];
    let length = (offsets[offsets.len() - 1] - first) as usize;
    let used = compact_struct(&entries.slice(first as usize, length))?;
    let shifted = offsets.iter().map(|offset| *offset - first).collect::<Vec<_>>();
    let offsets = arrow::buffer::OffsetBuffer::new(shifted.into());
    Ok(Arc::new(MapArray::try_new(field, offsets, used.as_struct().clone(), nulls, ordered)?))
}
