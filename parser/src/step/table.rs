//! Steps that bring in other tables, or fewer rows of this one: JOIN, UNION and its relatives,
//! TABLESAMPLE.

use sqlparser::ast::{
    JoinConstraint, JoinOperator, SetOperator, SetQuantifier, TableFactor, TableSampleKind,
};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use crate::cut::{Cutter, Place};
use crate::desugar::sample;
use crate::diagnostic::Diagnostic;

use super::Step;

const SAME_ORDER: &str = "bring the columns into the same order with SELECT first";

impl Cutter<'_, '_> {
    pub(crate) fn join(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
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

    pub(crate) fn set_operation(
        &mut self,
        operator: SetOperator,
        keyword: usize,
        end: usize,
    ) -> Result<Step, Diagnostic> {
        let tokens = self.tokens;
        let quantifier = match tokens.word(keyword + 1).as_deref() {
            Some("ALL") => SetQuantifier::All,
            Some("DISTINCT") => SetQuantifier::Distinct,
            Some("BY") => return Err(by_name(operator, tokens.span(keyword + 1))),
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
            return Err(by_name(operator, tokens.span(body)));
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

    /// `LEFT UNION ALL BY NAME` and the like.
    pub(super) fn modifies_set_operation(&self, keyword: usize) -> bool {
        let behind = keyword + 1 + usize::from(self.tokens.is_word(keyword + 1, "OUTER"));
        matches!(self.tokens.word(behind).as_deref(), Some("UNION" | "INTERSECT" | "EXCEPT"))
    }

    pub(super) fn modified_set_operation(&self, keyword: usize) -> Diagnostic {
        let tokens = self.tokens;
        let last = keyword + 1 + usize::from(tokens.is_word(keyword + 1, "OUTER"));
        let place = tokens.span_of(keyword..last + 1);
        let words = (keyword..=last).filter_map(|index| tokens.word(index)).collect::<Vec<_>>();
        Diagnostic::new(format!("not supported: |> {}", words.join(" ")))
            .at(place)
            .with_hint(SAME_ORDER)
    }

    pub(crate) fn table_sample(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        let span = self.tokens.span_of(keyword..end);
        let mut input = vec![TokenWithSpan::new(Token::make_word("__gleam_left", None), span)];
        input.extend(self.group(keyword..end, Place::Step)?);
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
                sample::method(&sample, span)?;
                Ok(Step::Sample { sample, span })
            }
            _ => Err(self.unexpected(keyword)),
        }
    }
}

/// GoogleSQL matches columns by name as well; DataFusion does so in another way.
fn by_name(operator: SetOperator, place: Span) -> Diagnostic {
    Diagnostic::new(format!("not supported: |> {operator} that matches columns by name"))
        .at(place)
        .with_hint(SAME_ORDER)
}
