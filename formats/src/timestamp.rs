//! Times as logs write them.

pub(crate) mod clf;
mod recognise;

use chrono::{DateTime, NaiveDateTime};

/// How a column's times are written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum TimestampFormat {
    /// In one of the usual forms.
    #[default]
    Recognised,
    /// As Recognised, where a form without a year gets the one that puts it at or before this
    /// moment, in seconds since the epoch, with a day of grace for clocks that are ahead.
    RecognisedBefore(i64),
    /// In this form, of strftime's conversions as chrono has them.
    Strftime(String),
}

/// A moment that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant {
    /// Nanoseconds since the epoch; a time without a zone counts as UTC.
    pub nanos: i64,
    /// Seconds that its zone is east of UTC.
    pub zone_seconds: i32,
}

impl Instant {
    /// Nanoseconds from the epoch to the time that the clock showed.
    pub(crate) fn local_nanos(self) -> i64 {
        self.nanos.saturating_add(i64::from(self.zone_seconds) * 1_000_000_000)
    }
}

impl TimestampFormat {
    /// Reads `text`, which has no space around it.
    pub fn parse(&self, text: &str) -> Option<Instant> {
        match self {
            Self::Recognised => recognise::recognise(text, None),
            Self::RecognisedBefore(moment) => recognise::recognise(text, Some(*moment)),
            Self::Strftime(format) => by_strftime(text, format),
        }
    }
}

fn by_strftime(text: &str, format: &str) -> Option<Instant> {
    if let Ok(time) = DateTime::parse_from_str(text, format) {
        let zone_seconds = time.offset().local_minus_utc();
        return Some(Instant { nanos: time.timestamp_nanos_opt()?, zone_seconds });
    }
    let time = NaiveDateTime::parse_from_str(text, format).ok()?;
    Some(Instant { nanos: time.and_utc().timestamp_nanos_opt()?, zone_seconds: 0 })
}
