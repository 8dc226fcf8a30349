//! Rows to JSON objects, one a line.
//!
//! Arrow's own writer is not used: it makes null of NaN, and prints the message of a failed
//! conversion as if it were the value.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::Unwritable;
use super::encode::to_text;

/// # Errors
/// The first row with a number that JSON does not have, or a type without a text form.
pub(super) fn write(names: &[String], columns: &[ArrayRef]) -> Result<Vec<u8>, Unwritable> {
    if names.len() != columns.len() {
        let reason = format!("{} names for {} columns", names.len(), columns.len());
        return Err(Unwritable { row: None, reason });
    }
    let columns = columns.iter().map(JsonColumn::try_new).collect::<Result<Vec<_>, _>>()?;
    let members: Vec<Member> = names.iter().map(|name| key(name)).zip(columns).collect();
    let rows = members.first().map_or(0, |(_, column)| column.rows);
    let mut text = Vec::new();
    for row in 0..rows {
        let written = write_object(&members, row, &mut text);
        written.map_err(|reason| Unwritable { row: Some(row), reason })?;
        text.push(b'\n');
    }
    Ok(text)
}

/// A key as JSON, with its colon, and the values.
type Member = (String, JsonColumn);

/// Numbers have all their digits. What is no number, boolean, list, struct or map is the text that
/// the other formats have.
struct JsonColumn {
    rows: usize,
    nulls: Option<NullBuffer>,
    values: Values,
}

enum Values {
    Null,
    Bare(StringViewArray),
    Float(StringViewArray),
    Quoted(StringViewArray),
    List { ranges: Vec<Range<usize>>, items: Box<JsonColumn> },
    Struct(Vec<Member>),
    Map { ranges: Vec<Range<usize>>, keys: StringViewArray, values: Box<JsonColumn> },
}

impl JsonColumn {
    fn try_new(array: &ArrayRef) -> Result<Self, Unwritable> {
        let values = match array.data_type() {
            DataType::Null => Values::Null,
            DataType::Dictionary(_, values) => return Self::try_new(&cast(array, values)?),
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                Values::Float(to_text(array)?)
            }
            DataType::Boolean => Values::Bare(to_text(array)?),
            numeric if numeric.is_numeric() => Values::Bare(to_text(array)?),
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                let items = Box::new(Self::try_new(list.values())?);
                Values::List { ranges: ranges(list.value_offsets(), |at| *at as usize), items }
            }
            DataType::List(item)
            | DataType::FixedSizeList(item, _)
            | DataType::ListView(item)
            | DataType::LargeListView(item) => {
                return Self::try_new(&cast(array, &DataType::LargeList(item.clone()))?);
            }
            DataType::Struct(fields) => {
                let columns = array.as_struct().columns().iter().map(Self::try_new);
                let members = fields.iter().zip(columns);
                let members = members.map(|(field, column)| Ok((key(field.name()), column?)));
                Values::Struct(members.collect::<Result<_, Unwritable>>()?)
            }
            DataType::Map(_, _) => {
                let map = array.as_map();
                Values::Map {
                    ranges: ranges(map.value_offsets(), |at| *at as usize),
                    keys: to_text(map.keys())?,
                    values: Box::new(Self::try_new(map.values())?),
                }
            }
            _ => Values::Quoted(to_text(array)?),
        };
        Ok(Self { rows: array.len(), nulls: array.logical_nulls(), values })
    }

    fn write(&self, row: usize, text: &mut Vec<u8>) -> Result<(), String> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            text.extend_from_slice(b"null");
            return Ok(());
        }
        match &self.values {
            Values::Null => text.extend_from_slice(b"null"),
            Values::Bare(values) => text.extend_from_slice(values.value(row).as_bytes()),
            Values::Float(values) => text.extend_from_slice(finite(values.value(row))?.as_bytes()),
            Values::Quoted(values) => text.extend_from_slice(quoted(values.value(row)).as_bytes()),
            Values::List { ranges, items } => {
                text.push(b'[');
                for (position, item) in ranges[row].clone().enumerate() {
                    if position > 0 {
                        text.push(b',');
                    }
                    items.write(item, text)?;
                }
                text.push(b']');
            }
            Values::Struct(members) => write_object(members, row, text)?,
            Values::Map { ranges, keys, values } => {
                text.push(b'{');
                for (position, entry) in ranges[row].clone().enumerate() {
                    if position > 0 {
                        text.push(b',');
                    }
                    text.extend_from_slice(key(keys.value(entry)).as_bytes());
                    values.write(entry, text)?;
                }
                text.push(b'}');
            }
        }
        Ok(())
    }
}

fn write_object(members: &[Member], row: usize, text: &mut Vec<u8>) -> Result<(), String> {
    text.push(b'{');
    for (position, (key, column)) in members.iter().enumerate() {
        if position > 0 {
            text.push(b',');
        }
        text.extend_from_slice(key.as_bytes());
        column.write(row, text)?;
    }
    text.push(b'}');
    Ok(())
}

fn ranges<O>(offsets: &[O], to_usize: impl Fn(&O) -> usize) -> Vec<Range<usize>> {
    offsets.windows(2).map(|ends| to_usize(&ends[0])..to_usize(&ends[1])).collect()
}

fn finite(number: &str) -> Result<&str, String> {
    match number.trim_start_matches('-') {
        "NaN" | "inf" => Err(format!("{number} is no number that JSON has")),
        _ => Ok(number),
    }
}

fn key(name: &str) -> String {
    format!("{}:", quoted(name))
}

fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}
