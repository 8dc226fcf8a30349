//! The columns that an operator declares.

use std::collections::HashSet;

use sqlparser::ast::Ident;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use crate::clause::Grammar;
use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::statement::{Code, ColumnDecl};
use crate::step::normal;

impl Cutter<'_, '_> {
    /// `AS (column [type], …)` at `at`: the columns, and the token behind them.
    pub(crate) fn columns(
        &self,
        at: usize,
        grammar: &Grammar,
    ) -> Result<(Vec<ColumnDecl>, usize), Diagnostic> {
        let (columns, behind) = self.column_list(at + 1)?;
        let formatted = columns.iter().find_map(|column| column.time_format.as_ref());
        if let Some(format) = formatted.filter(|_| !grammar.has_time_formats) {
            let message = format!("{} takes no FORMAT of a column", grammar.name);
            return Err(Diagnostic::new(message)
                .at(format.span)
                .with_hint("only PARSE reads times in a form that is stated"));
        }
        Ok((columns, behind))
    }

    /// `(column [type] [FORMAT '…'], …)` at `open`: the columns, and the token behind them.
    pub(crate) fn column_list(&self, open: usize) -> Result<(Vec<ColumnDecl>, usize), Diagnostic> {
        let close = self.tokens.partner(open);
        let mut columns = Vec::new();
        let mut names = HashSet::new();
        let mut start = open + 1;
        while start <= close {
            let piece_end = self.column_end(start, close);
            let column = self.column(start, piece_end)?;
            if !names.insert(normal(&column.name).value) {
                return Err(Diagnostic::new(format!("column {} is declared twice", column.name))
                    .at(column.span));
            }
            columns.push(column);
            start = piece_end + 1;
        }
        Ok((columns, close + 1))
    }

    /// The comma that ends a column, outside the parentheses and brackets of its type.
    pub(crate) fn column_end(&self, start: usize, close: usize) -> usize {
        let mut angles = 0_i32;
        let mut index = start;
        while index < close {
            match self.tokens.token(index) {
                Some(Token::Comma) if angles <= 0 => return index,
                Some(Token::LParen) => index = self.tokens.partner(index),
                Some(Token::Lt) => angles += 1,
                Some(Token::Gt) => angles -= 1,
                Some(Token::ShiftRight) => angles -= 2,
                _ => {}
            }
            index += 1;
        }
        close
    }

    fn column(&self, start: usize, end: usize) -> Result<ColumnDecl, Diagnostic> {
        let tokens = self.tokens;
        let is_name = start < end && matches!(tokens.token(start), Some(Token::Word(_)));
        if !is_name {
            return Err(Diagnostic::new(format!(
                "expected a column name, found {}",
                tokens.describe(start)
            ))
            .at(tokens.span(start))
            .with_hint("write AS (name [type], …)"));
        }
        let (typed_end, time_format) = self.time_format(start, end);
        let input = (start..typed_end).filter_map(|index| tokens.get(index).cloned()).collect();
        let (name, data_type) = self.parse(input, typed_end, |parser| {
            let name = path_of_keys(parser)?;
            let typed = parser.peek_token_ref().token != Token::EOF;
            let data_type = if typed { Some(parser.parse_data_type()?) } else { None };
            Ok((name, data_type))
        })?;
        Ok(ColumnDecl { name, data_type, time_format, span: tokens.span_of(start..end) })
    }

    /// `FORMAT '…'` at the end of a column, and where what stands before it ends.
    fn time_format(&self, start: usize, end: usize) -> (usize, Option<Code>) {
        let is_format = end > start + 2
            && self.tokens.is_word(end - 2, "FORMAT")
            && self.tokens.is_code(end - 1);
        if is_format { (end - 2, Some(self.code(end - 1))) } else { (end, None) }
    }
}

/// A name, or the names of nested keys with dots between them, which are one name.
fn path_of_keys(parser: &mut Parser<'_>) -> Result<Ident, ParserError> {
    let first = parser.parse_identifier()?;
    if parser.peek_token_ref().token != Token::Period {
        return Ok(first);
    }
    let mut path = normal(&first).value;
    while parser.consume_token(&Token::Period) {
        path.push('.');
        path.push_str(&normal(&parser.parse_identifier()?).value);
    }
    Ok(Ident::with_quote('"', path))
}
