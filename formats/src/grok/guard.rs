//! Where the look-around of patterns makes no difference.
//!
//! A [relaxed](super::library::relaxed) pattern is as good as its original when the characters
//! beside it are not in its sets. What stands beside it in the expression often says so:
//! `%{NUMBER:n} ms` is followed by a space. At the start and the end of the whole expression the
//! line says it, once a match is found. The relaxed expression has all ways to match that the
//! exact one has, in the same order, so that a match that the exact one allows is its own, and a
//! line without a match has none.
//!
//! **Invariant:** where neither says so, the linear engine has no say.

use super::expand::Expanded;
use super::token::Token;

/// A set of ASCII characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Chars(u128);

/// The set of the characters of `text`.
pub(super) const fn chars(text: &str) -> Chars {
    let bytes = text.as_bytes();
    let mut set = 0;
    let mut at = 0;
    while at < bytes.len() {
        set |= 1 << (bytes[at] & 127);
        at += 1;
    }
    Chars(set)
}

impl Chars {
    fn contains(self, letter: char) -> bool {
        letter.is_ascii() && self.0 & (1 << (letter as u32)) != 0
    }

    fn contains_byte(self, byte: Option<&u8>) -> bool {
        byte.is_some_and(|byte| byte.is_ascii() && self.0 & (1 << byte) != 0)
    }
}

/// What must not stand beside a match for it to be one of the exact expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bounds {
    behind: Chars,
    ahead: Chars,
}

impl Bounds {
    pub(super) fn are_needed(self) -> bool {
        self != Self::default()
    }

    pub(super) fn allow(self, line: &str, start: usize, end: usize) -> bool {
        let bytes = line.as_bytes();
        let before = start.checked_sub(1).and_then(|at| bytes.get(at));
        !self.behind.contains_byte(before) && !self.ahead.contains_byte(bytes.get(end))
    }
}

/// The bounds of a relaxed expression, or nothing when it is not known to be as good as the exact
/// one.
pub(super) fn bounds(expanded: &Expanded) -> Option<Bounds> {
    if expanded.needs_backtracking {
        return None;
    }
    let mut bounds = Bounds::default();
    for (at, token) in expanded.tokens.iter().enumerate() {
        match token {
            Token::Behind(set) if *set != Chars::default() => match behind(&expanded.tokens, at)? {
                Beside::Nothing => {}
                Beside::Edge => bounds.behind.0 |= set.0,
                Beside::Char(letter) if set.contains(letter) => return None,
                Beside::Char(_) => {}
            },
            Token::Ahead(set) if *set != Chars::default() => match ahead(&expanded.tokens, at)? {
                Beside::Nothing => {}
                Beside::Edge => bounds.ahead.0 |= set.0,
                Beside::Char(letter) if set.contains(letter) => return None,
                Beside::Char(_) => {}
            },
            _ => {}
        }
    }
    Some(bounds)
}

/// What stands beside a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beside {
    /// The start or end of the line.
    Nothing,
    /// The start or end of the expression.
    Edge,
    Char(char),
}

/// What stands in front of token `at`, if there is only one answer.
fn behind(tokens: &[Token], mut at: usize) -> Option<Beside> {
    while at > 0 {
        at -= 1;
        match &tokens[at] {
            Token::Behind(_) | Token::Ahead(_) | Token::Empty(_) => {}
            Token::Open(_) if repeats(tokens, closing(tokens, at)?) => return None,
            Token::Open(_) => {}
            Token::Either => at = opening(tokens, at)?,
            Token::Char(letter) => return Some(Beside::Char(*letter)),
            Token::Edge('^') => return Some(Beside::Nothing),
            Token::Edge(_) | Token::Close | Token::Repeat(_) | Token::Other(_) => return None,
        }
        // After an `|` the search goes on in front of the group, whose end was not looked at.
        if matches!(tokens[at], Token::Open(_)) && repeats(tokens, closing(tokens, at)?) {
            return None;
        }
    }
    Some(Beside::Edge)
}

/// What follows token `at`, if there is only one answer.
fn ahead(tokens: &[Token], mut at: usize) -> Option<Beside> {
    at += 1;
    while let Some(token) = tokens.get(at) {
        match token {
            Token::Behind(_) | Token::Ahead(_) | Token::Empty(_) => at += 1,
            Token::Either => at = closing(tokens, at)?,
            Token::Close if repeats(tokens, at) => return None,
            Token::Close => at += 1,
            Token::Repeat(own) if own.starts_with('?') => at += 1,
            Token::Char(_) if may_be_left_out(tokens.get(at + 1)) => return None,
            Token::Char(letter) => return Some(Beside::Char(*letter)),
            Token::Edge('$') => return Some(Beside::Nothing),
            Token::Edge(_) | Token::Open(_) | Token::Repeat(_) | Token::Other(_) => return None,
        }
    }
    Some(Beside::Edge)
}

fn may_be_left_out(repeat: Option<&Token>) -> bool {
    matches!(repeat, Some(Token::Repeat(own)) if !own.starts_with('+'))
}

/// Whether the group that token `close` closes may match more than once.
fn repeats(tokens: &[Token], close: usize) -> bool {
    matches!(tokens.get(close + 1), Some(Token::Repeat(own)) if !own.starts_with('?'))
}

/// The `)` of the group that token `at` opens or is in; the end where it is in none.
fn closing(tokens: &[Token], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (offset, token) in tokens[at + 1..].iter().enumerate() {
        match token {
            Token::Open(_) => depth += 1,
            Token::Close if depth == 0 => return Some(at + 1 + offset),
            Token::Close => depth -= 1,
            _ => {}
        }
    }
    matches!(tokens[at], Token::Either).then_some(tokens.len())
}

/// The `(` of the group that token `at` is in; the start where it is in none.
fn opening(tokens: &[Token], at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for before in (0..at).rev() {
        match &tokens[before] {
            Token::Close => depth += 1,
            Token::Open(_) if depth == 0 => return Some(before),
            Token::Open(_) => depth -= 1,
            _ => {}
        }
    }
    Some(0)
}
