//! The steps of a pipe query: what stands behind `|>`.

use sqlparser::ast::{
    Expr, ExprWithAliasAndOrderBy, Ident, Join, OrderByExpr, Query, SelectItem, SetOperator,
    SetQuantifier, TableSample,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token};

use crate::cut::{Cutter, Place};
use crate::diagnostic::Diagnostic;
use crate::hint;
use crate::operator::Form;

mod aggregate;
mod columns;
mod table;

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

/// Steps that GoogleSQL has and this dialect does not.
const UNSUPPORTED: &[&str] = &[
    "PIVOT",
    "UNPIVOT",
    "CALL",
    "WITH",
    "ASSERT",
    "LOG",
    "FORK",
    "TEE",
    "IF",
    "STATIC_DESCRIBE",
    "DESCRIBE",
    "MATCH_RECOGNIZE",
    "INSERT",
    "CREATE",
    "EXPORT",
    "WINDOW",
    "RECURSIVE",
];

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
            "PIPE" | "MAP" | "FLATMAP" | "FILTER" | "REDUCE" | "PARSE" => {
                self.operator_step(keyword, end)
            }
            "SELECT" => self.select(body, end),
            "EXTEND" => Ok(Step::Extend(self.select_items(body, end)?)),
            "SET" => self.set(keyword, end),
            "DROP" => self.drop_columns(keyword, end),
            "RENAME" => self.rename(keyword, end),
            "AS" => self.read(body, end, |parser| parser.parse_identifier()).map(Step::As),
            "WHERE" => self.read(body, end, |parser| parser.parse_expr()).map(Step::Where),
            "AGGREGATE" => self.aggregate(keyword, end),
            "DISTINCT" if body == end => Ok(Step::Distinct),
            "DISTINCT" => Err(self.unexpected(body)),
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

    fn unknown_step(&self, word: &str, keyword: usize) -> Diagnostic {
        let span = self.tokens.span(keyword);
        if UNSUPPORTED.contains(&word) {
            return Diagnostic::new(format!("not supported: |> {word}")).at(span);
        }
        let found = self.tokens.describe(keyword);
        let mut diagnostic =
            Diagnostic::new(format!("expected a step after `|>`, found {found}")).at(span);
        diagnostic.hint = match word {
            "GROUP" => Some("grouping is |> AGGREGATE … GROUP BY …".to_string()),
            "HAVING" | "QUALIFY" => {
                Some("after AGGREGATE or EXTEND this is |> WHERE …".to_string())
            }
            "OFFSET" => Some("write |> LIMIT n OFFSET m".to_string()),
            "FROM" => Some("FROM begins a query; `|>` is not needed before it".to_string()),
            _ => hint::nearest(word, hint::PIPE_STEPS).map(hint::did_you_mean),
        };
        diagnostic
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
        self.list(keyword + 2, end, |parser| parser.parse_order_by_expr()).map(Step::OrderBy)
    }

    fn limit(&mut self, start: usize, end: usize) -> Result<Step, Diagnostic> {
        self.read(start, end, |parser| {
            let limit = parser.parse_expr()?;
            let offset = if parser.parse_keyword(Keyword::OFFSET) {
                Some(parser.parse_expr()?)
            } else {
                None
            };
            Ok(Step::Limit { limit, offset })
        })
    }
}
