//! `ORDER BY` in an operator, and where it ends.

use sqlparser::ast::{Expr, OrderByExpr};
use sqlparser::tokenizer::Token;

use crate::cut::{Cutter, Place};
use crate::diagnostic::Diagnostic;

/// Words that an expression or its sort direction goes on with, behind an operand.
const CONTINUATIONS: &[&str] = &[
    "ASC", "DESC", "NULLS", "AND", "OR", "NOT", "IS", "IN", "LIKE", "ILIKE", "SIMILAR", "RLIKE",
    "REGEXP", "BETWEEN", "ESCAPE", "COLLATE", "AT", "DIV", "XOR", "OVER", "IGNORE", "RESPECT",
    "WITHIN", "OVERLAPS",
];
/// Words that an operand follows.
const OPERATORS: &[&str] = &[
    "AND", "OR", "NOT", "IS", "IN", "LIKE", "ILIKE", "SIMILAR", "TO", "RLIKE", "REGEXP", "BETWEEN",
    "ESCAPE", "COLLATE", "AT", "DIV", "XOR", "DISTINCT", "FROM", "OVER", "OVERLAPS", "INTERVAL",
];

impl Cutter<'_, '_> {
    /// `ORDER BY sort, …` at `at`: the keys, and the token behind them.
    pub(crate) fn sort(
        &mut self,
        at: usize,
        end: usize,
    ) -> Result<(Vec<OrderByExpr>, usize), Diagnostic> {
        if at + 1 >= end || !self.tokens.is_word(at + 1, "BY") {
            return Err(self.incomplete(at, "ORDER", "BY"));
        }
        let start = at + 2;
        let behind = self.sort_end(start, end);
        self.refuse_all(start, behind)?;
        if behind == start {
            let found = self.tokens.describe(start);
            return Err(Diagnostic::new(format!("expected an expression, found {found}"))
                .at(self.tokens.span(start)));
        }
        let input = self.group(start..behind, Place::Arguments)?;
        let keys = self.parse(input, behind, |parser| {
            parser.parse_comma_separated(|parser| parser.parse_order_by_expr())
        })?;
        let values = keys.iter().map(|key| &key.expr);
        self.refuse_constants(values, "ORDER BY in PIPE", at).map_err(|diagnostic| {
            let place = diagnostic.span.and_then(|span| self.tokens.index_at(span.start));
            match place.is_some_and(|index| self.tokens.is_code(index)) {
                true => diagnostic.with_hint(
                    "the comma belongs to ORDER BY; before another FROM item, put this one in \
                     parentheses",
                ),
                false => diagnostic,
            }
        })?;
        Ok((keys, behind))
    }

    /// Sorting and grouping by a constant does nothing, and is not what was meant.
    pub(crate) fn refuse_constants<'e>(
        &self,
        expressions: impl Iterator<Item = &'e Expr>,
        clause: &str,
        at: usize,
    ) -> Result<(), Diagnostic> {
        for expression in expressions {
            if let Expr::Value(value) = expression {
                let has_place = value.span.start.line > 0;
                let place = if has_place { value.span } else { self.tokens.span(at) };
                return Err(Diagnostic::new(format!(
                    "{clause} takes columns and expressions, not positions or constants"
                ))
                .at(place));
            }
        }
        Ok(())
    }

    /// The end of a list of sort keys: a word that stands behind an operand and is no part of an
    /// expression. Columns may be called as clauses are: `ORDER BY timeout TIMEOUT '5s'`.
    fn sort_end(&self, start: usize, end: usize) -> usize {
        let tokens = self.tokens;
        let mut index = start;
        let mut is_behind_operand = false;
        while index < end {
            match tokens.token(index) {
                Some(Token::VerticalBarRightAngleBracket) => return index,
                Some(Token::LParen) => {
                    index = tokens.partner(index);
                    is_behind_operand = true;
                }
                Some(Token::Word(_)) if is_behind_operand => {
                    if !self.continues_sort(index) {
                        return index;
                    }
                    is_behind_operand = !self.is_operator_word(index);
                }
                Some(Token::Word(_)) if tokens.is_word(index, "CASE") => {
                    index = self.case_end(index, end);
                    is_behind_operand = true;
                }
                Some(Token::Word(_)) => is_behind_operand = !self.is_operator_word(index),
                Some(
                    Token::RBracket
                    | Token::RBrace
                    | Token::Number(..)
                    | Token::SingleQuotedString(_)
                    | Token::DollarQuotedString(_)
                    | Token::Placeholder(_),
                ) => is_behind_operand = true,
                _ => is_behind_operand = false,
            }
            index += 1;
        }
        end
    }

    fn is_operator_word(&self, index: usize) -> bool {
        self.tokens.word(index).is_some_and(|word| OPERATORS.contains(&word.as_str()))
    }

    /// Whether the word at `index`, behind an operand, is part of the sort.
    fn continues_sort(&self, index: usize) -> bool {
        let tokens = self.tokens;
        let Some(word) = tokens.word(index) else { return false };
        let previous = tokens.word(index - 1);
        let previous = previous.as_deref();
        match word.as_str() {
            "FIRST" | "LAST" => previous == Some("NULLS"),
            "ZONE" => previous == Some("TIME"),
            "PRECISION" => previous == Some("DOUBLE"),
            "GROUP" => previous == Some("WITHIN"),
            "FILTER" => tokens.is(index + 1, &Token::LParen),
            word if CONTINUATIONS.contains(&word) => true,
            // INTERVAL '1' DAY
            _ => {
                tokens.word(index - 1).is_none()
                    && index >= 2
                    && tokens.is_word(index - 2, "INTERVAL")
                    && super::timeout::is_unit(&word)
            }
        }
    }

    /// The END of a CASE, or the last token where it has none.
    fn case_end(&self, start: usize, end: usize) -> usize {
        let mut depth = 0_usize;
        let mut index = start;
        while index < end {
            match self.tokens.token(index) {
                Some(Token::LParen) => index = self.tokens.partner(index),
                Some(Token::Word(_)) if self.tokens.is_word(index, "CASE") => depth += 1,
                Some(Token::Word(_)) if self.tokens.is_word(index, "END") => {
                    depth -= 1;
                    if depth == 0 {
                        return index;
                    }
                }
                _ => {}
            }
            index += 1;
        }
        end - 1
    }
}
