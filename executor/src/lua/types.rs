//! The types a Lua function takes and gives, and their Arrow counterparts.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use serde::{Deserialize, Serialize};

use super::LuaError;
use super::program::LuaColumn;

/// A column type as Lua sees it; it can be sent to agents, which Arrow's own cannot.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are named after the types")]
pub enum LuaType {
    Null,
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Float32,
    Float64,
    Text,
    Binary,
    Timestamp,
    Date,
    List(Box<LuaType>),
    Struct(Vec<LuaColumn>),
}

impl LuaType {
    /// The Arrow type of an output column declared with this type.
    pub fn to_arrow(&self) -> DataType {
        self.arrow_with_text(&DataType::Utf8View)
    }

    /// The Arrow type in which the child sends an output column: TEXT has 32-bit offsets.
    pub(super) fn to_reply(&self) -> DataType {
        self.arrow_with_text(&DataType::Utf8)
    }

    fn arrow_with_text(&self, text: &DataType) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Boolean => DataType::Boolean,
            Self::Int8 => DataType::Int8,
            Self::Int16 => DataType::Int16,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::UInt8 => DataType::UInt8,
            Self::UInt16 => DataType::UInt16,
            Self::UInt32 => DataType::UInt32,
            Self::UInt64 => DataType::UInt64,
            Self::Float32 => DataType::Float32,
            Self::Float64 => DataType::Float64,
            Self::Text => text.clone(),
            Self::Binary => DataType::Binary,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Nanosecond, None),
            Self::Date => DataType::Date32,
            Self::List(item) => DataType::List(item_field(item.arrow_with_text(text))),
            Self::Struct(fields) => {
                DataType::Struct(struct_fields(fields, |field| field.arrow_with_text(text)))
            }
        }
    }

    /// The Arrow type in which the parent ships an input column: all whole numbers are 64 bits
    /// wide, times are seconds in a DOUBLE, and strings have 32-bit offsets.
    pub(super) fn to_wire(&self) -> DataType {
        match self {
            Self::Null => DataType::Null,
            Self::Boolean => DataType::Boolean,
            Self::Int8 | Self::Int16 | Self::Int32 | Self::Int64 => DataType::Int64,
            Self::UInt8 | Self::UInt16 | Self::UInt32 => DataType::Int64,
            Self::UInt64 => DataType::UInt64,
            Self::Float32 | Self::Float64 | Self::Timestamp | Self::Date => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Binary => DataType::Binary,
            Self::List(item) => DataType::List(item_field(item.to_wire())),
            Self::Struct(fields) => DataType::Struct(struct_fields(fields, Self::to_wire)),
        }
    }
}

/// The nullable element field of a list.
pub(super) fn item_field(data_type: DataType) -> FieldRef {
    Arc::new(Field::new("item", data_type, true))
}

/// Nullable Arrow fields for `columns`, each type mapped by `to_arrow`.
pub(super) fn struct_fields(
    columns: &[LuaColumn],
    to_arrow: impl Fn(&LuaType) -> DataType,
) -> Fields {
    columns.iter().map(|c| Field::new(&c.name, to_arrow(&c.data_type), true)).collect()
}

impl TryFrom<&DataType> for LuaType {
    type Error = LuaError;

    /// The type Lua sees for an Arrow column. DECIMAL is TEXT, so that no digit is lost; units
    /// and time zones of timestamps go, because Lua has seconds since the epoch.
    fn try_from(data_type: &DataType) -> Result<Self, LuaError> {
        Ok(match data_type {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => Self::Int8,
            DataType::Int16 => Self::Int16,
            DataType::Int32 => Self::Int32,
            DataType::Int64 => Self::Int64,
            DataType::UInt8 => Self::UInt8,
            DataType::UInt16 => Self::UInt16,
            DataType::UInt32 => Self::UInt32,
            DataType::UInt64 => Self::UInt64,
            DataType::Float16 | DataType::Float32 => Self::Float32,
            DataType::Float64 => Self::Float64,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Decimal32(..) | DataType::Decimal64(..) => Self::Text,
            DataType::Decimal128(..) | DataType::Decimal256(..) => Self::Text,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Self::Binary,
            DataType::FixedSizeBinary(_) => Self::Binary,
            DataType::Timestamp(..) => Self::Timestamp,
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Dictionary(_, values) => Self::try_from(values.as_ref())?,
            DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
                Self::List(Box::new(Self::try_from(item.data_type())?))
            }
            DataType::Struct(fields) => Self::Struct(
                fields
                    .iter()
                    .map(|f| Ok(LuaColumn::new(f.name(), Self::try_from(f.data_type())?)))
                    .collect::<Result<_, LuaError>>()?,
            ),
            other => return Err(LuaError::UnsupportedType(other.clone())),
        })
    }
}

impl fmt::Display for LuaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Null => "NULL",
            Self::Boolean => "BOOLEAN",
            Self::Int8 => "TINYINT",
            Self::Int16 => "SMALLINT",
            Self::Int32 => "INT",
            Self::Int64 => "BIGINT",
            Self::UInt8 => "TINYINT UNSIGNED",
            Self::UInt16 => "SMALLINT UNSIGNED",
            Self::UInt32 => "INT UNSIGNED",
            Self::UInt64 => "BIGINT UNSIGNED",
            Self::Float32 => "FLOAT",
            Self::Float64 => "DOUBLE",
            Self::Text => "TEXT",
            Self::Binary => "BYTEA",
            Self::Timestamp => "TIMESTAMP",
            Self::Date => "DATE",
            Self::List(item) => return write!(f, "{item}[]"),
            Self::Struct(_) => "STRUCT",
        };
        f.write_str(name)
    }
}
