//! Times in a column.

use crate::timestamp::{Instant, TimestampFormat, clf};

const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Reads times. Lines of a log that follow each other often have the same one, which is read once, or
/// the same minute.
#[derive(Debug)]
pub(crate) struct Times {
    format: TimestampFormat,
    /// Whether the form of access logs is one of those that are read.
    takes_clf: bool,
    last_text: [u8; clf::LENGTH],
    last: Option<Instant>,
    minute: clf::Minute,
}

impl Times {
    pub(super) fn new(format: &TimestampFormat) -> Self {
        use TimestampFormat::{Recognised, RecognisedBefore};
        Self {
            format: format.clone(),
            takes_clf: matches!(format, Recognised | RecognisedBefore(_)),
            last_text: [0; clf::LENGTH],
            last: None,
            minute: clf::Minute::default(),
        }
    }

    #[inline]
    pub(super) fn read(&mut self, text: &str) -> Option<Instant> {
        let Ok(letters) = <&[u8; clf::LENGTH]>::try_from(text.as_bytes()) else {
            return self.format.parse(text);
        };
        if *letters != self.last_text {
            let clf = if self.takes_clf { self.minute.read(letters) } else { None };
            self.last = clf.or_else(|| self.format.parse(text));
            self.last_text = *letters;
        }
        self.last
    }

    /// Days from the epoch to the date that the clock showed.
    pub(super) fn read_days(&mut self, text: &str) -> Option<i32> {
        let days = self.read(text)?.local_nanos().div_euclid(NANOS_PER_DAY);
        i32::try_from(days).ok()
    }
}
