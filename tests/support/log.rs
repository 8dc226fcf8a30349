//! An access log whose answers are known from how it was made.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A log in the combined format. The same for the same number of lines, whatever the machine.
#[derive(Debug)]
pub(crate) struct AccessLog {
    pub(crate) requests: Vec<Request>,
}

/// What one line says.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) client: String,
    pub(crate) path: String,
    pub(crate) status: u16,
    /// Written as `-` when there is none.
    pub(crate) bytes: Option<u64>,
    pub(crate) agent: &'static str,
}

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/32.0.1700.107 Safari/537.36",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Tiny Tiny RSS/1.11 (http://tt-rss.org/)",
    "-",
];
const PATHS: [&str; 6] = [
    "/",
    "/favicon.ico",
    "/blog/geekery/ssl-latency.html",
    "/images/jordan-80.png?from=a&to=b",
    "/it's/100%/done",
    "/caf\u{e9}",
];

impl AccessLog {
    pub(crate) fn new(lines: usize) -> Self {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        Self { requests: (0..lines).map(|_| Request::random(&mut random)).collect() }
    }

    /// The file: each line ends with a newline.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (index, request) in self.requests.iter().enumerate() {
            let _ = writeln!(text, "{}", request.line(index));
        }
        text
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests.iter().enumerate().map(|(index, request)| request.line(index)).collect()
    }

    pub(crate) fn count(&self, wanted: impl Fn(&Request) -> bool) -> usize {
        self.requests.iter().filter(|request| wanted(request)).count()
    }

    /// How often each value occurs, the most frequent first, and among equals in order.
    pub(crate) fn ranking<K: Ord>(&self, key: impl Fn(&Request) -> K) -> Vec<(K, usize)> {
        ranked(self.requests.iter().map(key))
    }

    /// The words of `%w+` in all lines.
    pub(crate) fn words(&self) -> Vec<(String, usize)> {
        let text = self.text();
        ranked(text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()))
            .into_iter()
            .map(|(word, count)| (word.to_owned(), count))
            .collect()
    }
}

/// Counts, and ranks by descending count and ascending key.
pub(crate) fn ranked<K: Ord>(keys: impl Iterator<Item = K>) -> Vec<(K, usize)> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_insert(0) += 1;
    }
    let mut ranking: Vec<(K, usize)> = counts.into_iter().collect();
    ranking.sort_by(|(_, a), (_, b)| b.cmp(a));
    ranking
}

/// Rows as the csv output has them.
pub(crate) fn csv<K: std::fmt::Display>(ranking: &[(K, usize)]) -> Vec<String> {
    ranking.iter().map(|(key, count)| format!("{key},{count}")).collect()
}

impl Request {
    fn random(random: &mut Random) -> Self {
        let status = [200, 200, 200, 200, 200, 200, 304, 404, 301, 206, 500][random.below(11)];
        // Some clients far more often than others.
        let client = random.below(40) * random.below(40) / 40;
        Self {
            client: format!("10.{}.0.{client}", client % 3),
            path: PATHS[random.below(PATHS.len())].to_owned(),
            status,
            bytes: (status != 304).then(|| random.below(100_000) as u64),
            agent: AGENTS[random.below(AGENTS.len())],
        }
    }

    fn line(&self, index: usize) -> String {
        let Self { client, path, status, bytes, agent } = self;
        let (minute, second) = (index / 60 % 60, index % 60);
        let bytes = bytes.map_or("-".to_owned(), |bytes| bytes.to_string());
        format!(
            "{client} - - [17/May/2015:10:{minute:02}:{second:02} +0000] \"GET {path} HTTP/1.1\" \
             {status} {bytes} \"-\" \"{agent}\""
        )
    }
}

/// xorshift64*, which is enough to look unplanned.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).expect("31 bits fit") % limit
    }
}
