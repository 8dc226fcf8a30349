//! Durations as people write them.

use super::number;

const NANOS_PER_SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * NANOS_PER_SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Units, the largest first, with the one below that is shown beside each.
const LONG: [(u64, &str, u64, &str); 3] =
    [(DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "m"), (MINUTE, "m", NANOS_PER_SECOND, "s")];

const SHORT: [(u64, &str); 4] =
    [(NANOS_PER_SECOND, "s"), (1_000_000, "ms"), (1000, "µs"), (1, "ns")];

/// A number of nanoseconds in its two largest units, or in one with up to three places: `1h30m`,
/// `2m5s`, `1.25s`, `12.5ms`. What is smaller is cut off.
pub fn duration_human(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let amount = nanos.unsigned_abs();
    for (unit, name, below, below_name) in LONG {
        if amount >= unit {
            let (first, second) = (amount / unit, amount % unit / below);
            return match second {
                0 => format!("{sign}{first}{name}"),
                _ => format!("{sign}{first}{name}{second}{below_name}"),
            };
        }
    }
    let unit = SHORT.into_iter().find(|(unit, _)| amount >= *unit);
    let (unit, name) = unit.unwrap_or((NANOS_PER_SECOND, "s"));
    let thousandths = if unit == 1 { 0 } else { amount % unit / (unit / 1000) };
    let fraction = format!(".{thousandths:03}");
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{sign}{}{fraction}{name}", amount / unit)
}

/// The nanoseconds in a text such as `1h30m`, `1.5s`, `2 days 3 hours` or `-250 ms`; a part of a
/// nanosecond is rounded. A number needs a unit.
pub fn parse_duration(text: &str) -> Option<i64> {
    let text = text.trim();
    let (is_negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut nanos = 0_i128;
    loop {
        let (number, behind) = number::take(rest)?;
        let behind = behind.trim_start();
        let length = behind.find(|c: char| !c.is_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(length);
        nanos = nanos.checked_add(number.times(unit_nanos(unit)?)?)?;
        rest = behind.trim_start_matches([' ', ',']);
        if rest.is_empty() {
            return i64::try_from(if is_negative { -nanos } else { nanos }).ok();
        }
    }
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit.to_lowercase().as_str() {
        "ns" | "nanosecond" | "nanoseconds" => 1,
        // The micro sign becomes a mu nowhere: both are written.
        "us" | "µs" | "μs" | "microsecond" | "microseconds" => 1000,
        "ms" | "msec" | "millisecond" | "milliseconds" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => NANOS_PER_SECOND,
        "m" | "min" | "mins" | "minute" | "minutes" => MINUTE,
        "h" | "hr" | "hrs" | "hour" | "hours" => HOUR,
        "d" | "day" | "days" => DAY,
        "w" | "week" | "weeks" => 7 * DAY,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_shown() {
        let check = |nanos, expected: &str| assert_eq!(duration_human(nanos), expected);
        check(0, "0s");
        check(999, "999ns");
        check(1500, "1.5µs");
        check(12_500_000, "12.5ms");
        check(1_250_000_000, "1.25s");
        check(59_999_999_999, "59.999s");
        check(125_000_000_000, "2m5s");
        check(5_400_000_000_000, "1h30m");
        check(-3_600_000_000_000, "-1h");
        check(100 * 3_600_000_000_000, "4d4h");
        check(i64::MIN, "-106751d23h");
    }

    #[test]
    fn durations_are_read() {
        let check = |text, expected| assert_eq!(parse_duration(text), expected, "{text}");
        check("1h30m", Some(5_400_000_000_000));
        check("1.5s", Some(1_500_000_000));
        check("-250 ms", Some(-250_000_000));
        check("2 days, 3 hours", Some(183_600_000_000_000));
        check("5 µs", Some(5000));
        check("5 μs", Some(5000));
        check(".5m", Some(30_000_000_000));
        check("1W", Some(604_800_000_000_000));
        check("0s", Some(0));
        for wrong in ["", "5", "s", "1h30", "1 month", "1y", "1h-5m", "300000d", "1..5s"] {
            check(wrong, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_but_for_what_is_cut_off(nanos in any::<i64>()) {
            let read = parse_duration(&duration_human(nanos)).expect("it is a duration");
            prop_assert!(read.unsigned_abs() <= nanos.unsigned_abs());
            prop_assert_eq!(duration_human(read), duration_human(nanos));
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.a-zµ ]{0,30}|\\PC{0,20}") {
            let _ = parse_duration(&text);
        }
    }
}
