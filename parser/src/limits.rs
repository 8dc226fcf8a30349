//! Bounds on what is handed to sqlparser, which recurses, and on the trees that it builds.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::diagnostic::Diagnostic;

mod retries;

pub(crate) use retries::check_retries;

/// sqlparser's parser and the trees it builds recurse; text nested deeper than this is refused.
pub(crate) const MAX_NESTING: usize = 48;
/// `a + b + c …` becomes a tree as deep as it is long.
const MAX_CHAIN: usize = 1_000;
/// CASE … END nests without parentheses.
const MAX_CASES: usize = 24;

/// Counts the operators and set operations between two commas on each level.
pub(crate) fn check_chains(list: &[TokenWithSpan]) -> Result<(), Diagnostic> {
    let mut links = vec![0_usize];
    let mut cases = 0_usize;
    let mut previous = Keyword::NoKeyword;
    for token in list {
        let keyword = match &token.token {
            Token::Word(word) => word.keyword,
            _ => Keyword::NoKeyword,
        };
        if keyword == Keyword::INTERVAL && previous == Keyword::INTERVAL {
            // sqlparser tries each of them in two ways, and those behind it once for each way.
            return Err(
                Diagnostic::new("expected a quoted interval, found `INTERVAL`").at(token.span)
            );
        }
        previous = keyword;
        match &token.token {
            Token::Word(_) if keyword == Keyword::CASE => {
                cases += 1;
                if cases > MAX_CASES {
                    return Err(Diagnostic::new(format!(
                        "CASE is nested more than {MAX_CASES} deep"
                    ))
                    .at(token.span));
                }
            }
            Token::Word(_) if keyword == Keyword::END => cases = cases.saturating_sub(1),
            Token::LParen | Token::LBracket | Token::LBrace => links.push(0),
            Token::RParen | Token::RBracket | Token::RBrace => {
                links.pop();
                if links.is_empty() {
                    links.push(0);
                }
            }
            Token::Comma | Token::VerticalBarRightAngleBracket => {
                links.last_mut().into_iter().for_each(|count| *count = 0);
                continue;
            }
            _ => {}
        }
        if is_link(&token.token)
            && let Some(count) = links.last_mut()
        {
            *count += 1;
            if *count > MAX_CHAIN {
                return Err(Diagnostic::new(format!(
                    "more than {MAX_CHAIN} operators in a row are too many for one expression"
                ))
                .at(token.span)
                .with_hint("use parentheses, IN (…) or a join with VALUES"));
            }
        }
    }
    Ok(())
}

/// sqlparser reads `ARRAY<ARRAY<…>>` by recursion that it does not count.
pub(crate) fn check_types(list: &[TokenWithSpan]) -> Result<(), Diagnostic> {
    let mut depth = 0_usize;
    for pair in list.windows(2) {
        let begins_type = matches!(&pair[0].token, Token::Word(word) if matches!(
            word.keyword,
            Keyword::ARRAY | Keyword::STRUCT | Keyword::MAP | Keyword::NESTED | Keyword::TABLE
        ));
        match &pair[1].token {
            Token::Lt if begins_type => depth += 1,
            Token::Gt => depth = depth.saturating_sub(1),
            Token::ShiftRight => depth = depth.saturating_sub(2),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Err(Diagnostic::new(format!("types are nested more than {MAX_NESTING} deep"))
                .at(pair[0].span));
        }
    }
    Ok(())
}

fn is_link(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            word.quote_style.is_none()
                && matches!(
                    word.value.to_uppercase().as_str(),
                    "AND"
                        | "OR"
                        | "NOT"
                        | "UNION"
                        | "INTERSECT"
                        | "EXCEPT"
                        | "IS"
                        | "LIKE"
                        | "IN"
                        | "BETWEEN"
                        | "COLLATE"
                        | "AT"
                        | "ELSE"
                        | "EXPLAIN"
                        | "JOIN"
                )
        }
        Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::DollarQuotedString(_)
        | Token::Placeholder(_)
        | Token::RParen => false,
        _ => true,
    }
}
