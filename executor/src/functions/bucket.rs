//! `bucket('5m', ts)`: the start of the bucket that a value is in.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use chrono::{DateTime, Datelike, NaiveDate};
use datafusion::common::{ScalarValue, exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::documentation;
use crate::exec::{GapStep, nanos_per};

const NAME: &str = "bucket";

/// Cuts times, and whole numbers, into buckets of one width, counted from the epoch or from zero.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Bucket {
    signature: Signature,
    documentation: Documentation,
}

impl Bucket {
    pub(super) fn new() -> Self {
        const DESCRIPTION: &str = "The start of the bucket that a time or a whole number is in. \
            The width of times is `'5m'`, `'1h'`, `'1d'`, `'1 month'` or an interval.";
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
            documentation: documentation(DESCRIPTION, "bucket(width, value)"),
        }
    }
}

impl ScalarUDFImpl for Bucket {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [_, value] => Ok(value.clone()),
            _ => plan_err!("`{NAME}` takes a width and a value: {NAME}('5m', ts)"),
        }
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let [width, value] = arguments else {
            return plan_err!("`{NAME}` takes a width and a value: {NAME}('5m', ts)");
        };
        let value = match value {
            DataType::Timestamp(..) => value.clone(),
            DataType::Date32 | DataType::Date64 | DataType::Null => {
                DataType::Timestamp(TimeUnit::Nanosecond, None)
            }
            integer if integer.is_integer() => DataType::Int64,
            other => {
                return plan_err!("`{NAME}` cuts times and whole numbers, not {other}");
            }
        };
        let width = match width {
            width if width.is_integer() => DataType::Int64,
            DataType::Interval(_) => width.clone(),
            _ => DataType::Utf8,
        };
        Ok(vec![width, value])
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [width, values] = arguments.args.as_slice() else {
            return exec_err!("`{NAME}` takes a width and a value");
        };
        let ColumnarValue::Scalar(width) = width else {
            return exec_err!("the width of a `{NAME}` is the same for all rows");
        };
        let is_constant = matches!(values, ColumnarValue::Scalar(_));
        let values = values.to_array(arguments.number_rows)?;
        let starts = match self::width(width, values.data_type())? {
            Some(width) => starts(&values, width)?,
            None => arrow::array::new_null_array(values.data_type(), values.len()),
        };
        if is_constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&starts, 0)?));
        }
        Ok(ColumnarValue::Array(starts))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

/// The width in units of `data_type`; none where it is NULL.
fn width(width: &ScalarValue, data_type: &DataType) -> Result<Option<GapStep>> {
    if width.is_null() {
        return Ok(None);
    }
    let found = match (width, data_type) {
        (ScalarValue::Int64(Some(units)), DataType::Int64) => Some(GapStep::Units(*units)),
        (_, DataType::Timestamp(unit, _)) => GapStep::of_times(width, nanos_per(*unit)),
        _ => None,
    };
    match found {
        Some(found) if found.is_forward() => Ok(Some(found)),
        _ => exec_err!(
            "{} is no width of a `{NAME}`; write '5m', '1h', '1d' or '1 month' for times, \
             a whole number for numbers",
            shown(width)
        ),
    }
}

fn shown(width: &ScalarValue) -> String {
    match width {
        ScalarValue::Utf8(Some(text)) => format!("'{text}'"),
        ScalarValue::Int64(Some(number)) => number.to_string(),
        _ => "the interval".to_owned(),
    }
}

fn starts(values: &ArrayRef, width: GapStep) -> Result<ArrayRef> {
    let units = cast(values, &DataType::Int64)?;
    let units = units.as_primitive::<Int64Type>();
    let start = |value: i64| match width {
        GapStep::Units(units) => value.checked_sub(value.rem_euclid(units)),
        GapStep::Months(months) => start_of_months(value, months.into(), values.data_type()),
    };
    let starts: Int64Array = units.iter().map(|value| start(value?)).collect();
    Ok(cast(&starts, values.data_type())?)
}

/// The first moment of the months, of which so many are a bucket, that a moment is in.
fn start_of_months(value: i64, months: i64, data_type: &DataType) -> Option<i64> {
    let DataType::Timestamp(unit, _) = data_type else { return None };
    let per_second = 1_000_000_000 / nanos_per(*unit);
    let time = DateTime::from_timestamp(value.div_euclid(per_second), 0)?;
    let month = i64::from(time.year()) * 12 + i64::from(time.month0());
    let month = month - month.rem_euclid(months);
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let first = NaiveDate::from_ymd_opt(year, month.rem_euclid(12) as u32 + 1, 1)?;
    first.and_hms_opt(0, 0, 0)?.and_utc().timestamp().checked_mul(per_second)
}
