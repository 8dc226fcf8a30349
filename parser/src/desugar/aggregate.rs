//! `AGGREGATE … GROUP BY …`.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, ExprWithAlias, GroupByExpr, OrderBy, OrderByExpr, OrderByKind, OrderByOptions, Query,
    SelectItem, Value, Visit, Visitor,
};

use crate::diagnostic::Diagnostic;
use crate::step::Aggregate;

use super::plain;
use super::query::select_over;

/// The keys are the first columns and the aggregates follow. Keys and aggregates that carry ASC or
/// DESC order the result, from left to right; GROUP AND ORDER BY does so with every key.
///
/// Source of these rules: the AGGREGATE operator in GoogleSQL's pipe syntax reference. NULLs are
/// placed as DataFusion's ORDER BY places them.
pub(super) fn apply(step: Aggregate, input: Query) -> Result<Query, Diagnostic> {
    let Aggregate { items, keys, ordered } = step;
    let order = order_of(&keys, &items, ordered);
    let group_by = keys.iter().map(|key| key.expr.expr.clone()).collect::<Vec<_>>();
    let is_full_table = group_by.is_empty();
    let is_aggregate = items.iter().any(|item| functions(&item.expr.expr).known_aggregate);
    let projection =
        keys.into_iter().chain(items).map(|item| select_item(item.expr)).collect::<Vec<_>>();
    let mut select = select_over(input, projection);
    select.group_by = GroupByExpr::Expressions(group_by, Vec::new());
    if is_full_table && !is_aggregate {
        // If none of the functions is an aggregate, a plain SELECT returns a row for each input
        // row. HAVING makes that an error in DataFusion, and changes nothing otherwise.
        select.having = Some(Expr::value(Value::Boolean(true)));
    }
    let mut query = plain(select);
    if !order.is_empty() {
        query.order_by = Some(OrderBy { kind: OrderByKind::Expressions(order), interpolate: None });
    }
    Ok(query)
}

/// Aggregate functions by name: those of DataFusion that are in common use.
const AGGREGATES: &[&str] = &[
    "count",
    "sum",
    "avg",
    "mean",
    "min",
    "max",
    "median",
    "array_agg",
    "string_agg",
    "bool_and",
    "bool_or",
    "bit_and",
    "bit_or",
    "bit_xor",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "var",
    "var_pop",
    "var_samp",
    "approx_distinct",
    "approx_median",
    "approx_percentile_cont",
    "percentile_cont",
    "quantile_cont",
    "first_value",
    "last_value",
    "nth_value",
    "corr",
];

/// What functions an expression calls, those in subqueries aside.
#[derive(Default)]
pub(crate) struct Functions {
    /// Any, outside OVER.
    pub(crate) any: bool,
    /// One that is an aggregate by its name.
    pub(crate) known_aggregate: bool,
    query_depth: usize,
}

/// Looks for function calls.
pub(crate) fn functions(expression: &Expr) -> Functions {
    let mut found = Functions::default();
    let _never_breaks = expression.visit(&mut found);
    found
}

impl Visitor for Functions {
    type Break = ();

    fn pre_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.query_depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<()> {
        self.query_depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if let Expr::Function(function) = expression
            && self.query_depth == 0
            && function.over.is_none()
        {
            self.any = true;
            let name = function.name.to_string().to_lowercase();
            self.known_aggregate |= AGGREGATES.contains(&name.as_str());
        }
        ControlFlow::Continue(())
    }
}

/// Sort keys by position, which no alias can shadow.
fn order_of(
    keys: &[sqlparser::ast::ExprWithAliasAndOrderBy],
    items: &[sqlparser::ast::ExprWithAliasAndOrderBy],
    all_keys: bool,
) -> Vec<OrderByExpr> {
    let is_written =
        |options: &OrderByOptions| options.asc.is_some() || options.nulls_first.is_some();
    keys.iter()
        .map(|key| (key.order_by, all_keys || is_written(&key.order_by)))
        .chain(items.iter().map(|item| (item.order_by, is_written(&item.order_by))))
        .zip(1_usize..)
        .filter(|((_, orders), _)| *orders)
        .map(|((options, _), position)| OrderByExpr {
            expr: Expr::value(Value::Number(position.to_string(), false)),
            options,
            with_fill: None,
        })
        .collect()
}

fn select_item(item: ExprWithAlias) -> SelectItem {
    match item.alias {
        Some(alias) => SelectItem::ExprWithAlias { expr: item.expr, alias },
        None => SelectItem::UnnamedExpr(item.expr),
    }
}
