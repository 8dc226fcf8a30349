//! The parts that written times are made of. Each takes the bytes from its start on and gives what
//! it read and the bytes behind it.

use super::civil::Clock;

/// Two digits, or a number above 99 where they are none: it is out of every range.
pub(super) fn two(high: u8, low: u8) -> u32 {
    let (high, low) = (u32::from(high.wrapping_sub(b'0')), u32::from(low.wrapping_sub(b'0')));
    high * 10 + low + u32::from(high > 9 || low > 9) * 1000
}

/// Four digits, or a number above 9999 where they are none.
pub(super) fn four([a, b, c, d]: [u8; 4]) -> u32 {
    let (high, low) = (two(a, b), two(c, d));
    high * 100 + low + u32::from(low > 99) * 1_000_000
}

/// How many digits the text begins with.
pub(super) fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// `10:05:03`, with a fraction or without.
pub(super) fn clock(text: &[u8]) -> Option<(Clock, &[u8])> {
    let [h1, h2, b':', m1, m2, b':', s1, s2, rest @ ..] = text else { return None };
    with_fraction(Clock::new(two(*h1, *h2), two(*m1, *m2), two(*s1, *s2))?, rest)
}

/// `100503`, with a fraction or without.
pub(super) fn compact_clock(text: &[u8]) -> Option<(Clock, &[u8])> {
    let [h1, h2, m1, m2, s1, s2, rest @ ..] = text else { return None };
    with_fraction(Clock::new(two(*h1, *h2), two(*m1, *m2), two(*s1, *s2))?, rest)
}

/// `10:05`, or as [`clock`].
pub(super) fn clock_or_minutes(text: &[u8]) -> Option<(Clock, &[u8])> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else { return None };
    match rest {
        [b':', s1, s2, rest @ ..] => {
            with_fraction(Clock::new(two(*h1, *h2), two(*m1, *m2), two(*s1, *s2))?, rest)
        }
        [b':', ..] => None,
        _ => Some((Clock::new(two(*h1, *h2), two(*m1, *m2), 0)?, rest)),
    }
}

fn with_fraction(clock: Clock, rest: &[u8]) -> Option<(Clock, &[u8])> {
    let [b'.' | b',', rest @ ..] = rest else { return Some((clock, rest)) };
    let (nanos, rest) = fraction(rest)?;
    Some((Clock { nanos, ..clock }, rest))
}

/// Nanoseconds of the digits behind a decimal point. What is finer is cut off.
pub(super) fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    const DIGITS: usize = 9;
    const SCALE: [u32; DIGITS + 1] =
        [0, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1000, 100, 10, 1];
    let length = digits(text);
    if length == 0 {
        return None;
    }
    let (read, rest) = text.split_at(length);
    let read = &read[..length.min(DIGITS)];
    let number = read.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    Some((number * SCALE[read.len()], rest))
}

/// The rest of a time: nothing, or a zone with or without a space in front of it. Gives the
/// seconds east of UTC.
pub(super) fn zone(text: &[u8]) -> Option<Option<i32>> {
    let text = match text {
        [] => return Some(None),
        [b' ', rest @ ..] => rest,
        rest => rest,
    };
    match text {
        b"Z" | b"z" | b"UTC" | b"GMT" => Some(Some(0)),
        [sign @ (b'+' | b'-'), h1, h2, rest @ ..] => {
            let minutes = match rest {
                [] => 0,
                [m1, m2] | [b':', m1, m2] => two(*m1, *m2),
                _ => return None,
            };
            let hours = two(*h1, *h2);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = (hours * 3600 + minutes * 60) as i32;
            Some(Some(if *sign == b'-' { -seconds } else { seconds }))
        }
        _ => None,
    }
}

/// A month's three letters, in any case, as its number from 1 on.
pub(super) fn month(letters: [u8; 3]) -> Option<u32> {
    Some(match &letters.map(|letter| letter | 0x20) {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    })
}

/// A day's three letters, in any case, as its number from Monday on, which is 0.
pub(super) fn weekday(letters: [u8; 3]) -> Option<u32> {
    Some(match &letters.map(|letter| letter | 0x20) {
        b"mon" => 0,
        b"tue" => 1,
        b"wed" => 2,
        b"thu" => 3,
        b"fri" => 4,
        b"sat" => 5,
        b"sun" => 6,
        _ => return None,
    })
}

/// A day of one or two digits, one of them perhaps behind a space, and the space behind it.
pub(super) fn day(text: &[u8]) -> Option<(u32, &[u8])> {
    match text {
        [b' ', digit, b' ', rest @ ..] | [digit, b' ', rest @ ..] => {
            Some((two(b'0', *digit), rest))
        }
        [high, low, b' ', rest @ ..] => Some((two(*high, *low), rest)),
        _ => None,
    }
}
