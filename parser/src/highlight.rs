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

/// Words that are keywords in `CREATE FUNCTION`, outside its parameters.
const FUNCTION: &[&str] = &[
    "CALLED",
    "FUNCTION",
    "IF",
    "IMMUTABLE",
    "INPUT",
    "LANGUAGE",
    "LUA",
    "RETURNS",
    "STABLE",
    "STRICT",
    "VOLATILE",
];

/// The classes of the text's pieces, in order; blanks have none.
pub fn highlight(text: &str) -> Vec<(Range<usize>, HighlightClass)> {
    let lexemes: Vec<Lexeme> =
        lex(text).filter(|lexeme| lexeme.kind != LexemeKind::Whitespace).collect();
    let mut classes = Vec::with_capacity(lexemes.len());
    let mut creates_function = false;
    for (index, lexeme) in lexemes.iter().enumerate() {
        let word = Neighbours { text, lexemes: &lexemes, index };
        match lexeme.kind {
            LexemeKind::Semicolon => creates_function = false,
            LexemeKind::Word => creates_function |= word.begins_function(),
            _ => {}
        }
        let class = match lexeme.kind {
            LexemeKind::Word if word.is_keyword(creates_function) => HighlightClass::Keyword,
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

/// A word and what stands around it. Operator words are names too: the neighbours decide, as they
/// do for the parser.
struct Neighbours<'t> {
    text: &'t str,
    lexemes: &'t [Lexeme],
    index: usize,
}

impl Neighbours<'_> {
    fn kind(&self, offset: isize) -> Option<LexemeKind> {
        Some(self.lexemes.get(self.index.checked_add_signed(offset)?)?.kind)
    }

    /// The word at an offset from this one, in upper case.
    fn word(&self, offset: isize) -> String {
        let index = self.index.checked_add_signed(offset);
        index
            .and_then(|index| self.lexemes.get(index))
            .filter(|lexeme| lexeme.kind == LexemeKind::Word)
            .map(|lexeme| self.text[lexeme.range.clone()].to_uppercase())
            .unwrap_or_default()
    }

    fn is(&self, offset: isize, words: &[&str]) -> bool {
        words.contains(&self.word(offset).as_str())
    }

    fn is_code(&self, offset: isize) -> bool {
        matches!(
            self.kind(offset),
            Some(LexemeKind::String(_) | LexemeKind::Dollar(DollarForm::Quoted(_)))
        )
    }

    fn is_behind_symbol(&self, symbol: u8) -> bool {
        self.kind(-1) == Some(LexemeKind::Symbol)
            && self.text.as_bytes().get(self.lexemes[self.index - 1].range.start) == Some(&symbol)
    }

    fn begins_function(&self) -> bool {
        self.is(0, &["FUNCTION"]) && self.is(-1, &["CREATE", "REPLACE"])
    }

    fn is_keyword(&self, creates_function: bool) -> bool {
        if self.is_behind_symbol(b'.') {
            return false;
        }
        if self.is(0, RESERVED) {
            return true;
        }
        let is_parameter = self.kind(-1) == Some(LexemeKind::Open) || self.is_behind_symbol(b',');
        if creates_function && self.is(0, FUNCTION) {
            return !is_parameter;
        }
        self.is_operator_word() || self.is_clause_word()
    }

    fn is_operator_word(&self) -> bool {
        let after_pipe = self.kind(-1) == Some(LexemeKind::Pipe);
        match self.word(0).as_str() {
            word if STEPS.contains(&word) => after_pipe,
            "PIPE" => after_pipe || self.is_code(1),
            "MAP" | "FLATMAP" | "FILTER" | "REDUCE" => {
                after_pipe || (self.is(1, &["LUA"]) && self.is_code(2))
            }
            "LUA" | "PATTERN" | "REGEX" | "GROK" | "START" => self.is_code(1),
            "PARSE" | "GAPFILL" => after_pipe,
            "FOLD" => after_pipe || self.is(1, &["START"]),
            _ => false,
        }
    }

    fn is_clause_word(&self) -> bool {
        const FORMATS: &[&str] = &["RAW", "TSV", "CSV", "JSON"];
        const POLICIES: &[&str] = &["FAIL", "NULL", "SKIP"];
        match self.word(0).as_str() {
            "SINGLE" => self.is_code(-1) || self.kind(-1) == Some(LexemeKind::Close),
            "PER" => self.is(1, &["ROW"]),
            "ROW" => self.is(-1, &["PER"]),
            "FORMAT" => self.is(1, FORMATS),
            "RAW" | "TSV" | "CSV" | "JSON" => self.is(-1, &["FORMAT"]),
            "OK" => self.is(1, &["EXIT"]),
            "EXIT" => self.is(-1, &["OK"]),
            "TIMEOUT" => self.is_code(1) || self.is(1, &["INTERVAL"]),
            "ERROR" => self.is(-1, &["ON"]) && self.is(1, POLICIES),
            "FAIL" | "SKIP" => self.is(-1, &["ERROR"]) && self.is(-2, &["ON"]),
            "FUNCTION" => self.is(-1, &["DROP"]),
            "FUNCTIONS" => self.is(-1, &["SHOW"]),
            _ => false,
        }
    }
}
