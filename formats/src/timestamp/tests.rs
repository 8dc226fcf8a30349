//! The forms of times, one by one and against chrono.

use chrono::{DateTime, FixedOffset, NaiveDateTime};
use proptest::prelude::*;

use super::{Strftime, TimestampFormat};

/// 2024-03-01 12:00:00 UTC.
const MOMENT: i64 = 1_709_294_400;

/// Reads `text` and shows it as RFC 3339 in its own zone.
fn shown(format: &TimestampFormat, text: &str) -> String {
    let Some(instant) = format.parse(text) else { return "none".into() };
    let zone = FixedOffset::east_opt(instant.zone_seconds).unwrap();
    DateTime::from_timestamp_nanos(instant.nanos)
        .with_timezone(&zone)
        .to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(shown(&TimestampFormat::RecognisedBefore(MOMENT), text), expected, "{text}");
}

#[test]
fn iso() {
    check("2024-01-02T10:05:03Z", "2024-01-02T10:05:03Z");
    check("2024-01-02t10:05:03z", "2024-01-02T10:05:03Z");
    check("2024-01-02T10:05:03", "2024-01-02T10:05:03Z");
    check("2024-01-02 10:05:03", "2024-01-02T10:05:03Z");
    check("2024-01-02 10:05", "2024-01-02T10:05:00Z");
    check("2024-01-02T10:05+01:00", "2024-01-02T10:05:00+01:00");
    check("2024-01-02", "2024-01-02T00:00:00Z");
    check("2024-01-02T10:05:03+01:00", "2024-01-02T10:05:03+01:00");
    check("2024-01-02T10:05:03-0730", "2024-01-02T10:05:03-07:30");
    check("2024-01-02T10:05:03+01", "2024-01-02T10:05:03+01:00");
    check("2024-01-02 10:05:03 +0000", "2024-01-02T10:05:03Z");
    check("2024-01-02 10:05:03 UTC", "2024-01-02T10:05:03Z");
    check("2024-01-02 10:05:03.5 GMT", "2024-01-02T10:05:03.500Z");
    check("2024-01-02 10:05:03,747", "2024-01-02T10:05:03.747Z");
    check("2024-01-02T10:05:03.123456789Z", "2024-01-02T10:05:03.123456789Z");
    check("2024-01-02T10:05:03.12345678999Z", "2024-01-02T10:05:03.123456789Z");
    check("2024-02-29", "2024-02-29T00:00:00Z");
    check("2000-02-29", "2000-02-29T00:00:00Z");
}

#[test]
fn a_leap_second_is_the_next_one() {
    check("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z");
    check("2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.250Z");
    check("2016-12-31T23:59:61Z", "none");
}

#[test]
fn access_logs_and_other_servers() {
    check("17/May/2015:10:05:03 +0000", "2015-05-17T10:05:03Z");
    check("17/May/2015:10:05:03 -0800", "2015-05-17T10:05:03-08:00");
    check("17/May/2015:10:05:03.250 +0000", "2015-05-17T10:05:03.250Z");
    check("02/Jan/2024 10:05:03", "2024-01-02T10:05:03Z");
    check("02-Jan-2024 10:05:03.123", "2024-01-02T10:05:03.123Z");
    check("2005/06/09 06:07:05", "2005-06-09T06:07:05Z");
    check("2005/06/09 06:07:05.000001", "2005-06-09T06:07:05.000001Z");
    check("Sun Dec 04 04:47:44 2005", "2005-12-04T04:47:44Z");
    check("Sun Dec  4 04:47:44 2005", "2005-12-04T04:47:44Z");
    check("Sun Dec 04 04:47:44.123456 2005", "2005-12-04T04:47:44.123456Z");
    check("Sun Dec  4 04:47:44 UTC 2005", "2005-12-04T04:47:44Z");
    check("Mon Dec 04 04:47:44 2005", "none");
    check("Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z");
    check("Sun, 6 Nov 1994 08:49:37 +0130", "1994-11-06T08:49:37+01:30");
    check("6 Nov 1994 08:49:37", "1994-11-06T08:49:37Z");
    check("Mon, 06 Nov 1994 08:49:37 GMT", "none");
}

#[test]
fn compact() {
    check("20150729 17:41:44", "2015-07-29T17:41:44Z");
    check("20150729 17:41:44,120", "2015-07-29T17:41:44.120Z");
    check("20150729T174144Z", "2015-07-29T17:41:44Z");
    check("20150729T174144.5+0200", "2015-07-29T17:41:44.500+02:00");
    check("20150729174144", "2015-07-29T17:41:44Z");
    check("20150729", "2015-07-29T00:00:00Z");
    check("081109 203615", "2008-11-09T20:36:15Z");
    check("081109 20:36:15", "2008-11-09T20:36:15Z");
    check("991109 203615", "1999-11-09T20:36:15Z");
}

#[test]
fn epochs() {
    check("1700000000", "2023-11-14T22:13:20Z");
    check("1700000000.25", "2023-11-14T22:13:20.250Z");
    check("1700000000123", "2023-11-14T22:13:20.123Z");
    check("1700000000123456", "2023-11-14T22:13:20.123456Z");
    check("1700000000123456789", "2023-11-14T22:13:20.123456789Z");
    check("9999999999999999999", "none");
    check("170000000", "none");
    check("17000000001", "none");
    check("1700000000.", "none");
    check("1700000000.25Z", "none");
}

#[test]
fn without_a_year() {
    // The moment is 12 o'clock on the 1st of March 2024; so much is at most a day ahead.
    check("Mar  2 12:00:00", "2024-03-02T12:00:00Z");
    check("Mar  2 12:00:01", "2023-03-02T12:00:01Z");
    check("Feb 29 10:00:00", "2024-02-29T10:00:00Z");
    check("Jun  4 15:16:01", "2023-06-04T15:16:01Z");
    check("Jun 4 15:16:01.5", "2023-06-04T15:16:01.500Z");
    check("Jun 14 2015 15:16:01", "2015-06-14T15:16:01Z");
    check("Jun 14 15:16:01 2015", "2015-06-14T15:16:01Z");
    check("0102 15:04:05.123456", "2024-01-02T15:04:05.123456Z");
    check("1231 15:04:05", "2023-12-31T15:04:05Z");
    check("Feb 30 10:00:00", "none");
    let unknown = TimestampFormat::Recognised;
    assert_eq!(shown(&unknown, "Jun  4 15:16:01"), "none");
    assert_eq!(unknown.expected("Jun  4 15:16:01"), "a TIMESTAMP with a year");
    // Years from 1896 to 1904 have no such day.
    let before_1904 = TimestampFormat::RecognisedBefore(-2_100_000_000);
    assert_eq!(shown(&before_1904, "Feb 29 10:00:00"), "1896-02-29T10:00:00Z");
    let hopeless = TimestampFormat::RecognisedBefore(i64::MAX);
    assert_eq!(shown(&hopeless, "Feb 29 10:00:00"), "none");
}

#[test]
fn what_is_no_time() {
    let texts = "01/02/2024|2024-13-01|2024-00-10|2023-02-29|1900-02-29|2024-01-02T24:00:00\
        |2024-01-02T10:60:00|2024-01-02T1:05:03|2024-01-02T10:05:03.|2024-01-02T10:05:03.Z\
        |2024-01-02T10:05:03+24:00|2024-01-02T10:05:03+01:60|2024-01-02T10:05:03 \
        |2024-01-02 10:05:0x|2024-01-02T|2024-01-02T10:05:|2024-01-02x10:05:03|-024-01-02\
        |2024-01-02T10:05:03+1|2024-01-02T10:05:03 CET|0000-00-00|2263-01-01|1677-01-01\
        |17/Foo/2015:10:05:03 +0000|32/May/2015:10:05:03 +0000|Jun|Jun  4|Foo  4 15:16:01\
        |[2024-01-02T10:05:03]|２０２４-01-02|20:36:15|:|/|081309 203615|4||\u{0}";
    texts.split('|').for_each(|text| check(text, "none"));
}

#[test]
fn strftime() {
    let check = |form: &str, text: &str, expected: &str| {
        let format = TimestampFormat::strftime(form).unwrap().before(MOMENT);
        assert_eq!(shown(&format, text), expected, "{form} {text}");
    };
    check("%Y-%m-%d", "2024-01-02", "2024-01-02T00:00:00Z");
    check("%Y-%m-%d", "2024-01-02 10:05", "none");
    check("%d.%m.%Y %H:%M", "02.01.2024 10:05", "2024-01-02T10:05:00Z");
    check("%d.%m.%Y %H", "02.01.2024 10", "2024-01-02T10:00:00Z");
    check("%m/%d/%y %I:%M:%S %p", "01/02/24 10:05:03 PM", "2024-01-02T22:05:03Z");
    check(
        "%Y-%m-%d %H:%M:%S%.f %z",
        "2024-01-02 10:05:03.5 +0100",
        "2024-01-02T10:05:03.500+01:00",
    );
    check("%Y-%m-%d %H:%M:%S UTC", "2024-01-02 10:05:60 UTC", "2024-01-02T10:06:00Z");
    check("%b %e %H:%M:%S", "Jun  4 15:16:01", "2023-06-04T15:16:01Z");
    check("%b %d", "Feb 29", "2024-02-29T00:00:00Z");
    check("%d/%m %H:%M", "02/03 12:00", "2024-03-02T12:00:00Z");
    check("%s", "1700000000", "2023-11-14T22:13:20Z");
    check("%G-W%V-%u", "2024-W01-2", "2024-01-02T00:00:00Z");
    check("%Y %j", "2024 060", "2024-02-29T00:00:00Z");
    let without_moment = TimestampFormat::strftime("%b %d").unwrap();
    assert_eq!(shown(&without_moment, "Feb 29"), "none");
}

#[test]
fn forms_that_are_wrong() {
    let message = |form| Strftime::try_new(form).unwrap_err().message;
    assert_eq!(message("%Y-%Q"), "`%Y-%Q` has an unknown conversion");
    assert_eq!(message("%H:%M:%S %Z"), "a zone cannot be read from its name");
    assert_eq!(message("%H:%M:%S"), "`%H:%M:%S` does not make a date");
    assert_eq!(message("%Y-%m"), "`%Y-%m` does not make a date");
    assert_eq!(message("%Y-%m-%d %I:%M"), "`%Y-%m-%d %I:%M` does not make a date");
    assert_eq!(message(""), "`` does not make a date");
    assert_eq!(Strftime::try_new("%s").unwrap(), Strftime::try_new("%s").unwrap());
}

/// Moments from 1678 to 2262 with a zone of whole minutes.
fn moments() -> impl Strategy<Value = DateTime<FixedOffset>> {
    (-9_214_560_000_i64..9_214_646_400, 0..1_000_000_000_u32, -1439..1440_i32).prop_map(
        |(seconds, nanos, minutes)| {
            let zone = FixedOffset::east_opt(minutes * 60).unwrap();
            DateTime::from_timestamp(seconds, nanos).unwrap().with_timezone(&zone)
        },
    )
}

/// Forms of local times, which chrono writes and reads too.
const LOCAL_FORMS: [&str; 18] = [
    "%Y-%m-%dT%H:%M:%S%.9f",
    "%Y-%m-%d %H:%M:%S%.6f",
    "%Y-%m-%d %H:%M:%S%.3f",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%d/%b/%Y:%H:%M:%S",
    "%d/%b/%Y %H:%M:%S",
    "%d-%b-%Y %H:%M:%S%.3f",
    "%b %d %Y %H:%M:%S",
    "%b %e %Y %H:%M:%S",
    "%a %b %d %H:%M:%S %Y",
    "%a %b %e %H:%M:%S%.6f %Y",
    "%a, %d %b %Y %H:%M:%S",
    "%Y%m%d %H:%M:%S",
    "%Y%m%dT%H%M%S",
    "%Y%m%d%H%M%S",
];

const ZONED_FORMS: [&str; 7] = [
    "%Y-%m-%dT%H:%M:%S%.9f%:z",
    "%Y-%m-%dT%H:%M:%S%z",
    "%Y-%m-%d %H:%M:%S%.3f %z",
    "%Y-%m-%d %H:%M%:z",
    "%d/%b/%Y:%H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %z",
    "%Y%m%dT%H%M%S%z",
];

proptest! {
    #[test]
    fn local_forms_are_as_in_chrono(time in moments(), form in 0..LOCAL_FORMS.len()) {
        let form = LOCAL_FORMS[form];
        let text = time.format(form).to_string();
        let expected = NaiveDateTime::parse_from_str(&text, form)
            .or_else(|_| chrono::NaiveDate::parse_from_str(&text, form).map(|date| date.into()))
            .unwrap();
        let read = TimestampFormat::Recognised.parse(&text).unwrap();
        prop_assert_eq!(Some(read.nanos), expected.and_utc().timestamp_nanos_opt(), "{}", text);
        prop_assert_eq!(read.zone_seconds, 0);
        prop_assert_eq!(TimestampFormat::strftime(form).unwrap().parse(&text), Some(read));
    }

    #[test]
    fn zoned_forms_are_as_in_chrono(time in moments(), form in 0..ZONED_FORMS.len()) {
        let form = ZONED_FORMS[form];
        let text = time.format(form).to_string();
        let expected = DateTime::parse_from_str(&text, form).unwrap();
        let read = TimestampFormat::Recognised.parse(&text).unwrap();
        prop_assert_eq!(Some(read.nanos), expected.timestamp_nanos_opt(), "{}", text);
        prop_assert_eq!(read.zone_seconds, time.offset().local_minus_utc());
        prop_assert_eq!(TimestampFormat::strftime(form).unwrap().parse(&text), Some(read));
    }

    #[test]
    fn the_year_is_the_latest_that_fits(
        before in -2_000_000_000_i64..6_000_000_000, back in -86_400_i64..300 * 86_400,
    ) {
        let time = DateTime::from_timestamp(before - back, 0).unwrap();
        for form in ["%b %e %H:%M:%S", "%b %d %H:%M:%S", "%m%d %H:%M:%S"] {
            let text = time.format(form).to_string();
            let format = TimestampFormat::RecognisedBefore(before);
            let read = format.parse(&text).unwrap();
            prop_assert_eq!(read.nanos, time.timestamp_nanos_opt().unwrap(), "{}", text);
            let format = TimestampFormat::strftime(form).unwrap().before(before);
            prop_assert_eq!(format.parse(&text), Some(read));
        }
    }

    #[test]
    fn two_digits_of_a_year_are_as_in_chrono(time in 0..3_000_000_000_i64) {
        let time = DateTime::from_timestamp(time, 0).unwrap();
        for form in ["%y%m%d %H%M%S", "%y%m%d %H:%M:%S"] {
            let text = time.format(form).to_string();
            let read = TimestampFormat::Recognised.parse(&text).unwrap();
            prop_assert_eq!(read.nanos, time.timestamp_nanos_opt().unwrap());
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), near in "[0-9TZ :.,/+-]{0,40}") {
        for text in [&text, &near] {
            let _ = TimestampFormat::RecognisedBefore(MOMENT).parse(text);
            let _ = super::iso(text);
            let _ = Strftime::try_new(text).map(|form| form.parse(&near));
        }
    }

    /// A byte of a time changed: either it is another time or it is none, as chrono says.
    #[test]
    fn what_chrono_refuses_is_refused(
        time in moments(), at in 0..25_usize, byte in "[0-9:+TZ .-]",
    ) {
        let mut text = time.format("%Y-%m-%dT%H:%M:%S%:z").to_string();
        text.replace_range(at..at + 1, &byte);
        let read = TimestampFormat::Recognised.parse(&text);
        if let Ok(expected) = DateTime::parse_from_rfc3339(&text) {
            prop_assert_eq!(read.map(|read| read.nanos), expected.timestamp_nanos_opt(), "{}", text);
        }
    }
}
