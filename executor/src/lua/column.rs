//! Output columns, which the generated loop fills through FFI, one value at a time.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, BooleanBufferBuilder,
    Float32Array, Float64Array, ListArray, NullArray, NullBufferBuilder, PrimitiveArray,
    StringArray, StructArray, UInt64Array,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampNanosecondType,
    UInt8Type, UInt16Type, UInt32Type,
};

use super::LuaError;
use super::program::LuaColumn;
use super::types::{LuaType, item_field, struct_fields};

/// A column, or a node inside one. Its address is what Lua holds, so it lives in an `Rc`; all its
/// parts are cells, because Lua reaches it while the output holds it too.
#[derive(Debug)]
pub(super) struct OutputColumn {
    name: String,
    data_type: LuaType,
    nulls: RefCell<NullBufferBuilder>,
    values: RefCell<Values>,
    /// Bytes pushed since the last flush, of all columns of the output together.
    pushed_bytes: Rc<Cell<usize>>,
}

#[derive(Debug)]
enum Values {
    Null,
    Boolean(BooleanBufferBuilder),
    Int(Vec<i64>),
    UInt(Vec<u64>),
    Float(Vec<f64>),
    Bytes { data: Vec<u8>, ends: Vec<usize> },
    List { item: Rc<OutputColumn>, ends: Vec<usize> },
    Struct(Vec<Rc<OutputColumn>>),
}

impl OutputColumn {
    /// An empty column that counts what is pushed in `pushed_bytes`.
    pub(super) fn new(column: &LuaColumn, pushed_bytes: &Rc<Cell<usize>>) -> Rc<Self> {
        let node = |name: String, data_type: &LuaType| {
            Self::new(&LuaColumn::new(name, data_type.clone()), pushed_bytes)
        };
        let values = match &column.data_type {
            LuaType::Null => Values::Null,
            LuaType::Boolean => Values::Boolean(BooleanBufferBuilder::new(0)),
            LuaType::UInt64 => Values::UInt(Vec::new()),
            LuaType::Float32 | LuaType::Float64 => Values::Float(Vec::new()),
            LuaType::Text | LuaType::Binary => Values::Bytes { data: Vec::new(), ends: Vec::new() },
            LuaType::List(item) => {
                let item = node(format!("{}[]", column.name), item);
                Values::List { item, ends: Vec::new() }
            }
            LuaType::Struct(fields) => Values::Struct(
                fields
                    .iter()
                    .map(|field| node(format!("{}.{}", column.name, field.name), &field.data_type))
                    .collect(),
            ),
            _ => Values::Int(Vec::new()),
        };
        Rc::new(Self {
            name: column.name.clone(),
            data_type: column.data_type.clone(),
            nulls: RefCell::new(NullBufferBuilder::new(0)),
            values: RefCell::new(values),
            pushed_bytes: Rc::clone(pushed_bytes),
        })
    }

    /// This node and those below it, in preorder.
    pub(super) fn nodes(self: &Rc<Self>, into: &mut Vec<Rc<Self>>) {
        into.push(Rc::clone(self));
        match &*self.values.borrow() {
            Values::List { item, .. } => item.nodes(into),
            Values::Struct(fields) => fields.iter().for_each(|field| field.nodes(into)),
            _ => {}
        }
    }

    fn len(&self) -> usize {
        self.nulls.borrow().len()
    }

    fn count(&self, bytes: usize) {
        self.pushed_bytes.set(self.pushed_bytes.get() + bytes);
    }

    fn push(&self, bytes: usize, push: impl FnOnce(&mut Values)) {
        self.nulls.borrow_mut().append_non_null();
        push(&mut self.values.borrow_mut());
        self.count(bytes);
    }

    fn push_null(&self) {
        self.nulls.borrow_mut().append_null();
        self.count(1);
        match &mut *self.values.borrow_mut() {
            Values::Null => {}
            Values::Boolean(bits) => bits.append(false),
            Values::Int(values) => values.push(0),
            Values::UInt(values) => values.push(0),
            Values::Float(values) => values.push(0.0),
            Values::Bytes { data, ends } => ends.push(data.len()),
            Values::List { item, ends } => ends.push(item.len()),
            Values::Struct(fields) => fields.iter().for_each(|field| field.push_null()),
        }
    }

    /// Takes what was pushed as an array of the reply's type and leaves the column empty.
    pub(super) fn take(&self) -> Result<ArrayRef, LuaError> {
        let length = self.len();
        let nulls = self.nulls.borrow_mut().finish();
        Ok(match &mut *self.values.borrow_mut() {
            Values::Null => Arc::new(NullArray::new(length)),
            Values::Boolean(bits) => Arc::new(BooleanArray::new(bits.finish(), nulls)),
            Values::Int(values) => int_array(&self.data_type, take_vec(values), nulls),
            Values::UInt(values) => Arc::new(UInt64Array::new(take_vec(values).into(), nulls)),
            Values::Float(values) => float_array(&self.data_type, take_vec(values), nulls),
            Values::Bytes { data, ends } => {
                let (data, offsets) = (take_vec(data).into(), self.offsets(ends)?);
                self.bytes_array(data, offsets, nulls)?
            }
            Values::List { item, ends } => {
                let (offsets, items) = (self.offsets(ends)?, item.take()?);
                let field = item_field(items.data_type().clone());
                Arc::new(ListArray::try_new(field, offsets, items, nulls)?)
            }
            Values::Struct(fields) => {
                let arrays =
                    fields.iter().map(|field| field.take()).collect::<Result<Vec<_>, _>>()?;
                let LuaType::Struct(columns) = &self.data_type else {
                    return Err(LuaError::Host("a struct without fields".into()));
                };
                let fields = struct_fields(columns, LuaType::to_reply);
                Arc::new(StructArray::try_new_with_length(fields, arrays, nulls, length)?)
            }
        })
    }

    fn bytes_array(
        &self,
        data: Buffer,
        offsets: OffsetBuffer<i32>,
        nulls: Option<NullBuffer>,
    ) -> Result<ArrayRef, LuaError> {
        if self.data_type == LuaType::Binary {
            return Ok(Arc::new(BinaryArray::try_new(offsets, data, nulls)?));
        }
        // SAFETY: the fitter of TEXT checks each string with `is_utf8` before it is pushed, and
        // the offsets are the ends of whole strings.
        Ok(Arc::new(unsafe { StringArray::new_unchecked(offsets, data, nulls) }))
    }

    fn offsets(&self, ends: &mut Vec<usize>) -> Result<OffsetBuffer<i32>, LuaError> {
        let last = ends.last().copied().unwrap_or(0);
        if i32::try_from(last).is_err() {
            return Err(LuaError::TooLarge { column: self.name.clone(), bytes: last });
        }
        let mut offsets = Vec::with_capacity(ends.len() + 1);
        offsets.push(0);
        offsets.extend(ends.drain(..).map(|end| end as i32));
        Ok(OffsetBuffer::new(offsets.into()))
    }
}

/// Takes the values and leaves room for as many, since the next flush will be of the same size.
fn take_vec<T>(values: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(values.len());
    std::mem::replace(values, room)
}

fn float_array(data_type: &LuaType, values: Vec<f64>, nulls: Option<NullBuffer>) -> ArrayRef {
    if *data_type == LuaType::Float32 {
        let narrow: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
        return Arc::new(Float32Array::new(narrow.into(), nulls));
    }
    Arc::new(Float64Array::new(values.into(), nulls))
}

/// The values are in the range of `data_type`: its fitter checked them.
fn int_array(data_type: &LuaType, values: Vec<i64>, nulls: Option<NullBuffer>) -> ArrayRef {
    fn narrow<T: ArrowPrimitiveType>(
        values: Vec<i64>,
        nulls: Option<NullBuffer>,
        as_native: impl Fn(i64) -> T::Native,
    ) -> ArrayRef {
        let values: Vec<T::Native> = values.into_iter().map(as_native).collect();
        Arc::new(PrimitiveArray::<T>::new(values.into(), nulls))
    }
    match data_type.to_reply() {
        DataType::Int8 => narrow::<Int8Type>(values, nulls, |v| v as i8),
        DataType::Int16 => narrow::<Int16Type>(values, nulls, |v| v as i16),
        DataType::Int32 => narrow::<Int32Type>(values, nulls, |v| v as i32),
        DataType::UInt8 => narrow::<UInt8Type>(values, nulls, |v| v as u8),
        DataType::UInt16 => narrow::<UInt16Type>(values, nulls, |v| v as u16),
        DataType::UInt32 => narrow::<UInt32Type>(values, nulls, |v| v as u32),
        DataType::Date32 => narrow::<Date32Type>(values, nulls, |v| v as i32),
        // Microseconds, within the range of nanoseconds.
        DataType::Timestamp(..) => {
            narrow::<TimestampNanosecondType>(values, nulls, |v| v.saturating_mul(1000))
        }
        _ => Arc::new(PrimitiveArray::<Int64Type>::new(values.into(), nulls)),
    }
}

/// # Safety
/// `column` must be the address of a living `OutputColumn` of this thread.
unsafe fn column<'a>(column: *const c_void) -> &'a OutputColumn {
    // SAFETY: the caller's promise; all access is through shared references and cells.
    unsafe { &*column.cast::<OutputColumn>() }
}

pub(super) extern "C" fn push_null(target: *const c_void) {
    // SAFETY: generated code passes the handles it was given, and they live as long as it runs.
    unsafe { column(target) }.push_null();
}

pub(super) extern "C" fn push_boolean(target: *const c_void, value: bool) {
    // SAFETY: as in `push_null`.
    unsafe { column(target) }.push(1, |values| {
        if let Values::Boolean(bits) = values {
            bits.append(value);
        }
    });
}

pub(super) extern "C" fn push_int(target: *const c_void, value: i64) {
    // SAFETY: as in `push_null`.
    unsafe { column(target) }.push(8, |values| {
        if let Values::Int(values) = values {
            values.push(value);
        }
    });
}

pub(super) extern "C" fn push_uint(target: *const c_void, value: u64) {
    // SAFETY: as in `push_null`.
    unsafe { column(target) }.push(8, |values| {
        if let Values::UInt(values) = values {
            values.push(value);
        }
    });
}

pub(super) extern "C" fn push_float(target: *const c_void, value: f64) {
    // SAFETY: as in `push_null`.
    unsafe { column(target) }.push(8, |values| {
        if let Values::Float(values) = values {
            values.push(value);
        }
    });
}

pub(super) extern "C" fn push_bytes(target: *const c_void, start: *const u8, length: usize) {
    // SAFETY: generated code passes a Lua string and its length; Lua keeps it during the call.
    let bytes = unsafe { std::slice::from_raw_parts(start, length) };
    // SAFETY: as in `push_null`.
    unsafe { column(target) }.push(length + 4, |values| {
        if let Values::Bytes { data, ends } = values {
            data.extend_from_slice(bytes);
            ends.push(data.len());
        }
    });
}

/// Ends a list, whose elements are pushed, or a struct, whose fields are.
pub(super) extern "C" fn close_value(target: *const c_void) {
    // SAFETY: as in `push_null`.
    unsafe { column(target) }.push(4, |values| {
        if let Values::List { item, ends } = values {
            ends.push(item.len());
        }
    });
}
