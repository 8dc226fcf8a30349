//! Eight bytes at a time, in plain registers: where is the first byte of a kind?
//!
//! The tests for a zero byte and for a byte below a bound are those of Sean Anderson's Bit Twiddling
//! Hacks (<https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord>). Behind the first byte
//! that is found they may mark others wrongly, in front of it never: only the first one counts.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = ONES << 7;

/// The high bit of bytes that are zero.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH_BITS
}

/// The high bit of bytes that are `byte`.
pub(crate) const fn equal(word: u64, byte: u8) -> u64 {
    zeros(word ^ (ONES * byte as u64))
}

/// The high bit of bytes below `bound`, which is at most 128.
pub(crate) const fn below(word: u64, bound: u8) -> u64 {
    word.wrapping_sub(ONES * bound as u64) & !word & HIGH_BITS
}

/// The position of the first byte from `start` on that `marks` marks, or the length of the bytes.
#[inline(always)]
pub(crate) fn find(bytes: &[u8], start: usize, marks: impl Fn(u64) -> u64) -> usize {
    let mut at = start;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let found = marks(u64::from_le_bytes(*chunk));
        if found != 0 {
            return at + found.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        // The other seven are bytes that no caller looks for.
        let found = marks(u64::from_le_bytes([*byte, FILL, FILL, FILL, FILL, FILL, FILL, FILL]));
        if found & 0x80 != 0 {
            return at;
        }
        at += 1;
    }
    bytes.len()
}

const FILL: u8 = 0xff;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{below, equal, find};

    proptest! {
        #[test]
        fn the_first_byte_is_found(bytes in any::<Vec<u8>>(), start in 0..20_usize) {
            let start = start.min(bytes.len());
            let is_marked = |byte: &u8| *byte == b'"' || *byte < 0x20;
            let expected = bytes[start..].iter().position(is_marked).map(|at| at + start);
            let found = find(&bytes, start, |word| equal(word, b'"') | below(word, 0x20));
            prop_assert_eq!(found, expected.unwrap_or(bytes.len()));
        }
    }
}
