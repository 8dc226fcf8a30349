//! TEXT to the types of the columns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringViewArray};
use arrow::compute::{CastOptions, cast_with_options, nullif};
use arrow::datatypes::{DataType, Float32Type, Float64Type};
use arrow::error::ArrowError;
use datafusion::common::format::DEFAULT_FORMAT_OPTIONS;

use crate::lua::LuaType;

/// A column of text as values of a type.
#[derive(Debug)]
pub struct Typed {
    /// NULL where the text is, and where it does not fit.
    pub values: ArrayRef,
    /// The rows whose text does not fit.
    pub misfits: Vec<usize>,
}

/// Reads `text` as values of `data_type`. Blanks around a value do not matter, as `wc` and `uniq -c`
/// print them around their numbers; TEXT keeps them.
///
/// # Errors
/// When no text can be of that type.
pub fn typed(text: &StringViewArray, data_type: &DataType) -> Result<Typed, ArrowError> {
    if *data_type == DataType::Utf8View {
        return Ok(Typed { values: Arc::new(text.clone()), misfits: Vec::new() });
    }
    let keeps_blanks = data_type.is_string() || data_type.is_binary();
    let trimmed: StringViewArray;
    let source = if keeps_blanks || !text.iter().flatten().any(has_blanks) {
        text
    } else {
        trimmed = text.iter().map(|value| value.map(str::trim_ascii)).collect();
        &trimmed
    };
    let options = CastOptions { safe: true, format_options: DEFAULT_FORMAT_OPTIONS };
    let mut values = cast_with_options(source, data_type, &options)?;
    if let Some(wrong) = too_large(source, &values) {
        values = nullif(&values, &wrong)?;
    }
    let mut misfits = Vec::new();
    if values.null_count() > text.null_count() {
        misfits.extend((0..text.len()).filter(|row| values.is_null(*row) && text.is_valid(*row)));
    }
    Ok(Typed { values, misfits })
}

fn has_blanks(value: &str) -> bool {
    value.trim_ascii().len() < value.len()
}

/// What Arrow would take although it does not fit: digits that make an infinity, and decimals with
/// more digits before the point than the type has, which wrap around.
fn too_large(text: &StringViewArray, values: &ArrayRef) -> Option<BooleanArray> {
    let is_too_large: Box<dyn Fn(usize) -> bool> = match values.data_type() {
        DataType::Float32 => {
            let values = values.as_primitive::<Float32Type>();
            Box::new(|row| values.value(row).is_infinite() && has_digits(text.value(row)))
        }
        DataType::Float64 => {
            let values = values.as_primitive::<Float64Type>();
            Box::new(|row| values.value(row).is_infinite() && has_digits(text.value(row)))
        }
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => {
            let limit = i32::from(*precision) - i32::from(*scale);
            Box::new(move |row| whole_digits(text.value(row)) > limit)
        }
        _ => return None,
    };
    let wrong: BooleanArray =
        (0..text.len()).map(|row| Some(values.is_valid(row) && is_too_large(row))).collect();
    (wrong.true_count() > 0).then_some(wrong)
}

fn has_digits(value: &str) -> bool {
    value.bytes().any(|byte| byte.is_ascii_digit())
}

/// The digits before the point, leading zeroes left out. A number with an exponent has none: Arrow
/// checks it by itself.
fn whole_digits(number: &str) -> i32 {
    if number.contains(['e', 'E']) {
        return 0;
    }
    let whole = number.trim_start_matches(['+', '-']).split('.').next().unwrap_or_default();
    i32::try_from(whole.trim_start_matches('0').len()).unwrap_or(i32::MAX)
}

/// The SQL name of a type.
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => format!("DECIMAL({precision}, {scale})"),
        DataType::Time32(_) | DataType::Time64(_) => "TIME".to_owned(),
        DataType::Interval(_) => "INTERVAL".to_owned(),
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP WITH TIME ZONE".to_owned(),
        other => LuaType::try_from(other).map_or_else(|_| other.to_string(), |t| t.to_string()),
    }
}
