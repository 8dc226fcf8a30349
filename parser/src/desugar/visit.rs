//! What a step and an operator hold, for a visitor to pass through.

use std::ops::ControlFlow;

use sqlparser::ast::VisitMut;

use crate::diagnostic::Diagnostic;
use crate::statement::{OperatorKind, Scope};
use crate::step::Step;

use super::Desugarer;

/// The expressions and queries of a step.
pub(super) fn visit_step(
    step: &mut Step,
    visitor: &mut Desugarer<'_, '_>,
) -> ControlFlow<Diagnostic> {
    match step {
        Step::Select { items, .. } | Step::Extend(items) => items.visit(visitor),
        Step::Set { columns, .. } => {
            for (_, value) in columns {
                value.visit(visitor)?;
            }
            ControlFlow::Continue(())
        }
        Step::Where(condition) => condition.visit(visitor),
        Step::Aggregate(aggregate) => {
            aggregate.items.visit(visitor)?;
            aggregate.keys.visit(visitor)
        }
        Step::Join(joins) => {
            visitor.joins(joins)?;
            joins.visit(visitor)
        }
        Step::OrderBy(keys) => keys.visit(visitor),
        Step::Limit { limit, offset } => {
            limit.visit(visitor)?;
            offset.visit(visitor)
        }
        Step::SetOperation { queries, .. } => queries.visit(visitor),
        Step::Operator(_)
        | Step::Drop { .. }
        | Step::As(_)
        | Step::Distinct
        | Step::Sample { .. } => ControlFlow::Continue(()),
    }
}

/// All expressions of an operator.
pub(super) fn visit_operator(
    kind: &mut OperatorKind,
    visitor: &mut Desugarer<'_, '_>,
) -> ControlFlow<Diagnostic> {
    match kind {
        OperatorKind::Lua(clause) => clause.using.visit(visitor),
        OperatorKind::Reduce(clause) => {
            clause.using.visit(visitor)?;
            clause.keys.iter_mut().try_for_each(|key| key.value.visit(visitor))
        }
        OperatorKind::Pipe(clause) => {
            clause.using.visit(visitor)?;
            if let Scope::PartitionBy(keys) = &mut clause.scope {
                keys.visit(visitor)?;
            }
            clause.order_by.visit(visitor)
        }
        OperatorKind::Parse(clause) => clause.value.visit(visitor),
        OperatorKind::Gapfill(clause) => {
            clause.column.visit(visitor)?;
            clause.partition_by.visit(visitor)
        }
        OperatorKind::Fold(_) | OperatorKind::Rename(_) | OperatorKind::Require(_) => {
            ControlFlow::Continue(())
        }
    }
}
