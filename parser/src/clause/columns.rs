//! The columns that an operator declares.

use std::collections::HashSet;

use sqlparser::tokenizer::Token;

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::statement::ColumnDecl;
use crate::step::normal;

impl Cutter<'_, '_> {
    /// `AS (column [type], …)` at `at`: the columns, and the token behind them.
    pub(crate) fn columns(&self, at: usize) -> Result<(Vec<ColumnDecl>, usize), Diagnostic> {
        let close = self.tokens.partner(at + 1);
        let mut columns = Vec::new();
        let mut names = HashSet::new();
        let mut start = at + 2;
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
        let input = (start..end).filter_map(|index| tokens.get(index).cloned()).collect();
        let typed = end > start + 1;
        let (name, data_type) = self.parse(input, end, |parser| {
            let name = parser.parse_identifier()?;
            let data_type = if typed { Some(parser.parse_data_type()?) } else { None };
            Ok((name, data_type))
        })?;
        Ok(ColumnDecl { name, data_type, span: tokens.span_of(start..end) })
    }
}
