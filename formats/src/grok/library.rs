//! The patterns that have a name.

use super::guard::{Chars, chars};

/// A pattern without its look-around and atomic groups, and where that makes no difference: next
/// to characters that are not in its sets.
pub(super) struct Relaxed {
    pub(super) body: &'static str,
    /// Characters in front of it that matter.
    pub(super) behind: Chars,
    /// Characters after it that matter.
    pub(super) ahead: Chars,
}

const DIGITS: Chars = chars("0123456789");

/// The pattern of a name. Of two the library's last counts.
pub(super) fn body(name: &str) -> Option<&'static str> {
    let patterns = grok::patterns();
    let end = patterns.partition_point(|(other, _)| *other <= name);
    let (found, body) = patterns.get(end.checked_sub(1)?)?;
    (*found == name).then_some(body)
}

/// The name that was probably meant.
pub(super) fn nearest(name: &str) -> &'static str {
    let upper = name.to_ascii_uppercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&upper, other);
    let names = grok::patterns().iter().map(|(name, _)| *name);
    names.min_by_key(|other| distance(other)).unwrap_or("GREEDYDATA")
}

/// What a pattern with look-around or atomic groups can be replaced by.
///
/// A relaxed pattern matches wherever the pattern itself does. A match of it is one of the pattern
/// itself, and the one that the pattern finds first, when the characters beside it are not in its
/// sets: an atomic number ends where no digit and no dot follows, and a quoted string ends at its
/// only unescaped quote.
pub(super) fn relaxed(name: &str) -> Option<Relaxed> {
    let none = chars("");
    Some(match name {
        "BASE10NUM" => Relaxed {
            body: r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)",
            behind: chars("0123456789.+-"),
            ahead: chars("0123456789."),
        },
        "BASE16NUM" => Relaxed {
            body: "[+-]?(?:0x)?[0-9A-Fa-f]+",
            behind: chars("0123456789ABCDEFabcdef"),
            ahead: none,
        },
        "BASE16FLOAT" => Relaxed {
            body: r"\b[+-]?(?:0x)?(?:[0-9A-Fa-f]+(?:\.[0-9A-Fa-f]*)?|\.[0-9A-Fa-f]+)\b",
            behind: chars("0123456789ABCDEFabcdef."),
            ahead: none,
        },
        "IPV4" => Relaxed {
            body: r"(?:(?:[0-1]?[0-9]{1,2}|2[0-4][0-9]|25[0-5])\.){3}(?:[0-1]?[0-9]{1,2}|2[0-4][0-9]|25[0-5])",
            behind: DIGITS,
            ahead: DIGITS,
        },
        "TIME" => Relaxed { body: "%{HOUR}:%{MINUTE}(?::%{SECOND})", behind: none, ahead: DIGITS },
        "HAPROXYTIME" => Relaxed {
            body: "%{HOUR:haproxy_hour}:%{MINUTE:haproxy_minute}(?::%{SECOND:haproxy_second})",
            behind: none,
            ahead: DIGITS,
        },
        "YEAR" => Relaxed { body: r"(?:\d\d){1,2}", behind: none, ahead: none },
        "QUOTEDSTRING" => Relaxed {
            body: r#"(?:"(?:\\.|[^\\"])+"|""|'(?:\\.|[^\\'])+'|''|`(?:\\.|[^\\`])+`|``)"#,
            behind: chars("\\"),
            ahead: none,
        },
        "WINPATH" => {
            Relaxed { body: r"(?:[A-Za-z]+:|\\)(?:\\[^\\?*]*)+", behind: none, ahead: none }
        }
        _ => return None,
    })
}
