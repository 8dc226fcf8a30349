//! `PARSE AUTO`: which format do these lines have?

use arrow_array::StringViewArray;

use crate::builtin;
use crate::scan::Fields;
use crate::spec::FormatSpec;

/// A format, and how many lines of a sample have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// The format.
    pub format: FormatSpec,
    /// Lines that match.
    pub matched: usize,
    /// Lines that were looked at: those that are not empty.
    pub lines: usize,
}

/// The formats that are tried. A format whose lines have another one too comes before it.
const CANDIDATES: [&str; 20] = [
    "JOURNALD",
    "JSON",
    "ALB",
    "ELB",
    "S3",
    "CLOUDFRONT",
    "COMBINED",
    "COMMON",
    "HAPROXY",
    "NGINX_ERROR",
    "APACHE_ERROR",
    "POSTGRES",
    "KLOG",
    "GLOG",
    "CRI",
    "LOG4J",
    "LOGBACK",
    "PYTHON",
    "SYSLOG",
    "LOGFMT",
];

/// Of so many lines one may match only a format that says less, without this one being taken.
const LINES_PER_EXCEPTION: usize = 20;

/// The pairs that a line of logfmt has at least, so that `a=b` in a sentence makes none.
const MIN_PAIRS: usize = 2;

/// The format that most lines of a sample have, if more than half of them have one. Of those that
/// nearly as many lines have, it is the first of the list above, in which the ones with more
/// columns come first.
pub fn choose(sample: &StringViewArray) -> Option<Guess> {
    let lines: Vec<&str> = sample.iter().flatten().filter(|line| !line.trim().is_empty()).collect();
    let guesses: Vec<Guess> = candidates()
        .filter_map(|format| {
            let matched = matched(&format, &lines)?;
            Some(Guess { format, matched, lines: lines.len() })
        })
        .filter(|guess| guess.matched * 2 > guess.lines)
        .collect();
    let most = guesses.iter().map(|guess| guess.matched).max()?;
    guesses.into_iter().find(|guess| guess.matched >= most - most / LINES_PER_EXCEPTION)
}

fn candidates() -> impl Iterator<Item = FormatSpec> {
    // What the list does not know comes last, so that no format is left out.
    let others = builtin::names().filter(|name| !CANDIDATES.contains(name));
    CANDIDATES.into_iter().chain(others).filter_map(FormatSpec::named)
}

/// How many lines have the format.
fn matched(format: &FormatSpec, lines: &[&str]) -> Option<usize> {
    let scanner = format.scanner(&[]).ok()?;
    let mut fields = Fields::new(Vec::new());
    let mut has_format = |line: &&&str| {
        fields.clear();
        scanner.scan(line, &mut fields).is_ok()
            && (*format != FormatSpec::Logfmt || begins_with_pairs(line))
    };
    Some(lines.iter().filter(|line| has_format(line)).count())
}

/// Whether the first word and others are keys with values.
fn begins_with_pairs(line: &str) -> bool {
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.@/".contains(&byte);
    let is_pair = |word: &&str| {
        word.split_once('=').is_some_and(|(key, _)| !key.is_empty() && key.bytes().all(is_key))
    };
    let mut words = line.trim_start().split(' ');
    words.next().as_ref().is_some_and(is_pair) && words.filter(is_pair).count() + 1 >= MIN_PAIRS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin::SAMPLES;

    fn check(lines: &[&str], expected: Option<(&str, usize, usize)>) {
        let guess = choose(&lines.iter().map(Some).collect());
        let shown =
            guess.as_ref().map(|guess| (guess.format.keyword(), guess.matched, guess.lines));
        assert_eq!(shown, expected, "{lines:?}");
    }

    #[test]
    fn every_builtin_is_recognised_by_its_samples() {
        for (name, lines) in SAMPLES {
            check(lines, Some((name, lines.len(), lines.len())));
            lines.iter().for_each(|line| {
                // Both write this one.
                if !line.starts_with("2024-01-02 10:05:03.123 [pool") {
                    check(&[line], Some((name, 1, 1)));
                }
            });
        }
    }

    const COMBINED: &str = r#"83.1.2.3 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 203 "http://x/" "Mozilla/5.0 (X11)""#;
    const COMMON: &str = r#"83.1.2.3 - frank [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 404 -"#;
    const SYSLOG: &str =
        "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: failure; logname= uid=0 euid=0";

    #[test]
    fn access_logs_and_the_like_are_recognised() {
        check(&[COMBINED], Some(("COMBINED", 1, 1)));
        check(&[COMMON], Some(("COMMON", 1, 1)));
        check(&[SYSLOG], Some(("SYSLOG", 1, 1)));
        check(
            &["<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed"],
            Some(("SYSLOG", 1, 1)),
        );
        check(&[r#"{"a":1,"b":{"c":"x=y z=w"}}"#], Some(("JSON", 1, 1)));
        check(&[r#"ts=2024-01-02T10:05:03Z level=info msg="a b" x"#], Some(("LOGFMT", 1, 1)));
    }

    #[test]
    fn exceptions_and_empty_lines_do_not_mislead() {
        let mut lines = vec![COMBINED; 39];
        lines.extend(["", COMMON, "  "]);
        check(&lines, Some(("COMBINED", 39, 40)));
        check(&[COMMON, COMMON, COMBINED], Some(("COMMON", 2, 3)));
    }

    #[test]
    fn text_has_no_format() {
        check(&[], None);
        check(&["", " "], None);
        check(&["some text", "set a=b in the file", "a = b", "x=1"], None);
        check(&[COMBINED, "text"], None);
        check(&[COMBINED, COMBINED, "text"], Some(("COMBINED", 2, 3)));
    }
}
