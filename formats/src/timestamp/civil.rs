//! Dates of the calendar, and the year of those that lack one.

use super::Instant;

const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// The 29th of February is missing for at most so many years: from 1896 to 1904, for one.
const LONGEST_LEAP_GAP_YEARS: i32 = 8;

/// A day of the Gregorian calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Date {
    /// Days since the epoch.
    days: i64,
}

/// A time of a day; second 60 is the first one of the next minute, as in POSIX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) seconds: u32,
    pub(super) nanos: u32,
}

impl Clock {
    pub(super) const MIDNIGHT: Self = Self { seconds: 0, nanos: 0 };

    /// None where a number is out of its range.
    pub(super) fn new(hour: u32, minute: u32, second: u32) -> Option<Self> {
        let is_valid = hour <= 23 && minute <= 59 && second <= 60;
        is_valid.then_some(Self { seconds: hour * 3600 + minute * 60 + second, nanos: 0 })
    }
}

impl Date {
    /// None where there is no such day.
    pub(super) fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        if year > 9999 || !(1..=12).contains(&month) {
            return None;
        }
        let year = year as i32;
        let is_valid = (1..=days_in_month(year, month)).contains(&day);
        is_valid.then(|| Self { days: days_from_civil(year, month, day) })
    }

    /// None where the moment does not fit into 64 bits of nanoseconds: before 1677, after 2262.
    pub(super) fn at(self, clock: Clock, zone_seconds: i32) -> Option<Instant> {
        let local = self.days * SECONDS_PER_DAY + i64::from(clock.seconds);
        let seconds = local - i64::from(zone_seconds);
        let nanos = nanos(seconds, clock.nanos)?;
        Some(Instant { nanos, zone_seconds })
    }
}

/// Nanoseconds of a number of seconds and a part of one; the sum may fit where a product does not.
pub(super) fn nanos(seconds: i64, nanos: u32) -> Option<i64> {
    let sum = i128::from(seconds) * i128::from(NANOS_PER_SECOND) + i128::from(nanos);
    i64::try_from(sum).ok()
}

/// The time of a date without a year, in the latest year that puts it at most a day after `before`,
/// in seconds since the epoch.
pub(super) fn without_year(
    month: u32,
    day: u32,
    clock: Clock,
    zone_seconds: i32,
    before: i64,
) -> Option<Instant> {
    let latest = before.checked_add(SECONDS_PER_DAY)?;
    let latest_nanos = nanos(latest, 0)?;
    // With a zone west of Greenwich, a local year may be the one before that of UTC, but not after
    // it; one more is tried for the zones in the east.
    let last_year = year_of(latest.div_euclid(SECONDS_PER_DAY)) + 1;
    (last_year - LONGEST_LEAP_GAP_YEARS - 1..=last_year).rev().find_map(|year| {
        let date = Date::new(u32::try_from(year).ok()?, month, day)?;
        date.at(clock, zone_seconds).filter(|instant| instant.nanos <= latest_nanos)
    })
}

fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days since the epoch, by Howard Hinnant's `days_from_civil`
/// (<https://howardhinnant.github.io/date_algorithms.html>), for years from 0 on.
fn days_from_civil(year: i32, month: u32, day: u32) -> i64 {
    // Years start in March, so that the leap day is the last one of its year. The year is moved by
    // a whole cycle of 400, so that that of January 0 is not negative.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let year = (year + 400) as u32;
    let (era, year) = (year / 400, year % 400);
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let day_of_era = year * 365 + year / 4 - year / 100 + day_of_year;
    (i64::from(era) - 1) * 146_097 + i64::from(day_of_era) - 719_468
}

/// The year of a day since the epoch, by Hinnant's `civil_from_days`.
fn year_of(days: i64) -> i32 {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    // From January on, that is from day 306 of years that start in March, it is the next year.
    (year + era * 400 + i64::from(day_of_year >= 306)) as i32
}
