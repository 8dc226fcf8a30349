//! `FOLD START 'regex' [MAX n LINES]`

use sqlparser::tokenizer::Token;

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::statement::{FoldClause, OperatorKind};

use super::{Form, Read};

const SHAPE: &str = "write FOLD START 'regex' [MAX n LINES]";

impl Cutter<'_, '_> {
    pub(super) fn fold(&mut self, at: usize, end: usize, _form: Form) -> Result<Read, Diagnostic> {
        let tokens = self.tokens;
        let expected = |what: &str, index: usize| {
            let found = tokens.describe(index);
            Diagnostic::new(format!("expected {what}, found {found}"))
                .at(tokens.span(index))
                .with_hint(SHAPE)
        };
        if at + 1 >= end || !tokens.is_word(at + 1, "START") {
            return Err(expected("START", at + 1));
        }
        if at + 2 >= end || !tokens.is_code(at + 2) {
            return Err(expected("a regular expression in quotes", at + 2));
        }
        self.refuse_open_code(at + 2, end)?;
        let start = self.code(at + 2);
        let mut behind = at + 3;
        let mut max_lines = None;
        if behind < end && tokens.is_word(behind, "MAX") {
            let number = match tokens.token(behind + 1).filter(|_| behind + 1 < end) {
                Some(Token::Number(number, _)) => number.parse().ok().filter(|n| *n > 0),
                _ => None,
            };
            let Some(number) = number else {
                return Err(expected("a number of lines, from 1 on", behind + 1));
            };
            if behind + 2 >= end || !tokens.is_word(behind + 2, "LINES") {
                return Err(expected("LINES", behind + 2));
            }
            max_lines = Some(number);
            behind += 3;
        }
        Ok((OperatorKind::Fold(FoldClause { start, max_lines }), None, behind))
    }
}
