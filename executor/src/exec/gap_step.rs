//! How far two buckets are from each other.

use std::fmt;

use arrow::compute::kernels::cast_utils::parse_interval_month_day_nano;
use arrow::datatypes::{IntervalMonthDayNano, TimeUnit};
use datafusion::common::ScalarValue;
use gleam_sql_formats::text::parse_duration;

/// What a day has.
pub const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// How far two buckets are from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GapStep {
    /// In units of the column: of its time unit, in days for DATE, as they are for integers.
    Units(i64),
    /// Calendar months.
    Months(i32),
}

impl GapStep {
    /// The step of times that `width` is, an interval or a text such as `5m` or `1 month`, in units of
    /// so many nanoseconds; none where it is no whole number of them, or mixes months with days.
    pub fn of_times(width: &ScalarValue, unit_nanos: i64) -> Option<Self> {
        let IntervalMonthDayNano { months, days, nanoseconds } = interval(width)?;
        if months != 0 {
            return (days == 0 && nanoseconds == 0).then_some(Self::Months(months));
        }
        let nanos = i64::from(days).checked_mul(NANOS_PER_DAY)?.checked_add(nanoseconds)?;
        (nanos % unit_nanos == 0).then_some(Self::Units(nanos / unit_nanos))
    }

    /// Whether it leads forward.
    pub fn is_forward(self) -> bool {
        matches!(self, Self::Units(1..) | Self::Months(1..))
    }
}

fn interval(width: &ScalarValue) -> Option<IntervalMonthDayNano> {
    match width {
        ScalarValue::IntervalMonthDayNano(interval) => *interval,
        ScalarValue::IntervalYearMonth(months) => Some(IntervalMonthDayNano::new((*months)?, 0, 0)),
        ScalarValue::IntervalDayTime(Some(time)) => {
            let nanos = i64::from(time.milliseconds) * 1_000_000;
            Some(IntervalMonthDayNano::new(0, time.days, nanos))
        }
        ScalarValue::Utf8(Some(text)) | ScalarValue::Utf8View(Some(text)) => {
            match parse_duration(text) {
                Some(nanos) => Some(IntervalMonthDayNano::new(0, 0, nanos)),
                None => parse_interval_month_day_nano(text).ok(),
            }
        }
        _ => None,
    }
}

/// The nanoseconds of a unit of time.
pub fn nanos_per(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1,
    }
}

impl fmt::Display for GapStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Units(units) => write!(f, "{units}"),
            Self::Months(months) => write!(f, "{months} months"),
        }
    }
}
