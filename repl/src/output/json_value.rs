//! JSON text of Arrow values of any type.
//!
//! Arrow's own JSON writer is not used, because it prints the message of a failed conversion as if
//! it were the value, refuses maps whose keys are not text, and does not see NULLs among the values
//! of a dictionary.

use std::ops::Range;

use arrow::array::{Array, AsArray, OffsetSizeTrait};
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use arrow::util::display::ArrayFormatter;

use super::column::{Text, formatter};
use super::json_text::{key, unique_names, write_string};

/// The values of one array, as JSON.
///
/// Integers and decimals are numbers with all their digits. NaN and the infinities, for which JSON
/// has no numbers, are the texts `"NaN"`, `"Infinity"` and `"-Infinity"`. What is neither text nor
/// a number, a boolean, a list, a struct or a map is the text that the other formats print.
pub(super) struct JsonColumn<'a> {
    nulls: Option<NullBuffer>,
    values: Values<'a>,
}

enum Values<'a> {
    Text(Text<'a>),
    Bare(ArrayFormatter<'a>),
    Float(ArrayFormatter<'a>),
    Quoted(ArrayFormatter<'a>),
    Dictionary { keys: Vec<usize>, values: Box<JsonColumn<'a>> },
    List { range: RowRange<'a>, items: Box<JsonColumn<'a>> },
    Struct(Vec<(String, JsonColumn<'a>)>),
    Map { range: RowRange<'a>, keys: Box<JsonColumn<'a>>, values: Box<JsonColumn<'a>> },
}

/// Where the items of a row lie in the child array.
type RowRange<'a> = Box<dyn Fn(usize) -> Range<usize> + 'a>;

impl<'a> JsonColumn<'a> {
    pub(super) fn try_new(array: &'a dyn Array) -> Result<Self, ArrowError> {
        Ok(Self { nulls: array.logical_nulls(), values: values(array)? })
    }

    /// Appends the value of one row.
    pub(super) fn write(&self, row: usize, out: &mut String) -> Result<(), ArrowError> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            out.push_str("null");
            return Ok(());
        }
        match &self.values {
            Values::Text(text) => write_string(text.value(row), out),
            Values::Bare(values) => values.value(row).write(out)?,
            Values::Float(values) => write_float(values, row, out)?,
            Values::Quoted(values) => write_string(&values.value(row).try_to_string()?, out),
            Values::Dictionary { keys, values } => values.write(keys[row], out)?,
            Values::List { range, items } => write_list(range(row), items, out)?,
            Values::Struct(fields) => write_struct(fields, row, out)?,
            Values::Map { range, keys, values } => write_map(range(row), keys, values, out)?,
        }
        Ok(())
    }

    /// Appends the value of one row as the key of an object, which has to be a text.
    fn write_key(&self, row: usize, out: &mut String) -> Result<(), ArrowError> {
        let start = out.len();
        self.write(row, out)?;
        if !out[start..].starts_with('"') {
            let bare = out.split_off(start);
            write_string(&bare, out);
        }
        Ok(())
    }
}

fn values(array: &dyn Array) -> Result<Values<'_>, ArrowError> {
    if let Some(text) = Text::of(array) {
        return Ok(Values::Text(text));
    }
    Ok(match array.data_type() {
        DataType::Boolean => Values::Bare(formatter(array)?),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            Values::Float(formatter(array)?)
        }
        numeric if numeric.is_numeric() => Values::Bare(formatter(array)?),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let values = Box::new(JsonColumn::try_new(dictionary.values().as_ref())?);
            Values::Dictionary { keys: dictionary.normalized_keys(), values }
        }
        DataType::List(_) => list(array.as_list::<i32>())?,
        DataType::LargeList(_) => list(array.as_list::<i64>())?,
        DataType::ListView(_) => list_view(array.as_list_view::<i32>())?,
        DataType::LargeListView(_) => list_view(array.as_list_view::<i64>())?,
        DataType::FixedSizeList(_, _) => {
            let list = array.as_fixed_size_list();
            let length = list.value_length() as usize;
            let items = Box::new(JsonColumn::try_new(list.values().as_ref())?);
            Values::List { range: Box::new(move |row| row * length..(row + 1) * length), items }
        }
        DataType::Struct(fields) => {
            let names = unique_names(fields.iter().map(|field| field.name().as_str()));
            let columns = array.as_struct().columns();
            let columns = columns.iter().map(|column| JsonColumn::try_new(column.as_ref()));
            let fields = names.iter().zip(columns).map(|(name, column)| Ok((key(name), column?)));
            Values::Struct(fields.collect::<Result<_, ArrowError>>()?)
        }
        DataType::Map(_, _) => {
            let map = array.as_map();
            let keys = Box::new(JsonColumn::try_new(map.keys().as_ref())?);
            let values = Box::new(JsonColumn::try_new(map.values().as_ref())?);
            Values::Map { range: Box::new(|row| range_of(map.value_offsets(), row)), keys, values }
        }
        _ => Values::Quoted(formatter(array)?),
    })
}

fn list<O: OffsetSizeTrait>(
    array: &arrow::array::GenericListArray<O>,
) -> Result<Values<'_>, ArrowError> {
    let items = Box::new(JsonColumn::try_new(array.values().as_ref())?);
    Ok(Values::List { range: Box::new(|row| range_of(array.value_offsets(), row)), items })
}

fn list_view<O: OffsetSizeTrait>(
    array: &arrow::array::GenericListViewArray<O>,
) -> Result<Values<'_>, ArrowError> {
    let items = Box::new(JsonColumn::try_new(array.values().as_ref())?);
    let range = |row: usize| {
        let start = array.value_offsets()[row].as_usize();
        start..start + array.value_sizes()[row].as_usize()
    };
    Ok(Values::List { range: Box::new(range), items })
}

fn range_of<O: OffsetSizeTrait>(offsets: &[O], row: usize) -> Range<usize> {
    offsets[row].as_usize()..offsets[row + 1].as_usize()
}

fn write_float(
    values: &ArrayFormatter<'_>,
    row: usize,
    out: &mut String,
) -> Result<(), ArrowError> {
    let start = out.len();
    values.value(row).write(out)?;
    let named = match &out[start..] {
        "NaN" => "\"NaN\"",
        "inf" => "\"Infinity\"",
        "-inf" => "\"-Infinity\"",
        _ => return Ok(()),
    };
    out.truncate(start);
    out.push_str(named);
    Ok(())
}

fn write_list(
    range: Range<usize>,
    items: &JsonColumn<'_>,
    out: &mut String,
) -> Result<(), ArrowError> {
    out.push('[');
    for (position, item) in range.enumerate() {
        if position > 0 {
            out.push(',');
        }
        items.write(item, out)?;
    }
    out.push(']');
    Ok(())
}

/// Appends one object; the keys are already JSON, as [`key`] makes them.
pub(super) fn write_struct(
    fields: &[(String, JsonColumn<'_>)],
    row: usize,
    out: &mut String,
) -> Result<(), ArrowError> {
    out.push('{');
    for (position, (key, column)) in fields.iter().enumerate() {
        if position > 0 {
            out.push(',');
        }
        out.push_str(key);
        column.write(row, out)?;
    }
    out.push('}');
    Ok(())
}

fn write_map(
    range: Range<usize>,
    keys: &JsonColumn<'_>,
    values: &JsonColumn<'_>,
    out: &mut String,
) -> Result<(), ArrowError> {
    out.push('{');
    for (position, entry) in range.enumerate() {
        if position > 0 {
            out.push(',');
        }
        keys.write_key(entry, out)?;
        out.push(':');
        values.write(entry, out)?;
    }
    out.push('}');
    Ok(())
}
