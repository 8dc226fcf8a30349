//! Columns that a format fills, and how the text of a field becomes a value.

mod builder;
mod check;
mod text;
mod times;

use arrow_schema::{DataType, TimeUnit};

use crate::timestamp::TimestampFormat;

pub(crate) use builder::ColumnBuilder;
pub(crate) use check::Check;
pub(crate) use text::{Line, TextBuilder};

/// A value that does not fit the type of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfit;

/// A column to fill: the field's name and the type that its text is converted to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ColumnSpec {
    /// The name of the field in the format.
    pub name: String,
    /// `Utf8View` keeps the text as it stands.
    pub data_type: DataType,
    /// How times are written; only looked at where the type is a timestamp or a date.
    pub time: TimestampFormat,
}

impl ColumnSpec {
    /// A column of a type.
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Self { name: name.into(), data_type, time: TimestampFormat::Recognised }
    }

    /// A column of text.
    pub fn text(name: impl Into<String>) -> Self {
        Self::new(name, DataType::Utf8View)
    }

    /// A column of moments: nanoseconds since the epoch, in UTC.
    pub fn moment(name: impl Into<String>) -> Self {
        Self::new(name, DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())))
    }

    /// A column of times without a zone, in nanoseconds.
    pub fn local_time(name: impl Into<String>) -> Self {
        Self::new(name, DataType::Timestamp(TimeUnit::Nanosecond, None))
    }

    /// The same column with times written in one form.
    pub fn with_time(self, time: TimestampFormat) -> Self {
        Self { time, ..self }
    }
}

/// The longest text that a message shows.
const MAX_SHOWN_CHARS: usize = 60;

impl ColumnSpec {
    /// Whether text is converted to something that it may not fit.
    pub(crate) fn is_converted(&self) -> bool {
        !matches!(self.data_type, DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8)
    }

    /// Why `text` cannot be a value of the column.
    pub(crate) fn unfit(&self, text: &str) -> String {
        let mut shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        let expected = match &self.data_type {
            DataType::Timestamp(..) => self.time.expected(text),
            other => sql_name(other),
        };
        format!("{}: `{shown}` is not {expected}", self.name)
    }
}

impl ColumnSpec {
    /// The type as the dialect writes it.
    pub fn type_name(&self) -> String {
        match &self.data_type {
            DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => "TEXT".into(),
            DataType::Timestamp(..) => "TIMESTAMP".into(),
            DataType::Date32 => "DATE".into(),
            other => sql_name(other),
        }
    }
}

/// A type in a message.
fn sql_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "BOOLEAN".into(),
        DataType::Int8 => "TINYINT".into(),
        DataType::Int16 => "SMALLINT".into(),
        DataType::Int32 => "INT".into(),
        DataType::Int64 => "BIGINT".into(),
        DataType::Float32 => "REAL".into(),
        DataType::Float64 => "DOUBLE".into(),
        DataType::Date32 => "a DATE".into(),
        other => other.to_string(),
    }
}
