//! `TIMEOUT`: a length of time.

use std::time::Duration;

use sqlparser::tokenizer::Token;

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;

/// Longer than any query, and short enough to be added to every clock.
const MAX_TIMEOUT: Duration = Duration::from_secs(365 * 24 * 60 * 60);
const HINT: &str = "write TIMEOUT '10s', '500ms', '5m' or '1h', or TIMEOUT INTERVAL '10 seconds'";

impl Cutter<'_, '_> {
    /// `TIMEOUT '10s'`, `TIMEOUT INTERVAL '10 seconds'` or `TIMEOUT INTERVAL 10 SECOND` at `at`:
    /// the time, and the token behind it.
    pub(crate) fn timeout(&self, at: usize, end: usize) -> Result<(Duration, usize), Diagnostic> {
        let tokens = self.tokens;
        let is_interval = at + 1 < end && tokens.is_word(at + 1, "INTERVAL");
        let value = if is_interval { at + 2 } else { at + 1 };
        let (number, behind) = match tokens.token(value).filter(|_| value < end) {
            Some(Token::SingleQuotedString(_) | Token::DollarQuotedString(_)) => {
                (self.code(value).text, value + 1)
            }
            Some(Token::Number(number, _)) if is_interval => (number.clone(), value + 1),
            _ => {
                let found = self.tokens.describe(value);
                return Err(Diagnostic::new(format!(
                    "TIMEOUT takes a time in quotes, found {found}"
                ))
                .at(tokens.span(value))
                .with_hint(HINT));
            }
        };
        let unit = tokens.word(behind).filter(|word| behind < end && is_unit(word));
        let (text, behind) = match unit {
            Some(unit) if is_interval && is_number(&number) => {
                (format!("{number} {unit}"), behind + 1)
            }
            _ => (number, behind),
        };
        let place = tokens.span_of(value..behind);
        let timeout = duration(&text).map_err(|error| error.at(place))?;
        Ok((timeout, behind))
    }
}

/// A text such as `1h 30m` or `10 seconds`.
fn duration(text: &str) -> Result<Duration, Diagnostic> {
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(not_a_time(text));
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        if !is_number(number) {
            return Err(not_a_time(text));
        }
        let behind = behind.trim_start();
        let letters = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        total = total.saturating_add(part(text, number, unit)?);
        rest = behind.trim_start();
    }
    if total.is_zero() {
        return Err(Diagnostic::new("TIMEOUT has to be longer than zero").with_hint(HINT));
    }
    if total > MAX_TIMEOUT {
        return Err(Diagnostic::new("TIMEOUT is at most 365 days"));
    }
    Ok(total)
}

fn part(text: &str, number: &str, unit: &str) -> Result<Duration, Diagnostic> {
    if unit.is_empty() {
        return Err(
            Diagnostic::new(format!("TIMEOUT needs a unit behind {number}")).with_hint(HINT)
        );
    }
    if is_calendar_unit(unit) {
        return Err(Diagnostic::new(format!(
            "TIMEOUT takes no {}s, whose length varies",
            unit.trim_end_matches(['s', 'S']).to_lowercase()
        ))
        .with_hint(HINT));
    }
    let seconds = unit_seconds(unit).ok_or_else(|| not_a_time(text))?;
    let count = number.parse::<f64>().map_err(|_| not_a_time(text))?;
    // What does not fit is longer than the limit in any case.
    Ok(Duration::try_from_secs_f64(count * seconds).unwrap_or(Duration::MAX))
}

fn not_a_time(text: &str) -> Diagnostic {
    let shown = crate::error::quote_found(text);
    Diagnostic::new(format!("{shown} is not a length of time")).with_hint(HINT)
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && text.parse::<f64>().is_ok()
}

/// Whether a word is a unit of time.
pub(super) fn is_unit(word: &str) -> bool {
    unit_seconds(word).is_some() || is_calendar_unit(word)
}

fn is_calendar_unit(unit: &str) -> bool {
    const UNITS: &[&str] =
        &["mon", "mons", "month", "months", "year", "years", "y", "quarter", "quarters"];
    UNITS.contains(&unit.to_lowercase().as_str())
}

fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit.to_lowercase().as_str() {
        "us" | "microsecond" | "microseconds" => 0.000_001,
        "ms" | "millisecond" | "milliseconds" => 0.001,
        "s" | "sec" | "secs" | "second" | "seconds" => 1.0,
        "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600.0,
        "d" | "day" | "days" => 86_400.0,
        "w" | "week" | "weeks" => 604_800.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected_ms: u64) {
        assert_eq!(duration(text), Ok(Duration::from_millis(expected_ms)), "{text}");
    }

    #[test]
    fn times_have_units() {
        check("500ms", 500);
        check("10s", 10_000);
        check("1.5s", 1_500);
        check(" 10 m ", 600_000);
        check("1h", 3_600_000);
        check("1 hour 30 minutes", 5_400_000);
        check("1H30M", 5_400_000);
        check("2 days", 172_800_000);
        check("365d", 31_536_000_000);
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in [
            "",
            " ",
            "0s",
            "0",
            "10",
            "s",
            "1.2.3s",
            ".",
            "-1s",
            "1 fortnight",
            "1 month",
            "2y",
            "366d",
            "99999999999999999999999999d",
            "1e9s",
            "10s foo",
            "1:30",
            "0.0000000001s",
            "१s",
            "10 sé",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
