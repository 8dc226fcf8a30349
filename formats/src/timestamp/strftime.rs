//! Times in a form that the query gives.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use chrono::format::{self, Fixed, Item, Parsed, StrftimeItems};
use chrono::{DateTime, NaiveDateTime, NaiveTime, Utc};

use super::{Instant, civil};
use crate::spec::FormatError;

/// A form of strftime's conversions, as chrono has them, ready to be used.
///
/// Equal when texts and moments are.
#[derive(Debug, Clone)]
pub struct Strftime {
    text: Arc<str>,
    items: Arc<[Item<'static>]>,
    /// For forms without a year: see [`TimestampFormat::before`](super::TimestampFormat::before).
    before: Option<i64>,
}

/// A moment whose parts all differ, in seconds since the epoch: 2009-02-13 23:31:30.
const SAMPLE_SECONDS: i64 = 1_234_567_890;

impl Strftime {
    /// The form of a text such as `%d.%m.%Y %H:%M`.
    ///
    /// # Errors
    /// When a conversion is unknown, names a zone, or no date could be read.
    pub fn try_new(text: &str) -> Result<Self, FormatError> {
        let mut items = Vec::new();
        for item in StrftimeItems::new(text) {
            match item {
                Item::Error => {
                    return Err(FormatError::new(format!("`{text}` has an unknown conversion"))
                        .with_hint(
                            "conversions are those of strftime, such as %Y-%m-%d %H:%M:%S",
                        ));
                }
                Item::Fixed(Fixed::TimezoneName) => {
                    return Err(FormatError::new("a zone cannot be read from its name")
                        .with_hint("write the name itself instead of %Z, and %z for +0100"));
                }
                item => items.push(item.to_owned()),
            }
        }
        let form = Self { text: text.into(), items: items.into(), before: None };
        form.try_on_sample()?;
        Ok(form)
    }

    /// The text of the form.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The moment of which times without a year are taken to be before.
    pub fn moment(&self) -> Option<i64> {
        self.before
    }

    pub(super) fn before(self, moment: i64) -> Self {
        Self { before: Some(moment), ..self }
    }

    pub(super) fn parse(&self, text: &str) -> Option<Instant> {
        let mut parsed = Parsed::new();
        format::parse(&mut parsed, text, self.items.iter()).ok()?;
        let zone_seconds = parsed.offset().unwrap_or(0);
        let time = self.date_time(parsed, zone_seconds)?;
        let seconds = time.and_utc().timestamp();
        let nanos = civil::nanos(
            seconds - i64::from(zone_seconds),
            // A leap second counts as the next one.
            time.and_utc().timestamp_subsec_nanos(),
        )?;
        Some(Instant { nanos, zone_seconds })
    }

    /// What the clock showed.
    fn date_time(&self, mut parsed: Parsed, zone_seconds: i32) -> Option<NaiveDateTime> {
        fill_time(&mut parsed);
        if parsed.timestamp().is_some() || has_year(&parsed) {
            return on_clock(&parsed, zone_seconds);
        }
        // A year before that of `before`, which may lack the 29th of February.
        let (month, day) = (parsed.month()?, parsed.day()?);
        let clock = parsed.to_naive_time().ok()?;
        let seconds = clock.signed_duration_since(NaiveTime::MIN).num_seconds();
        let whole = civil::Clock { seconds: seconds as u32, nanos: 0 };
        let instant = civil::without_year(month, day, whole, zone_seconds, self.before?)?;
        let date = DateTime::from_timestamp_nanos(instant.local_nanos()).date_naive();
        Some(date.and_time(clock))
    }

    /// Writes a moment and reads it again: what fails then would fail on every text.
    fn try_on_sample(&self) -> Result<(), FormatError> {
        let sample = DateTime::<Utc>::from_timestamp(SAMPLE_SECONDS, 0)
            .expect("the moment is one that chrono has");
        let mut written = String::new();
        let is_written = sample.format_with_items(self.items.iter()).write_to(&mut written).is_ok();
        if is_written && self.clone().before(SAMPLE_SECONDS).parse(&written).is_some() {
            return Ok(());
        }
        Err(FormatError::new(format!("`{}` does not make a date", self.text))
            .with_hint("a form needs a day, such as %Y-%m-%d, %b %d or %s"))
    }
}

/// A form without a time means midnight, one without minutes the full hour.
fn fill_time(parsed: &mut Parsed) {
    if parsed.timestamp().is_some() {
        return;
    }
    // A number that was read already is not set a second time.
    if parsed.hour_div_12().is_none() && parsed.hour_mod_12().is_none() {
        let _ = parsed.set_hour(0);
    }
    if parsed.minute().is_none() {
        let _ = parsed.set_minute(0);
    }
}

fn has_year(parsed: &Parsed) -> bool {
    parsed.year().is_some()
        || parsed.year_mod_100().is_some()
        || parsed.isoyear().is_some()
        || parsed.isoyear_mod_100().is_some()
}

fn on_clock(parsed: &Parsed, zone_seconds: i32) -> Option<NaiveDateTime> {
    parsed.to_naive_datetime_with_offset(zone_seconds).ok()
}

impl PartialEq for Strftime {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.before == other.before
    }
}

impl Eq for Strftime {}

impl Hash for Strftime {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
        self.before.hash(state);
    }
}
