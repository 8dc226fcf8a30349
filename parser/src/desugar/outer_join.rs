//! Outer joins by equal names, which are refused.
//!
//! DataFusion keeps the key of the table whose name sorts first, which is NULL in the rows that
//! found no partner, and FULL does not coalesce.

use sqlparser::ast::{Join, JoinConstraint, JoinOperator, ObjectName, Spanned};
use sqlparser::tokenizer::Span;

use crate::diagnostic::Diagnostic;
use crate::operator::not_yet;
use crate::tokens::Tokens;

/// An error if one of the joins is an outer join with USING or NATURAL.
pub(super) fn refuse_names(joins: &[Join], tokens: &Tokens<'_>) -> Result<(), Diagnostic> {
    joins.iter().try_for_each(|join| {
        let (word, span) = match outer_constraint(&join.join_operator) {
            Some(JoinConstraint::Using(keys)) => ("USING", using_span(keys, tokens)),
            Some(JoinConstraint::Natural) => ("NATURAL", natural_span(join, tokens)),
            _ => return Ok(()),
        };
        Err(not_yet(format!("{word} in an outer join"), span)
            .with_hint("write ON a.k = b.k, and say which key you want with coalesce(a.k, b.k)"))
    })
}

fn outer_constraint(operator: &JoinOperator) -> Option<&JoinConstraint> {
    match operator {
        JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint) => Some(constraint),
        _ => None,
    }
}

/// `USING (k, …)`
fn using_span(keys: &[ObjectName], tokens: &Tokens<'_>) -> Span {
    let first = keys.first().map_or(Span::empty(), Spanned::span);
    match tokens.index_at(first.start).and_then(|index| index.checked_sub(2)) {
        Some(using) => tokens.span_of(using..tokens.partner(using + 1) + 1),
        None => first,
    }
}

/// The NATURAL before the join's right side.
fn natural_span(join: &Join, tokens: &Tokens<'_>) -> Span {
    let right = join.relation.span();
    let right_index = tokens.index_at(right.start).unwrap_or(tokens.len());
    (0..right_index)
        .rev()
        .find(|index| tokens.is_word(*index, "NATURAL"))
        .map_or(right, |index| tokens.span(index))
}
