//! What the generated loop asks Rust about strings: is it UTF-8, which number does it spell.

use std::ffi::{c_int, c_void};

/// Where the loop is, for messages, and the result of [`parse`]. The layout is that of
/// `gleam_position` in host/host.lua.
#[repr(C)]
#[derive(Debug, Default)]
pub(super) struct Position {
    pub(super) row: i32,
    pub(super) step: i32,
    signed_number: i64,
    unsigned_number: u64,
    float_number: f64,
}

#[derive(Debug, PartialEq)]
enum Spelled {
    Signed(i64),
    Unsigned(u64),
    Float(f64),
}

/// The number that `text` is in decimal, and nothing but: no spaces, no `+`, no hexadecimal.
fn spelled(text: &[u8]) -> Option<Spelled> {
    let digits = |from: usize| text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let sign = usize::from(text.first() == Some(&b'-'));
    let whole = sign + digits(sign);
    if whole == sign {
        return None;
    }
    let mut end = whole;
    if text.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let signed = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits((end + 1 + signed).min(text.len()));
        if exponent == 0 {
            return None;
        }
        end += 1 + signed + exponent;
    }
    if end != text.len() {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    if end == whole {
        if let Ok(number) = text.parse() {
            return Some(Spelled::Signed(number));
        }
        if let Ok(number) = text.parse() {
            return Some(Spelled::Unsigned(number));
        }
    }
    text.parse().ok().map(Spelled::Float)
}

/// Puts the number that a string spells into the position and gives which field holds it: 1 the
/// signed, 2 the unsigned, 3 the float, 0 none.
pub(super) extern "C" fn parse(position: *mut c_void, start: *const u8, length: usize) -> c_int {
    // SAFETY: generated code passes a Lua string and its length; Lua keeps it during the call.
    let text = unsafe { std::slice::from_raw_parts(start, length) };
    let position = position.cast::<Position>();
    // SAFETY: generated code passes the child's one position, which outlives the Lua state;
    // only this thread uses it, through raw pointers, and each place below is a field of it.
    unsafe {
        match spelled(text) {
            Some(Spelled::Signed(number)) => {
                (*position).signed_number = number;
                1
            }
            Some(Spelled::Unsigned(number)) => {
                (*position).unsigned_number = number;
                2
            }
            Some(Spelled::Float(number)) => {
                (*position).float_number = number;
                3
            }
            None => 0,
        }
    }
}

pub(super) extern "C" fn is_utf8(start: *const u8, length: usize) -> bool {
    // SAFETY: as in `parse`.
    let bytes = unsafe { std::slice::from_raw_parts(start, length) };
    std::str::from_utf8(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<Spelled>) {
        assert_eq!(spelled(text.as_bytes()), expected, "{text:?}");
    }

    #[test]
    fn only_decimal_numbers() {
        check("0", Some(Spelled::Signed(0)));
        check("-12", Some(Spelled::Signed(-12)));
        check("9223372036854775807", Some(Spelled::Signed(i64::MAX)));
        check("-9223372036854775808", Some(Spelled::Signed(i64::MIN)));
        check("18446744073709551615", Some(Spelled::Unsigned(u64::MAX)));
        check("18446744073709551616", Some(Spelled::Float(18446744073709551616.0)));
        check("-4.5", Some(Spelled::Float(-4.5)));
        check("1e3", Some(Spelled::Float(1000.0)));
        check("2.5E-1", Some(Spelled::Float(0.25)));
        for text in ["", "-", "+1", " 12", "12 ", "0x10", "1.", ".5", "1e", "1e+", "nan", "1,5"] {
            check(text, None);
        }
    }
}
