//! The steps of a pipe query: what stands behind `|>`.

use sqlparser::ast::{
    Expr, ExprWithAliasAndOrderBy, Ident, Join, OrderByExpr, Query, SelectItem, SetOperator,
    SetQuantifier, TableSample, Value,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token};

use crate::cut::{Cutter, Place};
use crate::diagnostic::Diagnostic;
use crate::operator::Form;

mod aggregate;
mod columns;
mod table;
mod unsupported;

pub(crate) use columns::normal;

/// One parsed step.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a statement has a handful of steps")]
pub(crate) enum Step {
    Operator(usize),
    Select { distinct: bool, items: Vec<SelectItem> },
    Extend(Vec<SelectItem>),
    Set { columns: Vec<(Ident, Expr)>, operator: usize },
    Drop { columns: Vec<Ident>, operator: usize },
    As(Ident),
    Where(Expr),
    Aggregate(Aggregate),
    Distinct,
    Join(Vec<Join>),
    OrderBy(Vec<OrderByExpr>),
    Limit { limit: Expr, offset: Option<Expr> },
    SetOperation { operator: SetOperator, quantifier: SetQuantifier, queries: Vec<Query> },
    Sample { sample: Box<TableSample>, span: Span },
}

/// `AGGREGATE items [GROUP [AND ORDER] BY keys]`.
#[derive(Debug)]
pub(crate) struct Aggregate {
    pub(crate) items: Vec<ExprWithAliasAndOrderBy>,
    pub(crate) keys: Vec<ExprWithAliasAndOrderBy>,
    /// GROUP AND ORDER BY: all keys order the result.
    pub(crate) ordered: bool,
}

impl Cutter<'_, '_> {
    /// Reads the step at `at`, a `|>`, up to `end`.
    pub(crate) fn step(&mut self, at: usize, end: usize) -> Result<Step, Diagnostic> {
        self.check_step_count(at)?;
        let tokens = self.tokens;
        let keyword = at + 1;
        if at == 0 || tokens.is(at - 1, &Token::LParen) {
            return Err(Diagnostic::new("`|>` has no query before it")
                .at(tokens.span(at))
                .with_hint("begin with FROM: FROM 'access.log' |> …"));
        }
        if keyword >= end {
            return Err(Diagnostic::new(format!(
                "expected a step after `|>`, found {}",
                tokens.describe(keyword)
            ))
            .at(tokens.span(at))
            .with_hint("steps are WHERE, SELECT, AGGREGATE, PIPE, MAP LUA, …"));
        }
        let word = tokens.word(keyword).unwrap_or_default();
        let body = keyword + 1;
        match word.as_str() {
            "PIPE" | "MAP" | "FLATMAP" | "FILTER" | "REDUCE" | "PARSE" | "FOLD" | "GAPFILL" => {
                self.operator_step(keyword, end)
            }
            "SELECT" => self.select(body, end),
            "EXTEND" => {
                self.refuse_select_forms(body, end)?;
                Ok(Step::Extend(self.select_items(body, end)?))
            }
            "SET" => self.set(keyword, end),
            "DROP" => self.drop_columns(keyword, end),
            "RENAME" => self.rename(keyword, end),
            "AS" => self.read(body, end, |parser| parser.parse_identifier()).map(Step::As),
            "WHERE" => self.read(body, end, |parser| parser.parse_expr()).map(Step::Where),
            "AGGREGATE" => self.aggregate(keyword, end),
            "DISTINCT" if body == end => Ok(Step::Distinct),
            "DISTINCT" => Err(self.unexpected(body)),
            "INNER" | "LEFT" | "FULL" if self.modifies_set_operation(keyword) => {
                Err(self.modified_set_operation(keyword))
            }
            "JOIN" | "INNER" | "LEFT" | "RIGHT" | "FULL" | "CROSS" | "NATURAL" => {
                self.join(keyword, end)
            }
            "ORDER" => self.order_by(keyword, end),
            "LIMIT" => self.limit(body, end),
            "UNION" => self.set_operation(SetOperator::Union, keyword, end),
            "INTERSECT" => self.set_operation(SetOperator::Intersect, keyword, end),
            "EXCEPT" => self.set_operation(SetOperator::Except, keyword, end),
            "TABLESAMPLE" => self.table_sample(keyword, end),
            _ => Err(self.unknown_step(&word, keyword)),
        }
    }

    fn operator_step(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        let (operator, _, behind) = self.operator(keyword, end, Form::Pipe)?;
        if behind < end {
            return Err(self.unexpected(behind));
        }
        Ok(Step::Operator(operator))
    }

    /// Cuts the tokens of a step and has sqlparser read them.
    pub(crate) fn read<T>(
        &mut self,
        start: usize,
        end: usize,
        read: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>,
    ) -> Result<T, Diagnostic> {
        let input = self.group(start..end, Place::Step)?;
        self.parse(input, end, read)
    }

    /// A list; a comma may follow its last element.
    pub(crate) fn list<T>(
        &mut self,
        start: usize,
        end: usize,
        read: fn(&mut Parser<'_>) -> Result<T, ParserError>,
    ) -> Result<Vec<T>, Diagnostic> {
        let trailing = end > start + 1 && self.tokens.is(end - 1, &Token::Comma);
        let list_end = if trailing { end - 1 } else { end };
        self.read(start, list_end, |parser| parser.parse_comma_separated(read))
    }

    fn select(&mut self, start: usize, end: usize) -> Result<Step, Diagnostic> {
        let distinct = self.tokens.is_word(start, "DISTINCT");
        let all = self.tokens.is_word(start, "ALL");
        let start = start + usize::from(distinct || all);
        self.refuse_select_forms(start, end)?;
        Ok(Step::Select { distinct, items: self.select_items(start, end)? })
    }

    fn select_items(&mut self, start: usize, end: usize) -> Result<Vec<SelectItem>, Diagnostic> {
        self.list(start, end, |parser| parser.parse_select_item())
    }

    fn order_by(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        if keyword + 1 >= end || !self.tokens.is_word(keyword + 1, "BY") {
            return Err(Diagnostic::new(format!(
                "expected BY, found {}",
                self.tokens.describe(keyword + 1)
            ))
            .at(self.tokens.span(keyword + 1)));
        }
        self.refuse_all(keyword + 2, end)?;
        self.list(keyword + 2, end, |parser| parser.parse_order_by_expr()).map(Step::OrderBy)
    }

    /// Refuses `ORDER BY ALL`, in which sqlparser would see a column.
    pub(crate) fn refuse_all(&self, at: usize, end: usize) -> Result<(), Diagnostic> {
        let tokens = self.tokens;
        let is_alone = |index: usize| {
            index >= end || matches!(tokens.word(index).as_deref(), Some("ASC" | "DESC" | "NULLS"))
        };
        if at < end && tokens.is_word(at, "ALL") && is_alone(at + 1) {
            return Err(Diagnostic::new("not supported: ORDER BY ALL")
                .at(tokens.span(at))
                .with_hint("write the columns: ORDER BY a, b"));
        }
        Ok(())
    }

    fn limit(&mut self, start: usize, end: usize) -> Result<Step, Diagnostic> {
        if end == start + 3 && self.tokens.is(start + 1, &Token::Comma) {
            return Err(self.unexpected(start + 1).with_hint("write LIMIT n OFFSET m"));
        }
        self.read(start, end, |parser| {
            let limit = match parser.parse_keyword(Keyword::ALL) {
                true => Expr::value(Value::Null),
                false => parser.parse_expr()?,
            };
            let offset = if parser.parse_keyword(Keyword::OFFSET) {
                Some(parser.parse_expr()?)
            } else {
                None
            };
            Ok(Step::Limit { limit, offset })
        })
    }
}
