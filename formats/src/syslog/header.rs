//! What both kinds of messages begin with.

use super::Missing;
use crate::scan::Mismatch;

/// The names of `syslog.conf`, by the numbers of RFC 5424, section 6.2.1.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];

const SEVERITIES: [&str; 8] =
    ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// The number between `<` and `>` and where the text behind them starts; a line may lack both.
pub(super) fn priority(line: &str) -> Result<(Option<u8>, usize), Mismatch> {
    let Some(inside) = line.strip_prefix('<') else { return Ok((None, 0)) };
    let length = inside.bytes().take(3).take_while(u8::is_ascii_digit).count();
    let number = inside[..length].parse::<u8>();
    match number {
        Ok(number) if number < 192 && inside[length..].starts_with('>') => {
            Ok((Some(number), length + 2))
        }
        _ => Err(Missing::Priority.at(0)),
    }
}

pub(super) fn facility(priority: u8) -> &'static str {
    FACILITIES[usize::from(priority / 8)]
}

pub(super) fn severity(priority: u8) -> &'static str {
    SEVERITIES[usize::from(priority % 8)]
}

/// The bytes that a version and the space behind it take, if the text begins with them.
pub(super) fn version(text: &[u8]) -> Option<usize> {
    match text {
        [b'1'..=b'9', b' ', ..] => Some(2),
        [b'1'..=b'9', b'0'..=b'9', b' ', ..] => Some(3),
        [b'1'..=b'9', b'0'..=b'9', b'0'..=b'9', b' ', ..] => Some(4),
        _ => None,
    }
}
