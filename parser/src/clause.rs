//! The parts that operators share: quoted code, `USING (…)`, `FORMAT …`, `AS (…)`.

use sqlparser::tokenizer::{Location, Span, Token};

use crate::cut::{Cutter, Place};
use crate::diagnostic::Diagnostic;
use crate::operator::not_yet;
use crate::statement::{Code, ColumnDecl, TextFormat};

impl Cutter<'_, '_> {
    /// `'… line:match('x') …'` ends at the second quote, and the rest stands right behind it.
    pub(crate) fn refuse_open_code(&self, at: usize, end: usize) -> Result<(), Diagnostic> {
        let tokens = self.tokens;
        let is_adjacent = at + 1 < end
            && tokens.span(at + 1).start == tokens.span(at).end
            && !matches!(
                tokens.token(at + 1),
                Some(Token::RParen | Token::Comma | Token::VerticalBarRightAngleBracket)
            );
        if !is_adjacent {
            return Ok(());
        }
        Err(Diagnostic::new("the quoted code ends before this")
            .at(tokens.span(at + 1))
            .with_hint("inside '…' a quote is written ''; or put the code between $$ and $$"))
    }

    pub(crate) fn code(&self, at: usize) -> Code {
        let span = self.tokens.span(at);
        let source = self.tokens.script.slice(span);
        let (text, opening_chars) = match self.tokens.token(at) {
            Some(Token::SingleQuotedString(text)) => (text.clone(), 1),
            _ => {
                let mark_bytes =
                    source.get(1..).and_then(|rest| rest.find('$')).map_or(1, |at| at + 2);
                let body = source.get(mark_bytes..source.len().saturating_sub(mark_bytes));
                let mark_chars = source.chars().take_while({
                    let mut dollars = 0;
                    move |character| {
                        let inside = dollars < 2;
                        dollars += usize::from(*character == '$');
                        inside
                    }
                });
                (body.unwrap_or_default().to_string(), mark_chars.count() as u64)
            }
        };
        let start = Location::new(span.start.line, span.start.column + opening_chars);
        Code { text, start, span }
    }

    /// `USING (expr, …)`.
    #[expect(clippy::type_complexity, reason = "three plain facts, read once, by one caller each")]
    pub(crate) fn using(
        &mut self,
        at: usize,
        end: usize,
    ) -> Result<(Option<Vec<sqlparser::ast::Expr>>, Option<Span>, usize), Diagnostic> {
        let tokens = self.tokens;
        if at >= end || !tokens.is_word(at, "USING") {
            return Ok((None, None, at));
        }
        if at + 1 >= end || !tokens.is(at + 1, &Token::LParen) {
            return Err(Diagnostic::new(format!(
                "USING takes its expressions in parentheses, found {}",
                if at + 1 >= end { "nothing".to_string() } else { tokens.describe(at + 1) }
            ))
            .at(tokens.span(at + 1))
            .with_hint("write USING (expression, …)"));
        }
        let close = tokens.partner(at + 1);
        if close == at + 2 {
            return Err(Diagnostic::new("USING needs at least one expression")
                .at(tokens.span_of(at..close + 1)));
        }
        let inside = self.group(at + 2..close, Place::Arguments)?;
        let expressions =
            self.parse(inside, close, |parser| parser.parse_comma_separated(|p| p.parse_expr()))?;
        Ok((Some(expressions), Some(tokens.span(at)), close + 1))
    }

    /// `FORMAT RAW | TSV`.
    pub(crate) fn format(
        &self,
        at: usize,
        end: usize,
    ) -> Result<(Option<TextFormat>, usize), Diagnostic> {
        let tokens = self.tokens;
        if at >= end || !tokens.is_word(at, "FORMAT") {
            return Ok((None, at));
        }
        let name = tokens.word(at + 1).filter(|_| at + 1 < end);
        match name.as_deref() {
            Some("RAW") => Ok((Some(TextFormat::Raw), at + 2)),
            Some("TSV") => Ok((Some(TextFormat::Tsv), at + 2)),
            Some(later @ ("CSV" | "JSON")) => {
                Err(not_yet(format!("FORMAT {later}"), tokens.span_of(at..at + 2))
                    .with_hint("FORMAT TSV sends several columns"))
            }
            _ => Err(Diagnostic::new(format!(
                "FORMAT is RAW or TSV, found {}",
                tokens.describe(at + 1)
            ))
            .at(tokens.span(at + 1))),
        }
    }

    /// `AS (column [type], …)`. `AS name` is left to be an alias.
    pub(crate) fn columns(
        &self,
        at: usize,
        end: usize,
    ) -> Result<(Option<Vec<ColumnDecl>>, usize), Diagnostic> {
        let tokens = self.tokens;
        if at + 1 >= end || !tokens.is_word(at, "AS") || !tokens.is(at + 1, &Token::LParen) {
            return Ok((None, at));
        }
        let close = tokens.partner(at + 1);
        let mut columns: Vec<ColumnDecl> = Vec::new();
        let mut start = at + 2;
        while start <= close {
            let piece_end = self.column_end(start, close);
            let column = self.column(start, piece_end)?;
            if columns.iter().any(|other| same_name(other, &column)) {
                return Err(Diagnostic::new(format!("column {} is declared twice", column.name))
                    .at(column.span));
            }
            columns.push(column);
            start = piece_end + 1;
        }
        Ok((Some(columns), close + 1))
    }

    /// The comma that ends a column, outside the parentheses and brackets of its type.
    fn column_end(&self, start: usize, close: usize) -> usize {
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

/// Unquoted names differ only in case when they are the same.
fn same_name(left: &ColumnDecl, right: &ColumnDecl) -> bool {
    crate::step::normal(&left.name).value == crate::step::normal(&right.name).value
}
