//! Lines that were changed at random.

/// xorshift64* of Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled".
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        ((self.next() >> 32) as usize) % limit
    }
}

const MAX_CHANGES: usize = 6;
const MAX_REPEATED_BYTES: usize = 4096;

/// What formats give a meaning to, and what they do not expect.
const TOKENS: &[&str] = &[
    "\"",
    "\\",
    "\\\"",
    "\\\\",
    "'",
    " ",
    "  ",
    "\t",
    "[",
    "]",
    "] \"",
    " [",
    "{",
    "}",
    ":",
    ",",
    "=",
    "-",
    "<",
    ">",
    "|",
    "/",
    "\0",
    "\r",
    "\n",
    "é",
    "→",
    "😀",
    "\u{FFFD}",
    "\u{FEFF}",
    "0",
    "-1",
    "99999999999999999999",
    "1e309",
    "NaN",
    "null",
    "true",
    "\\u0041",
    "\\ud83d",
    "\\ude00",
    "\\x22",
    "\\x5C",
    "HTTP/1.1",
    "31/Feb/2015:10:05:03 +0000",
    "2024-02-30T25:61:61Z",
    "<34>1",
    "%",
];

/// One of the samples, mostly with some changes.
pub(crate) fn line(samples: &[String], random: &mut Random) -> String {
    let mut line = samples[random.below(samples.len())].clone().into_bytes();
    for _ in 0..random.below(MAX_CHANGES + 1) {
        change(&mut line, samples, random);
    }
    // Lines are text when they get to a format: what is no UTF-8 was replaced before.
    match String::from_utf8(line) {
        Ok(line) => line,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}

fn change(line: &mut Vec<u8>, samples: &[String], random: &mut Random) {
    let at = random.below(line.len() + 1);
    let end = at + random.below(line.len() - at + 1).min(random.below(24));
    match random.below(10) {
        0..=3 => {
            let token = TOKENS[random.below(TOKENS.len())].bytes();
            line.splice(at..end.min(at + random.below(3)), token);
        }
        4 => drop(line.drain(at..end)),
        5 => line.truncate(at),
        6 if at < line.len() => line[at] = random.next() as u8,
        7 if at < line.len() => line[at] ^= 1 << random.below(8),
        8 => {
            let other = samples[random.below(samples.len())].as_bytes();
            line.truncate(at);
            line.extend_from_slice(&other[random.below(other.len() + 1)..]);
        }
        _ => repeat(line, at..end, random),
    }
}

fn repeat(line: &mut Vec<u8>, range: std::ops::Range<usize>, random: &mut Random) {
    let at = range.end;
    let is_long = random.below(50) == 0;
    let times = 1 + random.below(if is_long { 500 } else { 3 });
    let mut repeated = line[range].repeat(times);
    repeated.truncate(MAX_REPEATED_BYTES);
    line.splice(at..at, repeated);
}
