//! One column while a batch is parsed.

use std::str::FromStr;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, PrimitiveBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampNanosecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, StringViewArray};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType};

use super::text::{Line, TextBuilder};
use super::times::Times;
use super::{ColumnSpec, Unfit};

/// Collects the values of one column.
#[derive(Debug)]
pub(crate) struct ColumnBuilder {
    values: Values,
    times: Times,
    data_type: DataType,
}

#[derive(Debug)]
enum Values {
    Text(TextBuilder),
    Int8(PrimitiveBuilder<Int8Type>),
    Int16(PrimitiveBuilder<Int16Type>),
    Int32(PrimitiveBuilder<Int32Type>),
    Int64(PrimitiveBuilder<Int64Type>),
    UInt8(PrimitiveBuilder<UInt8Type>),
    UInt16(PrimitiveBuilder<UInt16Type>),
    UInt32(PrimitiveBuilder<UInt32Type>),
    UInt64(PrimitiveBuilder<UInt64Type>),
    Float32(PrimitiveBuilder<Float32Type>),
    Float64(PrimitiveBuilder<Float64Type>),
    Boolean(BooleanBuilder),
    /// Converted at the end where the column has another unit or a zone.
    Timestamp(PrimitiveBuilder<TimestampNanosecondType>),
    Date(PrimitiveBuilder<Date32Type>),
}

impl ColumnBuilder {
    /// For a value of each line.
    pub(crate) fn new(column: &ColumnSpec, lines: &StringViewArray) -> Self {
        let rows = lines.len();
        let values = match &column.data_type {
            DataType::Int8 => Values::Int8(PrimitiveBuilder::with_capacity(rows)),
            DataType::Int16 => Values::Int16(PrimitiveBuilder::with_capacity(rows)),
            DataType::Int32 => Values::Int32(PrimitiveBuilder::with_capacity(rows)),
            DataType::Int64 => Values::Int64(PrimitiveBuilder::with_capacity(rows)),
            DataType::UInt8 => Values::UInt8(PrimitiveBuilder::with_capacity(rows)),
            DataType::UInt16 => Values::UInt16(PrimitiveBuilder::with_capacity(rows)),
            DataType::UInt32 => Values::UInt32(PrimitiveBuilder::with_capacity(rows)),
            DataType::UInt64 => Values::UInt64(PrimitiveBuilder::with_capacity(rows)),
            DataType::Float32 => Values::Float32(PrimitiveBuilder::with_capacity(rows)),
            DataType::Float64 => Values::Float64(PrimitiveBuilder::with_capacity(rows)),
            DataType::Boolean => Values::Boolean(BooleanBuilder::with_capacity(rows)),
            DataType::Timestamp(..) => Values::Timestamp(PrimitiveBuilder::with_capacity(rows)),
            DataType::Date32 => Values::Date(PrimitiveBuilder::with_capacity(rows)),
            _ => Values::Text(TextBuilder::new(rows, lines.data_buffers().len())),
        };
        Self { values, times: Times::new(&column.time), data_type: column.data_type.clone() }
    }

    pub(crate) fn append_null(&mut self) {
        match &mut self.values {
            Values::Text(values) => values.append_null(),
            Values::Int8(values) => values.append_null(),
            Values::Int16(values) => values.append_null(),
            Values::Int32(values) => values.append_null(),
            Values::Int64(values) => values.append_null(),
            Values::UInt8(values) => values.append_null(),
            Values::UInt16(values) => values.append_null(),
            Values::UInt32(values) => values.append_null(),
            Values::UInt64(values) => values.append_null(),
            Values::Float32(values) => values.append_null(),
            Values::Float64(values) => values.append_null(),
            Values::Boolean(values) => values.append_null(),
            Values::Timestamp(values) => values.append_null(),
            Values::Date(values) => values.append_null(),
        }
    }

    /// Appends the field that stands at bytes `start..end` of the line.
    ///
    /// # Errors
    /// When it does not fit the type of the column; NULL is appended then.
    #[inline]
    pub(crate) fn append_of(
        &mut self,
        line: Line<'_>,
        start: usize,
        end: usize,
    ) -> Result<(), Unfit> {
        match &mut self.values {
            Values::Text(values) => {
                values.append_of(line, start, &line.text[start..end]);
                Ok(())
            }
            _ => self.append_converted(&line.text[start..end]),
        }
    }

    /// Appends text that stands in no line.
    ///
    /// # Errors
    /// As [`append_of`](Self::append_of).
    pub(crate) fn append_own(&mut self, text: &str) -> Result<(), Unfit> {
        match &mut self.values {
            Values::Text(values) => {
                values.append_own(text);
                Ok(())
            }
            _ => self.append_converted(text),
        }
    }

    fn append_converted(&mut self, text: &str) -> Result<(), Unfit> {
        let text = text.trim_ascii();
        if text.is_empty() {
            self.append_null();
            return Ok(());
        }
        match &mut self.values {
            Values::Text(_) => unreachable!("text is not converted"),
            Values::Int8(values) => append(values, text),
            Values::Int16(values) => append(values, text),
            Values::Int32(values) => append(values, text),
            Values::Int64(values) => append(values, text),
            Values::UInt8(values) => append(values, text),
            Values::UInt16(values) => append(values, text),
            Values::UInt32(values) => append(values, text),
            Values::UInt64(values) => append(values, text),
            Values::Float32(values) => append(values, text),
            Values::Float64(values) => append(values, text),
            Values::Boolean(values) => {
                let value = boolean(text);
                values.append_option(value);
                value.map(|_| ()).ok_or(Unfit)
            }
            Values::Timestamp(values) => {
                let value = self.times.read(text).map(|instant| instant.nanos);
                values.append_option(value);
                value.map(|_| ()).ok_or(Unfit)
            }
            Values::Date(values) => {
                let days = self.times.read_days(text);
                values.append_option(days);
                days.map(|_| ()).ok_or(Unfit)
            }
        }
    }

    /// The column, and what did not fit a type that only the whole column is converted to.
    pub(crate) fn finish(
        self,
        lines: &StringViewArray,
    ) -> Result<(ArrayRef, UnfitTexts), ArrowError> {
        let array: ArrayRef = match self.values {
            Values::Text(values) => Arc::new(values.finish(lines)),
            Values::Int8(mut values) => Arc::new(values.finish()),
            Values::Int16(mut values) => Arc::new(values.finish()),
            Values::Int32(mut values) => Arc::new(values.finish()),
            Values::Int64(mut values) => Arc::new(values.finish()),
            Values::UInt8(mut values) => Arc::new(values.finish()),
            Values::UInt16(mut values) => Arc::new(values.finish()),
            Values::UInt32(mut values) => Arc::new(values.finish()),
            Values::UInt64(mut values) => Arc::new(values.finish()),
            Values::Float32(mut values) => Arc::new(values.finish()),
            Values::Float64(mut values) => Arc::new(values.finish()),
            Values::Boolean(mut values) => Arc::new(values.finish()),
            Values::Timestamp(mut values) => Arc::new(match &self.data_type {
                DataType::Timestamp(_, Some(_)) => values.finish().with_timezone("UTC"),
                _ => values.finish(),
            }),
            Values::Date(mut values) => Arc::new(values.finish()),
        };
        if *array.data_type() == self.data_type {
            return Ok((array, UnfitTexts::default()));
        }
        let options = CastOptions { safe: true, ..CastOptions::default() };
        let converted = cast_with_options(&array, &self.data_type, &options)?;
        let is_unfit = |row: &usize| converted.is_null(*row) && array.is_valid(*row);
        let rows = (0..array.len()).filter(is_unfit).collect();
        Ok((converted, UnfitTexts { rows, texts: array.as_string_view_opt().cloned() }))
    }
}

/// Texts that did not fit when the whole column was converted.
#[derive(Debug, Default)]
pub(crate) struct UnfitTexts {
    /// Their rows, ascending.
    pub(crate) rows: Vec<usize>,
    texts: Option<StringViewArray>,
}

impl UnfitTexts {
    pub(crate) fn text(&self, row: usize) -> &str {
        self.texts.as_ref().map_or("", |texts| texts.value(row))
    }
}

fn append<T>(values: &mut PrimitiveBuilder<T>, text: &str) -> Result<(), Unfit>
where
    T: ArrowPrimitiveType,
    T::Native: FromStr,
{
    let value = text.parse().ok();
    values.append_option(value);
    value.map(|_| ()).ok_or(Unfit)
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(["true", "yes", "1"]) {
        Some(true)
    } else if is_one_of(["false", "no", "0"]) {
        Some(false)
    } else {
        None
    }
}
