//! The formats with lines to begin with.

use arrow_array::StringViewArray;
use arrow_schema::{DataType, TimeUnit};
use gleam_sql_formats::{ColumnSpec, FormatSpec};

/// A format that is run.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) format: FormatSpec,
    pub(crate) columns: Vec<ColumnSpec>,
    pub(crate) samples: Vec<String>,
}

/// All formats.
pub(crate) fn all() -> Vec<Subject> {
    vec![
        subject("COMMON", FormatSpec::Common, COMMON),
        subject("COMBINED", FormatSpec::Combined, COMBINED),
        subject("PATTERN", FormatSpec::Pattern(PATTERN.into()), COMBINED),
        Subject {
            columns: typed(),
            ..subject("PATTERN TYPED", FormatSpec::Pattern(PATTERN.into()), COMBINED)
        },
    ]
}

/// A format with its own columns, or with those that the samples show.
fn subject(name: &'static str, format: FormatSpec, samples: &[&str]) -> Subject {
    let own = format.columns().ok().flatten();
    let lines = StringViewArray::from_iter_values(samples);
    let columns = own.unwrap_or_else(|| format.discover(&lines));
    let samples = samples.iter().map(|sample| sample.to_string()).collect();
    Subject { name, format, columns, samples }
}

const COMMON: &[&str] = &[
    r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326"#,
    r#"2001:db8::1 id john doe [29/Feb/2024:23:59:59 +0130] "OPTIONS * RTSP/1.0" 501 -"#,
    r#"host.example.org - - [01/Jan/2025:00:00:00 +0000] "GET /old" 404 17"#,
    r#"h - "" [01/Jan/2025:00:00:00 +0000] "\x16\x03\x01" 400 150"#,
    r#"h - - [01/Jan/2025:00:00:60 +0000] "-" 408 0"#,
];

const COMBINED: &[&str] = &[
    r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "http://example.com/start" "Mozilla/4.08 [en] (Win98)""#,
    r#"2001:db8::1 id john doe [29/Feb/2024:23:59:59 +0130] "POST /a \"b\" c HTTP/2.0" 304 - "-" "a \\ b \"c\" é""#,
    r#"h - - [31/Feb/2025:00:00:00 +0000] "" 4o4 99999999999999999999 "" "-""#,
    r#"h - - [01/Jan/2025:00:00:00 +0000] "GET /\x22\x5C HTTP/1.1" 200 12 "-" "curl/8.14.1" "10.0.0.1" 0.003"#,
];

const PATTERN: &str =
    r#"<ip> <_> <user> [<ts>] "<method> <path> <_>" <status> <bytes> "<referer>" "<agent>""#;

/// Some columns of the pattern, each converted in another way.
fn typed() -> Vec<ColumnSpec> {
    vec![
        ColumnSpec::new("ts", DataType::Timestamp(TimeUnit::Second, None)),
        ColumnSpec::new("status", DataType::UInt16),
        ColumnSpec::new("bytes", DataType::Decimal128(12, 2)),
        ColumnSpec::new("agent", DataType::Boolean),
        ColumnSpec::new("referer", DataType::Float64),
        ColumnSpec::text("path"),
        ColumnSpec::new("user", DataType::Date32),
    ]
}
