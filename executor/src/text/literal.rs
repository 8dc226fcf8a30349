//! What a predicate wants to find in each line: lines without it need not become rows.

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, LikeExpr, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr, split_conjunction};

/// The longest text that stands in every line of which `predicate` holds, if there is one. `line` is
/// the place of the column.
pub(super) fn required_literal(predicate: &Arc<dyn PhysicalExpr>, line: usize) -> Option<String> {
    let conjuncts = split_conjunction(predicate).into_iter();
    conjuncts.filter_map(|conjunct| of_conjunct(conjunct, line)).max_by_key(String::len)
}

fn of_conjunct(predicate: &Arc<dyn PhysicalExpr>, line: usize) -> Option<String> {
    let is_line = |value: &Arc<dyn PhysicalExpr>| {
        value.downcast_ref::<Column>().is_some_and(|column| column.index() == line)
    };
    let literal = if let Some(like) = predicate.downcast_ref::<LikeExpr>() {
        if like.negated() || like.case_insensitive() || !is_line(like.expr()) {
            return None;
        }
        longest_piece(text_of(like.pattern())?)?.to_owned()
    } else if let Some(call) = predicate.downcast_ref::<ScalarFunctionExpr>() {
        match (call.name(), call.args()) {
            ("contains" | "starts_with" | "ends_with", [value, part]) if is_line(value) => {
                text_of(part)?.to_owned()
            }
            _ => return None,
        }
    } else if let Some(comparison) = predicate.downcast_ref::<BinaryExpr>() {
        let (left, right) = (comparison.left(), comparison.right());
        match comparison.op() {
            Operator::Eq if is_line(left) => text_of(right)?.to_owned(),
            Operator::Eq if is_line(right) => text_of(left)?.to_owned(),
            _ => return None,
        }
    } else {
        return None;
    };
    // A line holds no newline, and U+FFFD where the file may hold anything that is not UTF-8.
    (!literal.is_empty() && !literal.contains(['\n', '\u{fffd}'])).then_some(literal)
}

fn text_of(value: &Arc<dyn PhysicalExpr>) -> Option<&str> {
    let literal: &ScalarValue = value.downcast_ref::<Literal>()?.value();
    literal.try_as_str()?
}

/// Of a pattern of LIKE, between its wildcards.
fn longest_piece(pattern: &str) -> Option<&str> {
    if pattern.contains('\\') {
        return None;
    }
    pattern.split(['%', '_']).max_by_key(|piece| piece.len())
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{Expr, col, lit};
    use datafusion::prelude::SessionContext;

    use super::*;
    use crate::text::schema;

    fn check(predicate: Expr, expected: Option<&str>) {
        let schema = datafusion::common::DFSchema::try_from(schema()).unwrap();
        let shown = predicate.to_string();
        let predicate = SessionContext::new().create_physical_expr(predicate, &schema).unwrap();
        assert_eq!(required_literal(&predicate, 2).as_deref(), expected, "{shown}");
    }

    fn text(value: &str) -> Expr {
        lit(ScalarValue::Utf8View(Some(value.to_owned())))
    }

    fn contains(column: &str, part: &str) -> Expr {
        datafusion::functions::string::expr_fn::contains(col(column), text(part))
    }

    #[test]
    fn what_every_line_has_is_found() {
        check(col("line").like(text("%bot%")), Some("bot"));
        check(col("line").like(text("GET%/index_html%")), Some("/index"));
        check(contains("line", "bot"), Some("bot"));
        check(col("line").eq(text("whole")), Some("whole"));
        check(
            contains("line", "a").and(col("file").eq(text("f"))).and(contains("line", "bcd")),
            Some("bcd"),
        );
    }

    #[test]
    fn what_only_some_lines_have_is_not() {
        check(col("line").not_like(text("%bot%")), None);
        check(col("line").ilike(text("%bot%")), None);
        check(col("line").like(text("%")), None);
        check(col("line").like(text("%50\\%%")), None);
        check(contains("file", "bot"), None);
        check(contains("line", "a").or(contains("line", "b")), None);
        check(Expr::Not(Box::new(contains("line", "a"))), None);
        check(contains("line", "a\nb"), None);
        check(contains("line", "\u{fffd}"), None);
        check(contains("line", ""), None);
        check(col("line").not_eq(text("whole")), None);
        check(col("line").gt(text("whole")), None);
    }
}
