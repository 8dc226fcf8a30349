//! A script and its statements, found on lexemes.

use std::ops::Range;

use crate::lexer::{LexemeKind, lex};

/// The byte ranges of the statements of a script, in order, each without its `;` and without the
/// blanks and comments around it. Empty statements are left out.
pub fn split(script: &str) -> Vec<Range<usize>> {
    let mut statements = Vec::new();
    let mut current: Option<Range<usize>> = None;
    for lexeme in lex(script) {
        if lexeme.kind == LexemeKind::Semicolon {
            statements.extend(current.take());
        } else if lexeme.kind.is_significant() || lexeme.kind.is_open() {
            let start = current.map_or(lexeme.range.start, |range| range.start);
            current = Some(start..lexeme.range.end);
        }
    }
    statements.extend(current);
    statements
}

/// Whether the text is ready to run: its last statement ends with `;`, outside quotes and
/// comments. A text without any statement is ready as well, as nothing is missing from it.
pub fn is_complete(text: &str) -> bool {
    let mut complete = true;
    for lexeme in lex(text) {
        if lexeme.kind.is_open() {
            return false;
        }
        if lexeme.kind.is_significant() {
            complete = lexeme.kind == LexemeKind::Semicolon;
        }
    }
    complete
}
