//! The time of access logs: `17/May/2015:10:05:03 +0000`.

use super::Instant;

const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// The length of a time in this form.
pub(crate) const LENGTH: usize = 26;

/// Where the second stands.
const SECOND: usize = 18;

/// The minute that was read last: times of an access log that follow each other are often in one.
#[derive(Debug, Default)]
pub(crate) struct Minute {
    /// With a second of 00.
    text: [u8; LENGTH],
    start: Option<Start>,
}

/// Where a minute starts.
#[derive(Debug, Clone, Copy)]
struct Start {
    /// From the epoch.
    seconds: i64,
    zone_seconds: i32,
}

impl Minute {
    /// Reads a time whose parts stand at their fixed places.
    ///
    /// None does not say that it is no time: what is not plain, such as a second of 60 or a month in
    /// small letters, is left to the forms that are recognised one by one.
    #[inline]
    pub(crate) fn read(&mut self, text: &[u8; LENGTH]) -> Option<Instant> {
        let mut minute = *text;
        minute[SECOND] = b'0';
        minute[SECOND + 1] = b'0';
        if minute != self.text {
            self.start = start(&minute);
            self.text = minute;
        }
        let (tens, ones) = (text[SECOND].wrapping_sub(b'0'), text[SECOND + 1].wrapping_sub(b'0'));
        let Start { seconds, zone_seconds } = self.start.filter(|_| tens <= 5 && ones <= 9)?;
        let seconds = seconds + i64::from(tens * 10 + ones);
        Some(Instant { nanos: seconds.checked_mul(NANOS_PER_SECOND)?, zone_seconds })
    }
}

/// The minute of a time whose second is 00.
fn start(text: &[u8; LENGTH]) -> Option<Start> {
    let [
        d1,
        d2,
        b'/',
        m1,
        m2,
        m3,
        b'/',
        y1,
        y2,
        y3,
        y4,
        b':', //
        h1,
        h2,
        b':',
        i1,
        i2,
        b':',
        b'0',
        b'0',
        b' ',
        sign @ (b'+' | b'-'),
        z1,
        z2,
        z3,
        z4,
    ] = *text
    else {
        return None;
    };
    let digits = [d1, d2, y1, y2, y3, y4, h1, h2, i1, i2, z1, z2, z3, z4]
        .map(|letter| u32::from(letter.wrapping_sub(b'0')));
    if digits.iter().any(|digit| *digit > 9) {
        return None;
    }
    let two = |at: usize| digits[at] * 10 + digits[at + 1];
    let month = month(&[m1, m2, m3])?;
    let (day, year) = (two(0), two(2) * 100 + two(4));
    let (hour, minute) = (two(6), two(8));
    let (zone_hour, zone_minute) = (two(10), two(12));
    let is_time = hour <= 23 && minute <= 59;
    let is_zone = zone_hour <= 23 && zone_minute <= 59;
    if !is_time || !is_zone || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    let east = (zone_hour * 3600 + zone_minute * 60) as i32;
    let zone_seconds = if sign == b'-' { -east } else { east };
    let clock = i64::from(hour * 3600 + minute * 60);
    let seconds = days(year, month, day) * SECONDS_PER_DAY + clock - i64::from(zone_seconds);
    Some(Start { seconds, zone_seconds })
}

fn month(name: &[u8; 3]) -> Option<u32> {
    Some(match name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}

fn days_in_month(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the epoch, by Howard Hinnant's `days_from_civil`
/// (<https://howardhinnant.github.io/date_algorithms.html>), for years from 0 on. The year starts in
/// March there, and is moved by one cycle of 400 years so that nothing is negative.
fn days(year: u32, month: u32, day: u32) -> i64 {
    let year = year + 400 - u32::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    i64::from(era * 146_097 + day_of_era) - 719_468 - 146_097
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, seconds: Option<i64>) {
        let text: &[u8; LENGTH] = text.as_bytes().try_into().unwrap();
        let read = Minute::default().read(text).map(|instant| instant.nanos);
        assert_eq!(read, seconds.map(|seconds| seconds * NANOS_PER_SECOND));
    }

    #[test]
    fn a_minute_reads_as_one_that_has_read_nothing() {
        let mut minute = Minute::default();
        for text in [
            "17/May/2015:10:05:03 +0000",
            "17/May/2015:10:05:59 +0000",
            "17/May/2015:10:05:60 +0000",
            "17/May/2015:10:05:0x +0000",
            "17/May/2015:10:05:/0 +0000",
            "17/May/2015:10:05:00 +0000",
            "17/May/2015:10:05:07 -0700",
            "17/May/2015:10:06:07 -0700",
            "17/Mai/2015:10:06:07 -0700",
            "17/Mai/2015:10:06:08 -0700",
            "17/May/2015:10:06:07 -0700",
        ] {
            let text: &[u8; LENGTH] = text.as_bytes().try_into().unwrap();
            assert_eq!(minute.read(text), Minute::default().read(text));
        }
    }

    #[test]
    fn reads_times_with_their_zones() {
        check("17/May/2015:10:05:03 +0000", Some(1_431_857_103));
        check("17/May/2015:10:05:03 +0200", Some(1_431_849_903));
        check("17/May/2015:10:05:03 -0330", Some(1_431_869_703));
        check("29/Feb/2000:00:00:00 +0000", Some(951_782_400));
        check("01/Jan/1970:00:00:00 +0000", Some(0));
        check("31/Dec/1969:23:59:59 +0000", Some(-1));
        check("21/Sep/1677:00:12:44 +0000", Some(-9_223_372_036));
    }

    #[test]
    fn leaves_what_is_out_of_range() {
        check("31/Feb/2015:10:05:03 +0000", None);
        check("29/Feb/1900:10:05:03 +0000", None);
        check("00/May/2015:10:05:03 +0000", None);
        check("17/May/2015:24:05:03 +0000", None);
        check("17/May/2015:10:60:03 +0000", None);
        check("17/May/2015:10:05:60 +0000", None);
        check("17/May/2015:10:05:03 +2400", None);
        check("17/May/2015:10:05:03 +0060", None);
        check("17/may/2015:10:05:03 +0000", None);
        check("17/May/2015:10:05:03 00000", None);
        check("17/May/2O15:10:05:03 +0000", None);
        check("17/May/1600:10:05:03 +0000", None);
    }

    proptest! {
        #[test]
        fn agrees_with_chrono(seconds in -9_000_000_000_i64..9_000_000_000, zone in -1439_i32..1440) {
            let zone = chrono::FixedOffset::east_opt(zone * 60).unwrap();
            let time = DateTime::from_timestamp(seconds, 0).unwrap().with_timezone(&zone);
            check(&time.format("%d/%b/%Y:%H:%M:%S %z").to_string(), Some(seconds));
        }
    }
}
