//! Classes of text for a prompt to colour.

use std::ops::Range;

use crate::lexer::{DollarForm, Lexeme, LexemeKind, lex};

/// What a piece of text is, to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HighlightClass {
    /// A word of the language.
    Keyword,
    /// A name, quoted or not.
    Identifier,
    /// A quoted text.
    String,
    /// A dollar-quoted text.
    Code,
    /// A number or a placeholder.
    Number,
    /// A comment.
    Comment,
    /// A symbol, a parenthesis, a `;`.
    Symbol,
    /// `|>`
    Pipe,
    /// What cannot be part of a statement.
    Error,
}

/// Words that are shown as keywords wherever they stand.
const RESERVED: &[&str] = &[
    "ALL",
    "ANALYZE",
    "AND",
    "ANTI",
    "AS",
    "ASC",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COPY",
    "CREATE",
    "CROSS",
    "DELETE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXISTS",
    "EXPLAIN",
    "EXTERNAL",
    "FALSE",
    "FROM",
    "FULL",
    "GROUP",
    "HAVING",
    "IN",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "ILIKE",
    "LIMIT",
    "NATURAL",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "QUALIFY",
    "REPLACE",
    "RESET",
    "RIGHT",
    "SELECT",
    "SEMI",
    "SET",
    "SHOW",
    "TABLE",
    "THEN",
    "TO",
    "TRUE",
    "UNION",
    "USING",
    "VALUES",
    "VIEW",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
];

/// Words that are keywords only directly after `|>`.
const STEPS: &[&str] = &["AGGREGATE", "EXTEND", "RENAME", "TABLESAMPLE"];

/// The classes of the text's pieces, in order; blanks have none.
pub fn highlight(text: &str) -> Vec<(Range<usize>, HighlightClass)> {
    let lexemes: Vec<Lexeme> =
        lex(text).filter(|lexeme| lexeme.kind != LexemeKind::Whitespace).collect();
    let mut classes = Vec::with_capacity(lexemes.len());
    for (index, lexeme) in lexemes.iter().enumerate() {
        let class = match lexeme.kind {
            LexemeKind::Word => word_class(text, &lexemes, index),
            kind => class_of(kind),
        };
        classes.push((lexeme.range.clone(), class));
    }
    classes
}

fn class_of(kind: LexemeKind) -> HighlightClass {
    match kind {
        LexemeKind::LineComment | LexemeKind::BlockComment(_) => HighlightClass::Comment,
        LexemeKind::String(_) => HighlightClass::String,
        LexemeKind::Dollar(DollarForm::Quoted(_)) => HighlightClass::Code,
        LexemeKind::Dollar(DollarForm::Placeholder) | LexemeKind::Number => HighlightClass::Number,
        LexemeKind::QuotedIdentifier(_) | LexemeKind::Word => HighlightClass::Identifier,
        LexemeKind::Pipe => HighlightClass::Pipe,
        LexemeKind::Semicolon | LexemeKind::Open | LexemeKind::Close | LexemeKind::Symbol => {
            HighlightClass::Symbol
        }
        LexemeKind::Whitespace | LexemeKind::Unknown => HighlightClass::Error,
    }
}

/// Operator words are names too: the neighbours decide, as they do for the parser.
fn word_class(text: &str, lexemes: &[Lexeme], index: usize) -> HighlightClass {
    let word = |index: usize| {
        let lexeme = lexemes.get(index).filter(|lexeme| lexeme.kind == LexemeKind::Word)?;
        Some(text[lexeme.range.clone()].to_uppercase())
    };
    let kind = |index: usize| lexemes.get(index).map(|lexeme| lexeme.kind);
    let is_code = |index: usize| {
        matches!(
            kind(index),
            Some(LexemeKind::String(_) | LexemeKind::Dollar(DollarForm::Quoted(_)))
        )
    };
    let Some(this) = word(index) else { return HighlightClass::Identifier };
    let previous = index.checked_sub(1).and_then(kind);
    if previous == Some(LexemeKind::Symbol)
        && text.as_bytes().get(lexemes[index - 1].range.start) == Some(&b'.')
    {
        return HighlightClass::Identifier;
    }
    let after_pipe = previous == Some(LexemeKind::Pipe);
    let is_keyword = match this.as_str() {
        word if RESERVED.contains(&word) => true,
        word if STEPS.contains(&word) => after_pipe,
        "PIPE" => after_pipe || is_code(index + 1),
        "MAP" | "FLATMAP" | "FILTER" | "REDUCE" => {
            after_pipe || (word(index + 1).as_deref() == Some("LUA") && is_code(index + 2))
        }
        "LUA" | "PATTERN" | "REGEX" | "GROK" => is_code(index + 1),
        "PARSE" => after_pipe,
        _ => false,
    };
    if is_keyword { HighlightClass::Keyword } else { HighlightClass::Identifier }
}
