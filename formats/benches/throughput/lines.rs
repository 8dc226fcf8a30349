//! Lines of an access log that nobody wrote, always the same ones.

use std::fmt::Write as _;

use arrow_array::StringViewArray;
use arrow_buffer::{Buffer, ScalarBuffer};

const LINE_BYTES: usize = 237;
const BATCH_ROWS: usize = 8192;
const CLIENTS: u64 = 50_000;
const FIRST_SECOND: i64 = 1_748_736_000;
const DAYS: usize = 30;

const PAGES: [&str; 8] = [
    "/",
    "/favicon.ico",
    "/docs/install/linux.html",
    "/images/logo-small.png",
    "/api/v1/items",
    "/search",
    "/assets/app.7f3a1c.js",
    "/blog/2025/06/what-is-new",
];
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:139.0) Gecko/20100101 Firefox/139.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X)",
    "curl/8.14.1",
];
const STATUSES: [u16; 10] = [200, 200, 200, 200, 200, 200, 304, 301, 404, 500];

/// `count` lines of COMBINED, 237 bytes each without the newline, over 30 days.
pub(crate) fn access_log(count: usize) -> String {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut text = String::with_capacity(count * (LINE_BYTES + 1));
    for line in 0..count {
        let start = text.len();
        write_line(&mut text, line, count, &mut random);
        // The user agent is as long as it takes.
        let missing = LINE_BYTES - 1 - (text.len() - start);
        text.extend(std::iter::repeat_n('x', missing));
        text.push_str("\"\n");
    }
    text
}

fn write_line(text: &mut String, line: usize, count: usize, random: &mut Random) {
    let client = random.below(CLIENTS);
    let seconds = (line * DAYS * 86_400 / count) as i64;
    let time = chrono::DateTime::from_timestamp(FIRST_SECOND + seconds, 0).unwrap();
    let [page, from] = [random.below(8), random.below(8)].map(|page| PAGES[page as usize]);
    let number = random.below(100_000);
    let status = STATUSES[random.below(10) as usize];
    let magnitude = 4 + random.below(16);
    let bytes = random.below(1 << magnitude);
    let agent = AGENTS[random.below(4) as usize];
    let (a, b) = (10 + client / 20_000, client / 200 % 100);
    write!(
        text,
        "{a}.{b}.{}.7 - - [{}] \"GET {page}?id={number} HTTP/1.1\" {status} {bytes} \
         \"https://www.example.org{from}\" \"{agent} ",
        client % 200,
        time.format("%d/%b/%Y:%H:%M:%S %z"),
    )
    .unwrap();
}

/// A batch.
pub(crate) struct Lines<'a> {
    pub(crate) text: &'a str,
    pub(crate) views: StringViewArray,
}

/// The lines in batches, all of them views on one buffer.
pub(crate) fn batches(text: &str) -> Vec<Lines<'_>> {
    let buffer = Buffer::from(text.as_bytes());
    let starts: Vec<usize> = (0..text.len()).step_by(LINE_BYTES + 1).collect();
    let view = |start: &usize| {
        let prefix = u32::from_le_bytes(text.as_bytes()[*start..start + 4].try_into().unwrap());
        LINE_BYTES as u128 | u128::from(prefix) << 32 | (*start as u128) << 96
    };
    let batch = |starts: &[usize]| {
        let views: ScalarBuffer<u128> = starts.iter().map(view).collect();
        Lines {
            text: &text[starts[0]..starts[starts.len() - 1] + LINE_BYTES + 1],
            views: StringViewArray::new(views, vec![buffer.clone()], None),
        }
    };
    starts.chunks(BATCH_ROWS).map(batch).collect()
}

/// xorshift64* of Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled".
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % limit
    }
}
