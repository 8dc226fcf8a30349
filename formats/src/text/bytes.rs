//! Numbers of bytes as people write them.

use super::number;

const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// A number of bytes, in the largest unit of 1024 of which there is at least one: `1.5 GiB`.
pub fn bytes_human(bytes: i64) -> String {
    let sign = if bytes < 0 { "-" } else { "" };
    let amount = bytes.unsigned_abs();
    let mut unit = (u64::BITS - amount.leading_zeros()).saturating_sub(1) / 10;
    if unit == 0 {
        return format!("{sign}{amount} B");
    }
    let mut tenths = tenths(amount, unit);
    // 1023.96 KiB are 1.0 MiB.
    if tenths >= 10_240 && unit + 1 < UNITS.len() as u32 {
        unit += 1;
        tenths = self::tenths(amount, unit);
    }
    format!("{sign}{}.{} {}", tenths / 10, tenths % 10, UNITS[unit as usize])
}

/// How many tenths of a unit these are, rounded.
fn tenths(amount: u64, unit: u32) -> u128 {
    let size = 1_u128 << (10 * unit);
    (u128::from(amount) * 10 + size / 2) / size
}

/// The number of bytes in a text such as `10MB`, `1.5 GiB`, `4k` or `512`, in any case of letters;
/// a part of a byte is rounded.
///
/// `KB`, `MB` … are powers of 1000, `KiB`, `MiB` … and the bare letters `K`, `M` … (as `du`, nginx
/// and Java have them) powers of 1024.
pub fn parse_bytes(text: &str) -> Option<i64> {
    let text = text.trim();
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (number, unit) = number::take(text)?;
    let bytes = number.times(unit_bytes(unit.trim_start())?)?;
    i64::try_from(if is_negative { -bytes } else { bytes }).ok()
}

fn unit_bytes(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    if matches!(unit.as_str(), "" | "b" | "byte" | "bytes") {
        return Some(1);
    }
    let letter = unit.chars().next()?;
    let power = "kmgtpe".find(letter)? as u32 + 1;
    match &unit[1..] {
        "" | "i" | "ib" => Some(1 << (10 * power)),
        "b" => Some(1000_u64.pow(power)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_are_shown_in_a_fitting_unit() {
        let check = |bytes, expected: &str| assert_eq!(bytes_human(bytes), expected);
        check(0, "0 B");
        check(1023, "1023 B");
        check(1024, "1.0 KiB");
        check(1536, "1.5 KiB");
        check(-1536, "-1.5 KiB");
        check(1_048_575, "1.0 MiB");
        check(1_610_612_736, "1.5 GiB");
        check(i64::MAX, "8.0 EiB");
        check(i64::MIN, "-8.0 EiB");
    }

    #[test]
    fn bytes_are_read() {
        let check = |text, expected| assert_eq!(parse_bytes(text), expected, "{text}");
        check("512", Some(512));
        check("10MB", Some(10_000_000));
        check("10 MiB", Some(10_485_760));
        check("4k", Some(4096));
        check(" 1.5 gib ", Some(1_610_612_736));
        check("-1.5KB", Some(-1500));
        check(".5 kB", Some(500));
        check("1.0000000000000000000001K", Some(1024));
        check("7EiB", Some(7 << 60));
        check("0b", Some(0));
        for wrong in
            ["", "x", "1 x", "1 kbit", "8EiB", "1e3", "--1", ".", "1 µB", "99999999999999999999"]
        {
            check(wrong, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_nearly_what_is_read(bytes in any::<i64>()) {
            let Some(read) = parse_bytes(&bytes_human(bytes)) else {
                // 8.0 EiB is one more than there is.
                prop_assert!(bytes.unsigned_abs() > i64::MAX as u64 / 100 * 99);
                return Ok(());
            };
            let error = (i128::from(read) - i128::from(bytes)).unsigned_abs();
            prop_assert!(error * 20 <= u128::from(bytes.unsigned_abs()) + 20, "{bytes} {read}");
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.kKmMiIbBeE ]{0,30}|\\PC{0,20}") {
            let _ = parse_bytes(&text);
        }
    }
}
