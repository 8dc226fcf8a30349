//! Columns as they cross: what the parent ships, and what it makes of replies.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Float64Array, ListArray, OffsetSizeTrait, RecordBatch,
    RecordBatchOptions, StringArray, StringViewArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, Schema, SchemaRef, TimeUnit};

use super::LuaError;
use super::program::{LuaColumn, LuaProgram};
use super::types::{LuaType, item_field, struct_fields};

const SECONDS_PER_DAY: f64 = 86_400.0;

fn schema_of(columns: &[LuaColumn], to_arrow: impl Fn(&LuaType) -> DataType) -> SchemaRef {
    Arc::new(Schema::new(struct_fields(columns, to_arrow)))
}

/// The schema in which the program's input crosses.
pub(super) fn input_schema(program: &LuaProgram) -> SchemaRef {
    schema_of(&program.inputs, LuaType::to_wire)
}

/// The schema in which the program's output crosses.
pub(super) fn reply_schema(program: &LuaProgram) -> SchemaRef {
    schema_of(&program.reply_columns(), LuaType::to_reply)
}

/// The schema of the batches that [`Reply::Rows`](super::Reply::Rows) holds.
pub fn output_schema(program: &LuaProgram) -> SchemaRef {
    schema_of(&program.reply_columns(), LuaType::to_arrow)
}

/// The batch to ship for the `rows` rows of `columns`, which are the program's inputs in order.
pub fn to_child(
    program: &LuaProgram,
    columns: &[ArrayRef],
    rows: usize,
) -> Result<RecordBatch, LuaError> {
    let arrays = program.inputs.iter().zip(columns);
    let arrays: Vec<_> = arrays
        .map(|(column, array)| wire_array(&column.name, &column.data_type, array))
        .collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(input_schema(program), arrays, &options)?)
}

fn wire_array(name: &str, to: &LuaType, array: &ArrayRef) -> Result<ArrayRef, LuaError> {
    let array = &match array.data_type() {
        DataType::Dictionary(_, values) => cast(array, values)?,
        DataType::Decimal32(..) | DataType::Decimal64(..) => cast(array, &DataType::Utf8)?,
        DataType::Decimal128(..) | DataType::Decimal256(..) => cast(array, &DataType::Utf8)?,
        DataType::FixedSizeBinary(_) => cast(array, &DataType::Binary)?,
        _ => Arc::clone(array),
    };
    let nulls = array.nulls().cloned();
    Ok(match (to, array.data_type()) {
        (LuaType::Text, DataType::Utf8View) => {
            let strings = array.as_string_view();
            let (data, offsets) = compact(name, strings.len(), |i| strings.value(i).as_bytes())?;
            // SAFETY: the values of a string array, whole and end to end, are UTF-8.
            Arc::new(unsafe { StringArray::new_unchecked(offsets, data.into(), nulls) })
        }
        (LuaType::Text, DataType::LargeUtf8) => {
            check_size(name, array.as_string::<i64>().value_offsets())?;
            cast(array, &DataType::Utf8)?
        }
        (LuaType::Binary, DataType::BinaryView) => {
            let strings = array.as_binary_view();
            let (data, offsets) = compact(name, strings.len(), |i| strings.value(i))?;
            Arc::new(BinaryArray::try_new(offsets, data.into(), nulls)?)
        }
        (LuaType::Binary, DataType::LargeBinary) => {
            check_size(name, array.as_binary::<i64>().value_offsets())?;
            cast(array, &DataType::Binary)?
        }
        (LuaType::Timestamp, DataType::Timestamp(unit, _)) => seconds(array, per_second(*unit))?,
        (LuaType::Date, DataType::Date64) => seconds(array, 1000)?,
        (LuaType::Date, DataType::Date32) => {
            let days = cast(&cast(array, &DataType::Int32)?, &DataType::Float64)?;
            let days = days.as_primitive::<arrow::datatypes::Float64Type>();
            Arc::new(days.unary::<_, arrow::datatypes::Float64Type>(|day| day * SECONDS_PER_DAY))
        }
        (LuaType::List(item), DataType::List(_)) => wire_list::<i32>(name, item, array)?,
        (LuaType::List(item), DataType::LargeList(_)) => wire_list::<i64>(name, item, array)?,
        (LuaType::List(item), DataType::FixedSizeList(field, _)) => {
            let list = cast(array, &DataType::List(Arc::clone(field)))?;
            wire_list::<i32>(name, item, &list)?
        }
        (LuaType::Struct(columns), DataType::Struct(_)) => {
            let fields = columns.iter().zip(array.as_struct().columns());
            let fields: Vec<_> = fields
                .map(|(c, field)| wire_array(&format!("{name}.{}", c.name), &c.data_type, field))
                .collect::<Result<_, _>>()?;
            let types = struct_fields(columns, LuaType::to_wire);
            Arc::new(StructArray::try_new_with_length(types, fields, nulls, array.len())?)
        }
        (_, from) if LuaType::try_from(from)? == *to => cast(array, &to.to_wire())?,
        (_, from) => {
            let text = format!("column {name} is {from}, but the program says {to}");
            return Err(LuaError::Program(text));
        }
    })
}

/// Copies values of views end to end. A view's own buffer may be much larger than the batch.
fn compact<'a>(
    name: &str,
    rows: usize,
    value: impl Fn(usize) -> &'a [u8],
) -> Result<(Vec<u8>, OffsetBuffer<i32>), LuaError> {
    let bytes: usize = (0..rows).map(|row| value(row).len()).sum();
    if i32::try_from(bytes).is_err() {
        return Err(LuaError::TooLarge { column: name.to_owned(), bytes });
    }
    let mut data = Vec::with_capacity(bytes);
    let mut offsets = Vec::with_capacity(rows + 1);
    offsets.push(0);
    for row in 0..rows {
        data.extend_from_slice(value(row));
        offsets.push(data.len() as i32);
    }
    Ok((data, OffsetBuffer::new(offsets.into())))
}

fn check_size(name: &str, offsets: &[i64]) -> Result<(), LuaError> {
    let bytes = offsets.last().copied().unwrap_or(0) - offsets.first().copied().unwrap_or(0);
    match i32::try_from(bytes) {
        Ok(_) => Ok(()),
        Err(_) => Err(LuaError::TooLarge { column: name.to_owned(), bytes: bytes as usize }),
    }
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// Ticks to seconds: the whole seconds are exact, so that only the sum is rounded.
fn seconds(array: &ArrayRef, per_second: i64) -> Result<ArrayRef, LuaError> {
    let ticks = cast(array, &DataType::Int64)?;
    let ticks = ticks.as_primitive::<Int64Type>();
    let values = ticks.values().iter().map(|tick| {
        let fraction = tick.rem_euclid(per_second) as f64 / per_second as f64;
        tick.div_euclid(per_second) as f64 + fraction
    });
    let values: Vec<f64> = values.collect();
    Ok(Arc::new(Float64Array::new(values.into(), ticks.nulls().cloned())))
}

fn wire_list<O: OffsetSizeTrait>(
    name: &str,
    item: &LuaType,
    array: &ArrayRef,
) -> Result<ArrayRef, LuaError> {
    let list = array.as_list::<O>();
    let offsets = list.value_offsets();
    let (first, last) = (offsets[0].as_usize(), offsets[list.len()].as_usize());
    if i32::try_from(last - first).is_err() {
        return Err(LuaError::TooLarge { column: name.to_owned(), bytes: last - first });
    }
    let items = list.values().slice(first, last - first);
    let items = wire_array(&format!("{name}[]"), item, &items)?;
    let offsets: Vec<i32> = offsets.iter().map(|o| (o.as_usize() - first) as i32).collect();
    let field = item_field(items.data_type().clone());
    let offsets = OffsetBuffer::new(offsets.into());
    Ok(Arc::new(ListArray::try_new(field, offsets, items, list.nulls().cloned())?))
}

/// The reply of a child as the program declares it: TEXT becomes views on the same bytes.
pub fn from_child(program: &LuaProgram, reply: RecordBatch) -> Result<RecordBatch, LuaError> {
    if reply.schema().fields() != reply_schema(program).fields() {
        return Err(LuaError::Frame("rows of another schema than the program's".into()));
    }
    let declared = program.reply_columns();
    let arrays = declared.iter().zip(reply.columns());
    let arrays: Vec<_> = arrays
        .map(|(column, array)| declared_array(&column.data_type, array))
        .collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(output_schema(program), arrays)?)
}

fn declared_array(to: &LuaType, array: &ArrayRef) -> Result<ArrayRef, LuaError> {
    let nulls: Option<NullBuffer> = array.nulls().cloned();
    Ok(match to {
        LuaType::Text => Arc::new(StringViewArray::from(array.as_string::<i32>())),
        LuaType::List(item) => {
            let list = array.as_list::<i32>();
            let items = declared_array(item, list.values())?;
            let field = item_field(items.data_type().clone());
            Arc::new(ListArray::try_new(field, list.offsets().clone(), items, nulls)?)
        }
        LuaType::Struct(columns) => {
            let fields = columns.iter().zip(array.as_struct().columns());
            let fields: Vec<_> = fields
                .map(|(column, field)| declared_array(&column.data_type, field))
                .collect::<Result<_, _>>()?;
            let types = struct_fields(columns, LuaType::to_arrow);
            Arc::new(StructArray::try_new_with_length(types, fields, nulls, array.len())?)
        }
        _ => Arc::clone(array),
    })
}
