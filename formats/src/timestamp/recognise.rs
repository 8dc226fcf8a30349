//! The usual forms of times in logs.
//!
//! No form is recognised whose day and month could be mistaken for each other, such as 01/02/2024.

use super::Instant;
use super::civil::{self, Clock, Date};
use super::parts;

/// Reads a time in one of the usual forms. `before` is for forms without a year, which are not
/// recognised without it.
pub(super) fn recognise(text: &str, before: Option<i64>) -> Option<Instant> {
    let text = text.as_bytes();
    match text {
        // The form that is met most is tried first.
        [_, _, _, _, b'-', ..] => date_first(text, b'-'),
        [b'0'..=b'9', ..] => from_digit(text, before),
        _ => from_letter(text, before),
    }
}

/// Reads a date and time of ISO 8601, and tells whether it has a zone.
pub(crate) fn iso(text: &str) -> Option<(Instant, bool)> {
    let (date, rest) = date(text.as_bytes(), b'-')?;
    let [b'T' | b't' | b' ', rest @ ..] = rest else { return None };
    let (clock, rest) = parts::clock_or_minutes(rest)?;
    let zone = parts::zone(rest)?;
    Some((date.at(clock, zone.unwrap_or(0))?, zone.is_some()))
}

/// `2024-01-02T10:05:03.123+01:00`, `2024-01-02 10:05`, `2024-01-02`, `2005/06/09 06:07:05`.
fn date_first(text: &[u8], separator: u8) -> Option<Instant> {
    let (date, rest) = date(text, separator)?;
    match rest {
        [] => date.at(Clock::MIDNIGHT, 0),
        [b'T' | b't' | b' ', rest @ ..] => {
            let (clock, rest) = parts::clock_or_minutes(rest)?;
            date.at(clock, parts::zone(rest)?.unwrap_or(0))
        }
        _ => None,
    }
}

fn date(text: &[u8], separator: u8) -> Option<(Date, &[u8])> {
    let [y1, y2, y3, y4, first, m1, m2, second, d1, d2, rest @ ..] = text else { return None };
    if *first != separator || *second != separator {
        return None;
    }
    let year = parts::four([*y1, *y2, *y3, *y4]);
    Some((Date::new(year, parts::two(*m1, *m2), parts::two(*d1, *d2))?, rest))
}

fn from_digit(text: &[u8], before: Option<i64>) -> Option<Instant> {
    let length = parts::digits(text);
    match (length, &text[length..]) {
        (4, [b'/', ..]) => date_first(text, b'/'),
        (4, [b' ', rest @ ..]) => klog(text, rest, before),
        (2, [separator @ (b'/' | b'-'), ..]) => day_first(text, *separator),
        (1 | 2, [b' ', ..]) => mail(text),
        (6, [b' ', rest @ ..]) => short(text, rest),
        (8, rest) => compact(text, rest),
        (14, rest) => {
            let (clock, _) = parts::compact_clock(&text[8..14])?;
            compact_date(text)?.at(clock, parts::zone(rest)?.unwrap_or(0))
        }
        (10, [b'.', rest @ ..]) => {
            let (nanos, rest) = parts::fraction(rest)?;
            if !rest.is_empty() {
                return None;
            }
            epoch(&text[..10], 1_000_000_000, nanos)
        }
        (10, []) => epoch(text, 1_000_000_000, 0),
        (13, []) => epoch(text, 1_000_000, 0),
        (16, []) => epoch(text, 1000, 0),
        (19, []) => epoch(text, 1, 0),
        _ => None,
    }
}

fn from_letter(text: &[u8], before: Option<i64>) -> Option<Instant> {
    match text {
        [a, b, c, b',', b' ', rest @ ..] => {
            let weekday = parts::weekday([*a, *b, *c])?;
            on_weekday(mail(rest)?, weekday)
        }
        [a, b, c, b' ', rest @ ..] => match parts::weekday([*a, *b, *c]) {
            Some(weekday) => on_weekday(month_first(rest, before)?, weekday),
            None => month_first(text, before),
        },
        _ => None,
    }
}

/// Nothing where the date is no such day of the week.
fn on_weekday(instant: Instant, weekday: u32) -> Option<Instant> {
    const NANOS_PER_DAY: i64 = 86_400_000_000_000;
    // The epoch was a Thursday.
    let days = instant.local_nanos().div_euclid(NANOS_PER_DAY) + 3;
    (days.rem_euclid(7) == i64::from(weekday)).then_some(instant)
}

/// A number of units since the epoch.
fn epoch(digits: &[u8], nanos_per_unit: i64, nanos: u32) -> Option<Instant> {
    let number = digits.iter().try_fold(0_i64, |number, digit| {
        number.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
    })?;
    let nanos = number.checked_mul(nanos_per_unit)?.checked_add(i64::from(nanos))?;
    Some(Instant { nanos, zone_seconds: 0 })
}

/// klog's `0102 15:04:05.123456`: month and day.
fn klog(text: &[u8], rest: &[u8], before: Option<i64>) -> Option<Instant> {
    let [m1, m2, d1, d2, ..] = text else { return None };
    let (clock, rest) = parts::clock(rest)?;
    let (month, day) = (parts::two(*m1, *m2), parts::two(*d1, *d2));
    let zone = parts::zone(rest)?.unwrap_or(0);
    civil::without_year(month, day, clock, zone, before?)
}

/// Apache's `17/May/2015:10:05:03 +0000`, Tomcat's `02-Jan-2024 10:05:03.123`.
fn day_first(text: &[u8], separator: u8) -> Option<Instant> {
    let [d1, d2, first, a, b, c, second, y1, y2, y3, y4, b' ' | b':', rest @ ..] = text else {
        return None;
    };
    if *first != separator || *second != separator {
        return None;
    }
    let year = parts::four([*y1, *y2, *y3, *y4]);
    let date = Date::new(year, parts::month([*a, *b, *c])?, parts::two(*d1, *d2))?;
    let (clock, rest) = parts::clock(rest)?;
    date.at(clock, parts::zone(rest)?.unwrap_or(0))
}

/// `06 Nov 1994 08:49:37 GMT` of mail and HTTP.
fn mail(text: &[u8]) -> Option<Instant> {
    let (day, rest) = parts::day(text)?;
    let [a, b, c, b' ', y1, y2, y3, y4, b' ', rest @ ..] = rest else { return None };
    let date = Date::new(parts::four([*y1, *y2, *y3, *y4]), parts::month([*a, *b, *c])?, day)?;
    let (clock, rest) = parts::clock_or_minutes(rest)?;
    date.at(clock, parts::zone(rest)?.unwrap_or(0))
}

/// HDFS's `081109 203615`, MySQL's `081109 20:36:15`: two digits of the year.
fn short(text: &[u8], rest: &[u8]) -> Option<Instant> {
    let [y1, y2, m1, m2, d1, d2, ..] = text else { return None };
    let year = parts::two(*y1, *y2);
    // As strftime's %y in chrono.
    let year = if year < 70 { 2000 + year } else { 1900 + year };
    let date = Date::new(year, parts::two(*m1, *m2), parts::two(*d1, *d2))?;
    let (clock, rest) = parts::clock(rest).or_else(|| parts::compact_clock(rest))?;
    date.at(clock, parts::zone(rest)?.unwrap_or(0))
}

/// `20150729`, `20150729 17:41:44`, `20150729T174144Z`.
fn compact(text: &[u8], rest: &[u8]) -> Option<Instant> {
    let date = compact_date(text)?;
    let rest = match rest {
        [] => return date.at(Clock::MIDNIGHT, 0),
        [b'T' | b't' | b' ', rest @ ..] => rest,
        _ => return None,
    };
    let (clock, rest) = parts::clock(rest).or_else(|| parts::compact_clock(rest))?;
    date.at(clock, parts::zone(rest)?.unwrap_or(0))
}

fn compact_date(text: &[u8]) -> Option<Date> {
    let [y1, y2, y3, y4, m1, m2, d1, d2, ..] = text else { return None };
    let year = parts::four([*y1, *y2, *y3, *y4]);
    Date::new(year, parts::two(*m1, *m2), parts::two(*d1, *d2))
}

/// Syslog's `Jun  4 15:16:01`, with a year in front of the time (`Jun 14 2015 15:16:01`) or behind
/// it (asctime's `Dec 04 04:47:44 2005`, date's `Dec  4 04:47:44 UTC 2005`).
fn month_first(text: &[u8], before: Option<i64>) -> Option<Instant> {
    let [a, b, c, b' ', rest @ ..] = text else { return None };
    let month = parts::month([*a, *b, *c])?;
    let (day, rest) = parts::day(rest)?;
    if let [y1, y2, y3, y4, b' ', rest @ ..] = rest {
        let date = Date::new(parts::four([*y1, *y2, *y3, *y4]), month, day)?;
        let (clock, rest) = parts::clock(rest)?;
        return date.at(clock, parts::zone(rest)?.unwrap_or(0));
    }
    let (clock, rest) = parts::clock(rest)?;
    if let [zone @ .., b' ', y1, y2, y3, y4] = rest
        && let year = parts::four([*y1, *y2, *y3, *y4])
        && year <= 9999
    {
        let date = Date::new(year, month, day)?;
        return date.at(clock, parts::zone(zone)?.unwrap_or(0));
    }
    let zone = parts::zone(rest)?.unwrap_or(0);
    civil::without_year(month, day, clock, zone, before?)
}
