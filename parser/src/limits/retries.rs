//! A bound on what sqlparser reads over and over.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::diagnostic::Diagnostic;

/// Where a word that begins an expression in a way of its own leads to an error, sqlparser reads
/// everything behind it again, with the word as a name: twice as often on each level.
const MAX_RETRIES: usize = 12;

/// What is open at one level of parentheses.
#[derive(Default)]
struct Level {
    /// What its parenthesis adds to the retries.
    opened: usize,
    /// What the words of the current expression add.
    word: usize,
    /// How many CASE are open.
    cases: usize,
}

/// Counts, for each place, the parentheses and brackets around it that may be read again.
pub(crate) fn check_retries(list: &[TokenWithSpan]) -> Result<(), Diagnostic> {
    let mut levels = vec![Level::default()];
    let mut retries = 0_usize;
    let mut dots = Dots::default();
    for token in list {
        if dots.follow(&token.token) > MAX_RETRIES {
            return Err(too_deep(token));
        }
        let depth = levels.len();
        let Some(level) = levels.last_mut() else { return Ok(()) };
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                let is_bracket = token.token == Token::LBracket;
                let opened = (level.word + level.cases).max(usize::from(is_bracket));
                retries += opened;
                if retries > MAX_RETRIES {
                    return Err(too_deep(token));
                }
                levels.push(Level { opened, ..Level::default() });
            }
            Token::RParen | Token::RBracket | Token::RBrace if depth > 1 => {
                retries -= levels.pop().map_or(0, |level| level.opened);
            }
            Token::Comma | Token::VerticalBarRightAngleBracket => level.word = 0,
            Token::Word(word) => match word.keyword {
                Keyword::CASE => level.cases += 1,
                Keyword::END => level.cases = level.cases.saturating_sub(1),
                keyword if ends_expression(keyword) => level.word = 0,
                keyword => level.word = level.word.max(weight(keyword)),
            },
            _ => {}
        }
    }
    Ok(())
}

fn too_deep(token: &TokenWithSpan) -> Diagnostic {
    Diagnostic::new("this is nested too deeply to parse")
        .at(token.span)
        .with_hint("split it with WITH or CREATE VIEW")
}

/// A chain `a.b.c`: behind each dot sqlparser tries an expression first, and then a name.
#[derive(Default)]
struct Dots {
    chain: usize,
    /// Tokens since the last dot.
    since: usize,
}

impl Dots {
    /// The length of the chain that `token` continues. One word or sign may stand before a name.
    fn follow(&mut self, token: &Token) -> usize {
        if *token == Token::Period {
            // A plain name between two dots costs nothing.
            self.chain += usize::from(self.since != 1);
            self.since = 0;
        } else {
            self.since += 1;
            if self.since > 2 {
                self.chain = 0;
            }
        }
        self.chain
    }
}

/// Whether an expression on the same level ends before the word.
fn ends_expression(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::SELECT
            | Keyword::FROM
            | Keyword::WHERE
            | Keyword::AND
            | Keyword::OR
            | Keyword::ON
            | Keyword::BY
            | Keyword::HAVING
            | Keyword::JOIN
            | Keyword::UNION
    )
}

/// How many more times what follows the word may be read.
fn weight(keyword: Keyword) -> usize {
    match keyword {
        Keyword::POSITION => 2,
        Keyword::NOT
        | Keyword::CAST
        | Keyword::TRY_CAST
        | Keyword::SAFE_CAST
        | Keyword::CONVERT
        | Keyword::TRY_CONVERT
        | Keyword::SUBSTR
        | Keyword::SUBSTRING
        | Keyword::OVERLAY
        | Keyword::TRIM
        | Keyword::EXTRACT
        | Keyword::CEIL
        | Keyword::FLOOR
        | Keyword::ARRAY
        | Keyword::EXISTS
        | Keyword::CURRENT_DATE
        | Keyword::CURRENT_TIME
        | Keyword::CURRENT_TIMESTAMP
        | Keyword::LOCALTIME
        | Keyword::LOCALTIMESTAMP => 1,
        _ => 0,
    }
}
