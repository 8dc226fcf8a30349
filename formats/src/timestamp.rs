//! Times as logs write them.

mod civil;
pub(crate) mod clf;
mod parts;
mod recognise;
mod strftime;

#[cfg(test)]
mod tests;

pub(crate) use recognise::iso;
pub use strftime::Strftime;

use crate::spec::FormatError;

/// How a column's times are written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum TimestampFormat {
    /// In one of the usual forms that have a year.
    #[default]
    Recognised,
    /// As Recognised, where a form without a year gets the latest one that puts it at most a day
    /// after this moment, in seconds since the epoch. The day is for clocks that are ahead.
    RecognisedBefore(i64),
    /// In this form.
    Strftime(Strftime),
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
    /// The form of a text such as `%d.%m.%Y %H:%M`, of strftime's conversions as chrono has them.
    ///
    /// # Errors
    /// As [`Strftime::try_new`].
    pub fn strftime(text: &str) -> Result<Self, FormatError> {
        Ok(Self::Strftime(Strftime::try_new(text)?))
    }

    /// The same form, where times without a year get the latest one that puts them at most a day
    /// after `moment`, in seconds since the epoch.
    pub fn before(self, moment: i64) -> Self {
        match self {
            Self::Recognised | Self::RecognisedBefore(_) => Self::RecognisedBefore(moment),
            Self::Strftime(form) => Self::Strftime(form.before(moment)),
        }
    }

    /// Reads `text`, which has no space around it.
    pub fn parse(&self, text: &str) -> Option<Instant> {
        match self {
            Self::Recognised => recognise::recognise(text, None),
            Self::RecognisedBefore(moment) => recognise::recognise(text, Some(*moment)),
            Self::Strftime(form) => form.parse(text),
        }
    }

    /// What a text is not that [`parse`](Self::parse) cannot read, behind `is not`.
    pub(crate) fn expected(&self, text: &str) -> String {
        match self {
            Self::Recognised if recognise::recognise(text, Some(0)).is_some() => {
                "a TIMESTAMP with a year".into()
            }
            Self::Recognised | Self::RecognisedBefore(_) => {
                "a TIMESTAMP in a form that is recognised".into()
            }
            Self::Strftime(form) => format!("a TIMESTAMP of the form `{}`", form.text()),
        }
    }
}
