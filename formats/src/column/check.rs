//! Whether values fit a column that nobody wants to see.

use std::str::FromStr;

use arrow_schema::DataType;

use super::builder::boolean;
use super::times::Times;
use super::{ColumnSpec, Unfit};

/// Converts values as [`ColumnBuilder`](super::ColumnBuilder) does, and keeps none.
#[derive(Debug)]
pub(crate) enum Check {
    Number(fn(&str) -> bool),
    Timestamp(Times),
    Date(Times),
}

impl Check {
    /// None where only the whole column is converted.
    pub(crate) fn new(column: &ColumnSpec) -> Option<Self> {
        Some(match &column.data_type {
            DataType::Int8 => Self::Number(is::<i8>),
            DataType::Int16 => Self::Number(is::<i16>),
            DataType::Int32 => Self::Number(is::<i32>),
            DataType::Int64 => Self::Number(is::<i64>),
            DataType::UInt8 => Self::Number(is::<u8>),
            DataType::UInt16 => Self::Number(is::<u16>),
            DataType::UInt32 => Self::Number(is::<u32>),
            DataType::UInt64 => Self::Number(is::<u64>),
            DataType::Float32 => Self::Number(is::<f32>),
            DataType::Float64 => Self::Number(is::<f64>),
            DataType::Boolean => Self::Number(|text| boolean(text).is_some()),
            DataType::Timestamp(..) => Self::Timestamp(Times::new(&column.time)),
            DataType::Date32 => Self::Date(Times::new(&column.time)),
            _ => return None,
        })
    }

    /// Whether `text` is a value of the column.
    pub(crate) fn check(&mut self, text: &str) -> Result<(), Unfit> {
        let text = text.trim_ascii();
        let fits = text.is_empty()
            || match self {
                Self::Number(fits) => fits(text),
                Self::Timestamp(times) => times.read(text).is_some(),
                Self::Date(times) => times.read_days(text).is_some(),
            };
        if fits { Ok(()) } else { Err(Unfit) }
    }
}

fn is<T: FromStr>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}
