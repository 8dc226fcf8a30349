//! sqlparser's errors, with their place and in our words.

use sqlparser::parser::ParserError;
use sqlparser::tokenizer::{Location, Span, Token};

use crate::diagnostic::Diagnostic;
use crate::hint;
use crate::tokens::{Tokens, point};

/// Where the tokens end that a parser was given.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Boundary {
    /// The token behind the last one.
    pub(crate) index: usize,
}

/// Turns the text of a parser's error into a diagnostic. Errors at the end of the parser's tokens
/// are placed at the boundary.
pub(crate) fn from_parser(text: &str, tokens: &Tokens<'_>, boundary: Boundary) -> Diagnostic {
    let text = text.trim_start_matches("sql parser error: ");
    let (text, location) = split_location(text);
    let index = match location {
        Some(location) => tokens.index_at(location).or_else(|| {
            // A token of ours stands where the original began; anything else is inside a token.
            (location.line == 0).then_some(boundary.index)
        }),
        None => None,
    };
    let index = match (index, text.ends_with("found: EOF")) {
        (None, true) => Some(boundary.index),
        (index, _) => index,
    };
    let expected = text.strip_prefix("Expected: ").or_else(|| text.strip_prefix("Expected "));
    // The wrapping of an operator is nothing that a user has left open.
    if let Some(index) = index.filter(|index| tokens.is(*index, &Token::Pipe)) {
        return lone_bar(tokens, index);
    }
    let message = match (expected.map(split_found), index) {
        (Some((expected, _)), Some(index)) => {
            format!("expected {}, found {}", soften(expected), tokens.describe(index))
        }
        (Some((expected, Some(found))), None) => {
            format!("expected {}, found {}", soften(expected), quote_found(found))
        }
        (Some((expected, None)), None) => format!("expected {}", soften(expected)),
        (None, _) => lower_first(text),
    };
    // An error that names no place belongs to the statement, which its first word stands for.
    let span: Span =
        index.map(|index| tokens.span(index)).or(location.map(point)).unwrap_or(tokens.span(0));
    let mut diagnostic = Diagnostic::new(message);
    diagnostic.span = Some(span);
    diagnostic.hint = index.and_then(|index| hint::for_unexpected(tokens, index));
    diagnostic
}

/// `|` where `|>` is meant.
fn lone_bar(tokens: &Tokens<'_>, index: usize) -> Diagnostic {
    Diagnostic::new("expected `|>`, found `|`")
        .at(tokens.span(index))
        .with_hint("steps follow each other with `|>`: FROM 'access.log' |> PIPE 'grep …'")
}

/// The same for an error that is a value.
pub(crate) fn from_parser_error(
    error: &ParserError,
    tokens: &Tokens<'_>,
    boundary: Boundary,
) -> Diagnostic {
    match error {
        ParserError::RecursionLimitExceeded => too_deep(tokens, boundary),
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => {
            from_parser(text, tokens, boundary)
        }
    }
}

/// The same for what DataFusion's parser makes of it.
pub(crate) fn from_datafusion(
    error: &(dyn std::error::Error + 'static),
    tokens: &Tokens<'_>,
    boundary: Boundary,
) -> Diagnostic {
    let mut cause = Some(error);
    while let Some(current) = cause {
        if let Some(error) = current.downcast_ref::<ParserError>() {
            return from_parser_error(error, tokens, boundary);
        }
        cause = current.source();
    }
    from_parser(&error.to_string(), tokens, boundary)
}

/// For a statement that parsed although something is left behind it.
pub(crate) fn trailing(tokens: &Tokens<'_>, index: usize) -> Diagnostic {
    if let Some(diagnostic) = misread_keyword(tokens, index) {
        return diagnostic;
    }
    if tokens.is(index, &Token::Pipe) {
        return lone_bar(tokens, index);
    }
    let mut diagnostic = Diagnostic::new(format!(
        "expected the end of the statement, found {}",
        tokens.describe(index)
    ))
    .at(tokens.span(index));
    diagnostic.hint = hint::for_unexpected(tokens, index);
    diagnostic
}

/// `a AND AND b` is first wrong at `b`: sqlparser took the second AND for a column.
pub(crate) fn misread_keyword(tokens: &Tokens<'_>, index: usize) -> Option<Diagnostic> {
    let keyword = index.checked_sub(1)?;
    let word = tokens.word(keyword)?;
    let before = keyword.checked_sub(1)?;
    let wants_operand = match tokens.token(before)? {
        Token::Word(_) => {
            matches!(
                tokens.word(before)?.as_str(),
                "AND"
                    | "OR"
                    | "NOT"
                    | "WHERE"
                    | "ON"
                    | "HAVING"
                    | "BY"
                    | "WHEN"
                    | "THEN"
                    | "ELSE"
                    | "SELECT"
                    | "EXTEND"
            )
        }
        Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::DollarQuotedString(_)
        | Token::Placeholder(_)
        | Token::RParen
        | Token::RBracket
        | Token::Mul => false,
        _ => true,
    };
    (wants_operand && is_reserved(&word)).then(|| {
        Diagnostic::new(format!("expected an expression, found {}", tokens.describe(keyword)))
            .at(tokens.span(keyword))
    })
}

/// Names only in quotes. Short on purpose: whatever else works as a name is left alone.
pub(crate) fn is_reserved(word: &str) -> bool {
    matches!(
        word.to_uppercase().as_str(),
        "FROM" | "SELECT" | "WHERE" | "HAVING" | "JOIN" | "AND" | "OR" | "AS"
    )
}

pub(crate) fn too_deep(tokens: &Tokens<'_>, boundary: Boundary) -> Diagnostic {
    Diagnostic::new("this is nested too deeply to parse")
        .at(tokens.span(boundary.index.saturating_sub(1)))
        .with_hint("split it with WITH or CREATE VIEW")
}

/// Takes " at Line: 3, Column: 8" off the end.
fn split_location(text: &str) -> (&str, Option<Location>) {
    let parsed = text.rfind(" at Line: ").and_then(|at| {
        let (line, column) = text[at + " at Line: ".len()..].split_once(", Column: ")?;
        let digits = column.find(|c: char| !c.is_ascii_digit()).unwrap_or(column.len());
        Some((at, Location::new(line.parse().ok()?, column[..digits].parse().ok()?)))
    });
    match parsed {
        Some((at, location)) => (text[..at].trim_end(), Some(location)),
        None => (text.trim_end(), None),
    }
}

fn split_found(text: &str) -> (&str, Option<&str>) {
    match text.split_once(", found: ").or_else(|| text.split_once(", found ")) {
        Some((expected, found)) => (expected, Some(found)),
        None => (text, None),
    }
}

/// sqlparser's names for what it expects, as a reader of the message would say them.
fn soften(expected: &str) -> String {
    match expected {
        "an expression" | "an expression:" => "an expression".to_string(),
        "end of statement" | "end of statement or ;" => "the end of the statement".to_string(),
        "identifier" | "an identifier" => "a name".to_string(),
        "an identifier after AS" => "a name after AS".to_string(),
        "literal string" => "a quoted text".to_string(),
        "an SQL statement" => "a statement".to_string(),
        other => {
            let other = other.trim_end_matches(':');
            let is_symbol = !other.is_empty() && other.chars().all(|c| c.is_ascii_punctuation());
            if is_symbol { format!("`{other}`") } else { other.to_string() }
        }
    }
}

/// The text of a token in a message: on one line, and not too long.
pub(crate) fn quote_found(text: &str) -> String {
    const MAX_CHARS: usize = 40;
    let line = text.lines().next().unwrap_or_default();
    let mut shown: String = line.chars().take(MAX_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("`{}`", shown.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\""))
}

pub(crate) fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    match (characters.next(), characters.clone().next()) {
        // An abbreviation keeps its capitals.
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => text.to_string(),
    }
}
