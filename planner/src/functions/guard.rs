//! Where an expression may stay unevaluated: `CASE`, `AND`, `OR`, `coalesce`, `nvl`, `nvl2`, `FILTER`.
//!
//! A call there runs only for the rows for which the expression needs it, as SQL's own functions do.

use datafusion::logical_expr::{Case, Expr, is_not_true, is_true};

/// The condition under which a part of an expression is needed; none where it always is.
pub(super) type Guard = Option<Expr>;

/// Both `guard` and `condition`.
pub(super) fn narrowed(guard: &Guard, condition: Expr) -> Guard {
    Some(match guard {
        // Without an ELSE: DataFusion makes an AND of a CASE that is FALSE elsewhere, and an AND looks
        // at both sides.
        Some(guard) => when(guard, condition),
        None => condition,
    })
}

/// An argument that is computed only where the call is made: it might fail elsewhere.
pub(super) fn protected(guard: &Guard, argument: Expr) -> Expr {
    match guard {
        Some(guard) if !matches!(argument, Expr::Column(_) | Expr::Literal(..)) => {
            when(guard, argument)
        }
        _ => argument,
    }
}

/// `value` where `condition` holds, and NULL elsewhere.
fn when(condition: &Expr, value: Expr) -> Expr {
    let branch = (Box::new(condition.clone()), Box::new(value));
    Expr::Case(Case::new(None, vec![branch], None))
}

/// The right side of `left AND …` is needed.
pub(super) fn after_and(guard: &Guard, left: &Expr) -> Guard {
    narrowed(guard, Expr::IsNotFalse(Box::new(left.clone())))
}

/// The right side of `left OR …` is needed.
pub(super) fn after_or(guard: &Guard, left: &Expr) -> Guard {
    narrowed(guard, is_not_true(left.clone()))
}

/// What follows `value` in a `coalesce` is needed.
pub(super) fn after_null(guard: &Guard, value: &Expr) -> Guard {
    narrowed(guard, value.clone().is_null())
}

/// The second argument of `nvl2` is needed where the first has a value, the third where not.
pub(super) fn of_choice(guard: &Guard, first: &Expr, is_second: bool) -> Guard {
    let first = first.clone();
    narrowed(guard, if is_second { first.is_not_null() } else { first.is_null() })
}

/// A branch of a CASE is needed: its own condition is the first that is true.
pub(super) fn of_branch(guard: &Guard, condition: &Expr) -> Guard {
    narrowed(guard, is_true(condition.clone()))
}

/// The branches behind this one are needed.
pub(super) fn after_branch(guard: &Guard, condition: &Expr) -> Guard {
    narrowed(guard, is_not_true(condition.clone()))
}
