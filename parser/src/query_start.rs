//! Queries that begin with FROM.

use std::ops::Range;

use sqlparser::tokenizer::Token;

use crate::tokens::Tokens;

/// Finds queries that begin with FROM. sqlparser reads them only where it has tried nothing else:
/// not in an expression, and not with a WHERE of their own. `SELECT *` before them helps it.
pub(crate) struct QueryStart {
    /// Whether a query may begin in this place at all.
    possible: bool,
    /// Whether the current query has begun.
    begun: bool,
}

impl QueryStart {
    pub(crate) fn new(tokens: &Tokens<'_>, range: &Range<usize>) -> Self {
        let possible = tokens.is(range.start, &Token::LParen)
            || matches!(
                tokens.word(range.start).as_deref(),
                Some(
                    "FROM"
                        | "WITH"
                        | "SELECT"
                        | "VALUES"
                        | "TABLE"
                        | "EXPLAIN"
                        | "CREATE"
                        | "INSERT"
                        | "PREPARE"
                )
            );
        Self { possible, begun: false }
    }

    /// Whether the word at `at` is the FROM that begins a query.
    pub(crate) fn begins_with_from(
        &mut self,
        tokens: &Tokens<'_>,
        at: usize,
        range: &Range<usize>,
    ) -> bool {
        if !self.possible || (at > range.start && tokens.is(at - 1, &Token::Period)) {
            return false;
        }
        match tokens.word(at).as_deref() {
            Some("SELECT" | "VALUES") => self.begun = true,
            Some("UNION" | "INTERSECT" | "EXCEPT" | "MINUS") => self.begun = false,
            Some("FROM") if !self.begun => {
                self.begun = true;
                return true;
            }
            _ => {}
        }
        false
    }
}

/// `FROM t SELECT a`
pub(crate) fn selects_later(tokens: &Tokens<'_>, start: usize, end: usize) -> bool {
    let mut index = start;
    while index < end {
        match tokens.token(index) {
            Some(Token::LParen) => index = tokens.partner(index),
            Some(Token::VerticalBarRightAngleBracket) => return false,
            Some(Token::Word(_)) => match tokens.word(index).as_deref() {
                Some("SELECT") => return true,
                Some("UNION" | "INTERSECT" | "EXCEPT" | "MINUS") => return false,
                _ => {}
            },
            _ => {}
        }
        index += 1;
    }
    false
}
