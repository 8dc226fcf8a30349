//! The clauses behind an operator's code: `USING (…)`, `ORDER BY …`, `AS (…)` and their like.

use std::time::Duration;

use sqlparser::ast::{Expr, OrderByExpr};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use crate::cut::{Cutter, Place};
use crate::diagnostic::Diagnostic;
use crate::operator::Form;
use crate::statement::{ColumnDecl, OnError, ReduceKey, Scope, TextFormat};

mod code;
mod columns;
mod kind;
mod policy;
mod sort;
mod timeout;

pub(crate) use kind::{Clause, Grammar};

/// What the clauses of an operator say.
pub(crate) struct Clauses {
    pub(crate) using: Option<Vec<Expr>>,
    pub(crate) scope: Scope,
    pub(crate) keys: Vec<ReduceKey>,
    pub(crate) order_by: Vec<OrderByExpr>,
    pub(crate) format: Option<TextFormat>,
    pub(crate) columns: Option<Vec<ColumnDecl>>,
    pub(crate) ok_exit: Vec<u8>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) on_error: OnError,
    /// Those that are there, with their places.
    seen: Vec<(Clause, Span)>,
}

impl Clauses {
    /// The place of a clause that is there.
    pub(crate) fn span(&self, clause: Clause) -> Option<Span> {
        self.seen.iter().find(|(other, _)| *other == clause).map(|(_, span)| *span)
    }
}

impl Cutter<'_, '_> {
    /// Reads all clauses from `at` on, and gives the token behind them.
    pub(crate) fn clauses(
        &mut self,
        grammar: &Grammar,
        at: usize,
        end: usize,
        form: Form,
    ) -> Result<(Clauses, usize), Diagnostic> {
        let mut read = Clauses {
            using: None,
            scope: Scope::Split,
            keys: Vec::new(),
            order_by: Vec::new(),
            format: None,
            columns: None,
            ok_exit: Vec::new(),
            timeout: None,
            on_error: OnError::Fail,
            seen: Vec::new(),
        };
        let mut next = at;
        while let Some(clause) = self.clause_at(grammar, next, end, form, &read.seen)? {
            let behind = self.clause(grammar, clause, next, end, &mut read)?;
            read.seen.push((clause, self.tokens.span_of(next..behind)));
            next = behind;
        }
        Ok((read, next))
    }

    /// Reads one clause; the token behind it.
    fn clause(
        &mut self,
        grammar: &Grammar,
        clause: Clause,
        at: usize,
        end: usize,
        read: &mut Clauses,
    ) -> Result<usize, Diagnostic> {
        let behind;
        match clause {
            Clause::Using => {
                let (expressions, next) = self.expressions(clause, at, end)?;
                (read.using, behind) = (Some(expressions), next);
            }
            Clause::PartitionBy => {
                let (keys, next) = self.expressions(clause, at, end)?;
                self.refuse_constants(keys.iter(), "PARTITION BY", at)?;
                (read.scope, behind) = (Scope::PartitionBy(keys), next);
            }
            Clause::Single => (read.scope, behind) = (Scope::Single, at + 1),
            Clause::PerRow => (read.scope, behind) = (Scope::PerRow, at + 2),
            Clause::By => (read.keys, behind) = self.reduce_keys(at, end)?,
            Clause::OrderBy => (read.order_by, behind) = self.sort(at, end)?,
            Clause::Format => {
                let (format, next) = self.format(at, end)?;
                (read.format, behind) = (Some(format), next);
            }
            Clause::Columns => {
                let (columns, next) = self.columns(at, grammar)?;
                (read.columns, behind) = (Some(columns), next);
            }
            Clause::OkExit => (read.ok_exit, behind) = self.ok_exit(at, end)?,
            Clause::Timeout => {
                let (timeout, next) = self.timeout(at, end)?;
                (read.timeout, behind) = (Some(timeout), next);
            }
            Clause::OnError => (read.on_error, behind) = self.on_error(at),
        }
        Ok(behind)
    }

    /// `USING (expr, …)`, `PARTITION BY (expr, …)`
    fn expressions(
        &mut self,
        clause: Clause,
        at: usize,
        end: usize,
    ) -> Result<(Vec<Expr>, usize), Diagnostic> {
        let (inside, close) = self.parenthesised(clause, at, end)?;
        let expressions = self.parse(inside, close, |parser| {
            parser.parse_comma_separated(|parser| parser.parse_expr())
        })?;
        Ok((expressions, close + 1))
    }

    /// `BY (expr [AS name], …)`
    fn reduce_keys(
        &mut self,
        at: usize,
        end: usize,
    ) -> Result<(Vec<ReduceKey>, usize), Diagnostic> {
        let (inside, close) = self.parenthesised(Clause::By, at, end)?;
        let keys = self.parse(inside, close, |parser| {
            parser.parse_comma_separated(|parser| {
                let key = parser.parse_expr_with_alias()?;
                Ok(ReduceKey { value: key.expr, alias: key.alias })
            })
        })?;
        self.refuse_constants(keys.iter().map(|key| &key.value), "BY", at)?;
        Ok((keys, close + 1))
    }

    /// The inside of the parentheses behind a clause's words, cut, and the index of the `)`.
    fn parenthesised(
        &mut self,
        clause: Clause,
        at: usize,
        end: usize,
    ) -> Result<(Vec<TokenWithSpan>, usize), Diagnostic> {
        let tokens = self.tokens;
        let words = clause.words();
        let open = at + clause.word_count();
        if open >= end || !tokens.is(open, &Token::LParen) {
            let found = self.tokens.describe(open);
            return Err(Diagnostic::new(format!(
                "{words} takes its expressions in parentheses, found {found}"
            ))
            .at(tokens.span(open))
            .with_hint(format!("write {words} (expression, …)")));
        }
        let close = tokens.partner(open);
        if close == open + 1 {
            return Err(Diagnostic::new(format!("{words} needs at least one expression"))
                .at(tokens.span_of(at..close + 1)));
        }
        Ok((self.group(open + 1..close, Place::Arguments)?, close))
    }

    /// `FORMAT RAW | TSV | CSV | JSON`
    fn format(&self, at: usize, end: usize) -> Result<(TextFormat, usize), Diagnostic> {
        let tokens = self.tokens;
        let name = tokens.word(at + 1).filter(|_| at + 1 < end);
        let format = match name.as_deref() {
            Some("RAW") => TextFormat::Raw,
            Some("TSV") => TextFormat::Tsv,
            Some("CSV") => TextFormat::Csv,
            Some("JSON") => TextFormat::Json,
            _ => {
                let found = self.tokens.describe(at + 1);
                return Err(Diagnostic::new(format!(
                    "FORMAT is RAW, TSV, CSV or JSON, found {found}"
                ))
                .at(tokens.span(at + 1)));
            }
        };
        Ok((format, at + 2))
    }
}
