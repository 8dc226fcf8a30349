//! Sizes and times as people write them.

use std::sync::Arc;

use arrow::array::{AsArray, Float64Array, Int64Array, StringViewArray};
use arrow::datatypes::{DataType, Float64Type};
use gleam_sql_formats::text::{bytes_human, duration_human, parse_bytes, parse_duration};

use super::LogFunction;

const NANOS_PER_SECOND: f64 = 1e9;

pub(super) fn functions() -> Vec<LogFunction> {
    vec![
        LogFunction::new(
            "format_bytes",
            &[("bytes", DataType::Float64)],
            DataType::Utf8View,
            "A number of bytes as people read it: `1.5 GiB`.",
            |columns| {
                let sizes = columns[0].as_primitive::<Float64Type>().iter();
                // A conversion to an integer stays within its bounds.
                let shown = sizes.map(|size| size.map(|size| bytes_human(size.round() as i64)));
                Ok(Arc::new(shown.collect::<StringViewArray>()))
            },
        ),
        LogFunction::new(
            "parse_bytes",
            &[("text", DataType::Utf8View)],
            DataType::Int64,
            "The number of bytes that `10MB`, `1.5 GiB` or `64k` is; NULL where it is none.",
            |columns| {
                let texts = columns[0].as_string_view().iter();
                Ok(Arc::new(texts.map(|text| parse_bytes(text?)).collect::<Int64Array>()))
            },
        ),
        LogFunction::new(
            "format_duration",
            &[("seconds", DataType::Float64)],
            DataType::Utf8View,
            "A number of seconds as people read it: `1h30m`, `12.5ms`.",
            |columns| {
                let times = columns[0].as_primitive::<Float64Type>().iter();
                let shown = times.map(|seconds| nanos(seconds?).map(duration_human));
                Ok(Arc::new(shown.collect::<StringViewArray>()))
            },
        ),
        LogFunction::new(
            "parse_duration",
            &[("text", DataType::Utf8View)],
            DataType::Float64,
            "The number of seconds that `1h30m`, `1.5s` or `250 ms` is; NULL where it is none.",
            |columns| {
                let texts = columns[0].as_string_view().iter();
                let seconds =
                    texts.map(|text| Some(parse_duration(text?)? as f64 / NANOS_PER_SECOND));
                Ok(Arc::new(seconds.collect::<Float64Array>()))
            },
        ),
    ]
}

/// Whole nanoseconds; none beyond what 64 bits can hold.
fn nanos(seconds: f64) -> Option<i64> {
    let nanos = seconds * NANOS_PER_SECOND;
    // The bounds are powers of two, which doubles hold exactly.
    (nanos >= i64::MIN as f64 && nanos < i64::MAX as f64).then_some(nanos.round() as i64)
}
