//! The steps of a pipe query: what stands behind `|>`.

use sqlparser::ast::{
    Expr, ExprWithAliasAndOrderBy, Ident, Join, JoinConstraint, JoinOperator, OrderByExpr, Query,
    SelectItem, SetOperator, SetQuantifier, TableFactor, TableSample, TableSampleKind,
};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use crate::cut::{Cutter, Place};
use crate::desugar::aggregate::functions;
use crate::diagnostic::Diagnostic;
use crate::hint;
use crate::operator::Form;
use crate::statement::OperatorKind;

/// One parsed step.
#[derive(Debug)]
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
    "PIVOT", "UNPIVOT", "CALL", "WITH", "ASSERT", "LOG", "FORK", "TEE", "IF", "STATIC_DESCRIBE",
    "DESCRIBE", "MATCH_RECOGNIZE", "INSERT", "CREATE", "EXPORT", "WINDOW", "RECURSIVE",
];

/// An identifier as the planner resolves it: in lower case unless it is quoted.
pub(crate) fn normal(name: &Ident) -> Ident {
    if name.quote_style.is_some() {
        return name.clone();
    }
    Ident { value: name.value.to_lowercase(), ..name.clone() }
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
            "HAVING" | "QUALIFY" => Some("after AGGREGATE or EXTEND this is |> WHERE …".to_string()),
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
    fn read<T>(
        &mut self,
        start: usize,
        end: usize,
        read: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>,
    ) -> Result<T, Diagnostic> {
        let input = self.group(start..end, Place::Statement)?;
        self.parse(input, end, read)
    }

    /// A list; a comma may follow its last element.
    fn list<T>(
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

    fn set(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        let columns = self.list(keyword + 1, end, |parser| {
            let name = parser.parse_identifier()?;
            parser.expect_token(&Token::Eq)?;
            Ok((normal(&name), parser.parse_expr()?))
        })?;
        let names = columns.iter().map(|(name, _)| name.clone()).collect();
        let operator = self.require(keyword, end, names)?;
        Ok(Step::Set { columns, operator })
    }

    fn drop_columns(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        let columns: Vec<Ident> = self
            .list(keyword + 1, end, |parser| parser.parse_identifier())?
            .iter()
            .map(normal)
            .collect();
        let operator = self.require(keyword, end, columns.clone())?;
        Ok(Step::Drop { columns, operator })
    }

    /// SET and DROP name columns, each once.
    fn require(
        &mut self,
        keyword: usize,
        end: usize,
        names: Vec<Ident>,
    ) -> Result<usize, Diagnostic> {
        refuse_repeated(names.iter())?;
        let span = self.tokens.span(keyword);
        Ok(self.keep(keyword..end, span, OperatorKind::Require(names)))
    }

    fn rename(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        let names = self.list(keyword + 1, end, |parser| {
            let old = parser.parse_identifier()?;
            let _optional = parser.parse_keyword(Keyword::AS);
            Ok((normal(&old), normal(&parser.parse_identifier()?)))
        })?;
        refuse_repeated(names.iter().map(|(old, _)| old))?;
        refuse_repeated(names.iter().map(|(_, new)| new))?;
        let span = self.tokens.span(keyword);
        Ok(Step::Operator(self.keep(keyword..end, span, OperatorKind::Rename(names))))
    }

    fn aggregate(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        let tokens = self.tokens;
        let group = self.find_group(keyword + 1, end);
        let items_end = group.unwrap_or(end);
        let items = if items_end == keyword + 1 {
            Vec::new()
        } else {
            self.list(keyword + 1, items_end, aggregate_item)?
        };
        let Some(group) = group else {
            if items.is_empty() {
                return Err(Diagnostic::new("AGGREGATE needs an aggregate or GROUP BY")
                    .at(tokens.span(keyword))
                    .with_hint("for example |> AGGREGATE count(*) AS n GROUP BY status"));
            }
            if !items.iter().any(|item| functions(&item.expr.expr).any) {
                return Err(Diagnostic::new("AGGREGATE takes aggregate functions such as count(*)")
                    .at(tokens.span(keyword + 1))
                    .with_hint("columns to group by follow GROUP BY; SELECT makes columns of each row"));
            }
            return Ok(Step::Aggregate(Aggregate { items, keys: Vec::new(), ordered: false }));
        };
        let ordered = tokens.is_word(group + 1, "AND") && tokens.is_word(group + 2, "ORDER");
        let by = if ordered { group + 3 } else { group + 1 };
        if by >= end || !tokens.is_word(by, "BY") {
            return Err(Diagnostic::new(format!("expected BY, found {}", tokens.describe(by)))
                .at(tokens.span(by))
                .with_hint("write GROUP BY or GROUP AND ORDER BY"));
        }
        let keys = self.list(by + 1, end, aggregate_item)?;
        for (key, index) in keys.iter().zip(by + 1..) {
            if let Expr::Value(value) = &key.expr.expr {
                let span = if value.span == Span::empty() { tokens.span(index) } else { value.span };
                return Err(Diagnostic::new("GROUP BY in AGGREGATE takes columns and expressions, not positions or constants").at(span));
            }
        }
        Ok(Step::Aggregate(Aggregate { items, keys, ordered }))
    }

    /// The GROUP of an AGGREGATE, outside parentheses. `WITHIN GROUP (…)` is an expression's.
    fn find_group(&self, start: usize, end: usize) -> Option<usize> {
        let mut index = start;
        while index < end {
            if self.tokens.is(index, &Token::LParen) {
                index = self.tokens.partner(index);
            } else if self.tokens.is_word(index, "GROUP")
                && !self.tokens.is_word(index.saturating_sub(1), "WITHIN")
            {
                return Some(index);
            }
            index += 1;
        }
        None
    }

    fn join(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        let mut input = vec![TokenWithSpan::new(
            Token::make_word("__gleam_left", None),
            self.tokens.span(keyword),
        )];
        input.extend(self.group(keyword..end, Place::JoinStep)?);
        let joins = self.parse(input, end, |parser| Ok(parser.parse_table_and_joins()?.joins))?;
        for join in &joins {
            let constraint = match &join.join_operator {
                JoinOperator::Join(constraint)
                | JoinOperator::Inner(constraint)
                | JoinOperator::Left(constraint)
                | JoinOperator::LeftOuter(constraint)
                | JoinOperator::Right(constraint)
                | JoinOperator::RightOuter(constraint)
                | JoinOperator::FullOuter(constraint) => constraint,
                _ => continue,
            };
            if *constraint == JoinConstraint::None {
                return Err(Diagnostic::new("this join needs ON or USING")
                    .at(self.tokens.span(keyword))
                    .with_hint("|> CROSS JOIN pairs every row with every other"));
            }
        }
        Ok(Step::Join(joins))
    }

    fn order_by(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        if keyword + 1 >= end || !self.tokens.is_word(keyword + 1, "BY") {
            return Err(Diagnostic::new("expected BY after ORDER").at(self.tokens.span(keyword)));
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

    fn set_operation(
        &mut self,
        operator: SetOperator,
        keyword: usize,
        end: usize,
    ) -> Result<Step, Diagnostic> {
        let tokens = self.tokens;
        let quantifier = match tokens.word(keyword + 1).as_deref() {
            Some("ALL") => SetQuantifier::All,
            Some("DISTINCT") => SetQuantifier::Distinct,
            _ => {
                return Err(Diagnostic::new(format!(
                    "expected {} after {operator}, found {}",
                    if operator == SetOperator::Union { "ALL or DISTINCT" } else { "DISTINCT" },
                    tokens.describe(keyword + 1)
                ))
                .at(tokens.span(keyword + 1)));
            }
        };
        if quantifier == SetQuantifier::All && operator != SetOperator::Union {
            // DataFusion plans the ALL forms as semi and anti joins, which count rows wrongly.
            return Err(Diagnostic::new(format!("not supported: |> {operator} ALL"))
                .at(tokens.span_of(keyword..keyword + 2))
                .with_hint(format!("|> {operator} DISTINCT is")));
        }
        let body = keyword + 2;
        if matches!(tokens.word(body).as_deref(), Some("BY" | "CORRESPONDING" | "STRICT")) {
            return Err(Diagnostic::new(format!("not supported: |> {operator} … BY NAME"))
                .at(tokens.span(body))
                .with_hint("bring the columns into the same order with SELECT"));
        }
        if body >= end || !tokens.is(body, &Token::LParen) {
            return Err(Diagnostic::new(format!("expected `(`, found {}", tokens.describe(body)))
                .at(tokens.span(body))
                .with_hint(format!("write |> {operator} {quantifier} (query), (query), …")));
        }
        let queries = self.list(body, end, |parser| {
            parser.expect_token(&Token::LParen)?;
            let query = parser.parse_query()?;
            parser.expect_token(&Token::RParen)?;
            Ok(*query)
        })?;
        Ok(Step::SetOperation { operator, quantifier, queries })
    }

    fn table_sample(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        let span = self.tokens.span_of(keyword..end);
        let mut input = vec![TokenWithSpan::new(Token::make_word("__gleam_left", None), span)];
        input.extend(self.group(keyword..end, Place::Statement)?);
        let factor = self.parse(input, end, |parser| parser.parse_table_factor())?;
        match factor {
            TableFactor::Table {
                sample:
                    Some(
                        TableSampleKind::AfterTableAlias(sample)
                        | TableSampleKind::BeforeTableAlias(sample),
                    ),
                ..
            } => {
                crate::desugar::sample::method(&sample, span)?;
                Ok(Step::Sample { sample, span })
            }
            _ => Err(self.unexpected(keyword)),
        }
    }
}

/// `expr [[AS] alias] [ASC | DESC] [NULLS FIRST | LAST]`; sqlparser stops before NULLS.
fn aggregate_item(parser: &mut Parser<'_>) -> Result<ExprWithAliasAndOrderBy, ParserError> {
    let mut item = parser.parse_expr_with_alias_and_order_by()?;
    if parser.parse_keywords(&[Keyword::NULLS, Keyword::FIRST]) {
        item.order_by.nulls_first = Some(true);
    } else if parser.parse_keywords(&[Keyword::NULLS, Keyword::LAST]) {
        item.order_by.nulls_first = Some(false);
    }
    Ok(item)
}

fn refuse_repeated<'n>(names: impl Iterator<Item = &'n Ident>) -> Result<(), Diagnostic> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if seen.contains(&name.value.as_str()) {
            return Err(
                Diagnostic::new(format!("column {name} is named twice")).at(name.span)
            );
        }
        seen.push(&name.value);
    }
    Ok(())
}
