//! Decimal numbers times a unit, without floating point.

/// Places after the point that count; more are cut off.
const MAX_PLACES: usize = 18;

/// Takes a number such as `12`, `1.5` or `.5` from the start of `text`: its digits as a number, how
/// many of them stand behind the point, and the rest.
pub(super) fn take(text: &str) -> Option<(Number, &str)> {
    let whole_length = digits(text);
    let (whole, mut rest) = text.split_at(whole_length);
    let mut fraction = "";
    if let Some(behind) = rest.strip_prefix('.') {
        let length = digits(behind);
        if length == 0 && whole.is_empty() {
            return None;
        }
        (fraction, rest) = behind.split_at(length);
    } else if whole.is_empty() {
        return None;
    }
    let fraction = &fraction[..fraction.len().min(MAX_PLACES)];
    let fraction_digits = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    let number = Number {
        whole: if whole.is_empty() { 0 } else { whole.parse().ok()? },
        fraction: fraction_digits,
        places: fraction.len() as u32,
    };
    Some((number, rest))
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// A decimal number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    whole: u64,
    fraction: u64,
    places: u32,
}

impl Number {
    /// The number times `unit`, rounded to the nearest whole one.
    pub(super) fn times(self, unit: u64) -> Option<i128> {
        let scale = 10_u128.pow(self.places);
        let fraction = u128::from(self.fraction).checked_mul(u128::from(unit))?;
        let whole = u128::from(self.whole).checked_mul(u128::from(unit))?;
        i128::try_from(whole.checked_add((fraction + scale / 2) / scale)?).ok()
    }
}
