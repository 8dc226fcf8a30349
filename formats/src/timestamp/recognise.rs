//! The usual forms of times in logs.

use chrono::{DateTime, NaiveDateTime};

use super::Instant;

/// Reads a time in one of the usual forms. `before` is for forms without a year.
pub(super) fn recognise(text: &str, _before: Option<i64>) -> Option<Instant> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        let zone_seconds = time.offset().local_minus_utc();
        return Some(Instant { nanos: time.timestamp_nanos_opt()?, zone_seconds });
    }
    if let Ok(time) = DateTime::parse_from_str(text, "%d/%b/%Y:%H:%M:%S %z") {
        let zone_seconds = time.offset().local_minus_utc();
        return Some(Instant { nanos: time.timestamp_nanos_opt()?, zone_seconds });
    }
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    Some(Instant { nanos: time.and_utc().timestamp_nanos_opt()?, zone_seconds: 0 })
}
