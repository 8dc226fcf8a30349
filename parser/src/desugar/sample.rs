//! `TABLESAMPLE`, which DataFusion does not plan.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArgumentList, FunctionArguments, Ident, LimitClause,
    ObjectName, OrderBy, OrderByExpr, OrderByKind, OrderByOptions, Query, SelectItem, Spanned,
    TableFactor, TableSample, TableSampleKind, TableSampleMethod, TableSampleUnit, Value,
};
use sqlparser::tokenizer::Span;

use crate::diagnostic::Diagnostic;
use crate::tokens::Tokens;

use super::query::{all_columns, derived, select_over, tables};
use super::{exclude, plain};

/// The random number that orders the rows of an exact sample, while it is drawn.
const ROWS_KEY: &str = "__gleam_sample";

/// How a sample is drawn.
pub(crate) enum Method {
    /// Each row with this chance, in percent.
    Percent(Expr),
    /// This many rows.
    Rows(Expr),
}

/// What a TABLESAMPLE clause asks for.
pub(crate) fn method(sample: &TableSample, span: Span) -> Result<Method, Diagnostic> {
    let refuse = |what: &str| Err(Diagnostic::new(format!("not supported: {what}")).at(span));
    if sample.seed.is_some() {
        return refuse("a TABLESAMPLE that can be repeated");
    }
    if sample.bucket.is_some() || sample.offset.is_some() {
        return refuse("TABLESAMPLE with BUCKET or OFFSET");
    }
    let Some(quantity) = &sample.quantity else { return refuse("TABLESAMPLE without a quantity") };
    if !matches!(&quantity.value, Expr::Value(value) if matches!(value.value, Value::Number(..))) {
        return Err(Diagnostic::new("TABLESAMPLE takes a number, such as (10 PERCENT)").at(span));
    }
    let is_chance =
        matches!(sample.name, Some(TableSampleMethod::Bernoulli | TableSampleMethod::System));
    match quantity.unit {
        Some(TableSampleUnit::Percent) => Ok(Method::Percent(quantity.value.clone())),
        Some(TableSampleUnit::Rows) => Ok(Method::Rows(quantity.value.clone())),
        None if is_chance => Ok(Method::Percent(quantity.value.clone())),
        None => Err(Diagnostic::new("TABLESAMPLE takes (n PERCENT) or (n ROWS)").at(span)),
    }
}

/// A sample of a query.
pub(crate) fn apply(sample: &TableSample, span: Span, input: Query) -> Result<Query, Diagnostic> {
    let mut select = select_over(input, vec![all_columns()]);
    match method(sample, span)? {
        Method::Percent(percent) => {
            let chance = Expr::BinaryOp {
                left: Box::new(percent),
                op: BinaryOperator::Divide,
                right: Box::new(Expr::value(Value::Number("100.0".to_string(), false))),
            };
            select.selection = Some(Expr::BinaryOp {
                left: Box::new(random()),
                op: BinaryOperator::Lt,
                right: Box::new(chance),
            });
            Ok(plain(select))
        }
        Method::Rows(rows) => {
            // A sort needs a column to keep, also where the query takes none of the sample's.
            let column = Ident::new(ROWS_KEY);
            select
                .projection
                .push(SelectItem::ExprWithAlias { expr: random(), alias: column.clone() });
            let mut query = plain(select);
            let key = OrderByExpr {
                expr: Expr::Identifier(column.clone()),
                options: OrderByOptions { asc: None, nulls_first: None },
                with_fill: None,
            };
            query.order_by =
                Some(OrderBy { kind: OrderByKind::Expressions(vec![key]), interpolate: None });
            query.limit_clause = Some(LimitClause::LimitOffset {
                limit: Some(rows),
                offset: None,
                limit_by: Vec::new(),
            });
            Ok(plain(select_over(query, vec![exclude(vec![column])])))
        }
    }
}

/// `FROM t AS x TABLESAMPLE (…)`: a derived table in the place of the factor, whose alias keeps
/// its meaning.
pub(super) fn desugar_factor(
    factor: &mut TableFactor,
    tokens: &Tokens<'_>,
) -> Result<(), Diagnostic> {
    let sample = match factor {
        TableFactor::Table { sample, .. } | TableFactor::Derived { sample, .. } => sample.take(),
        _ => None,
    };
    let sample = match sample {
        Some(
            TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample),
        ) => sample,
        None => return Ok(()),
    };
    let span = clause_span(factor, tokens);
    let input = plain(super::query::select(vec![all_columns()], tables(factor.clone())));
    *factor = derived(apply(&sample, span, input)?, None);
    Ok(())
}

/// The TABLESAMPLE behind a factor.
fn clause_span(factor: &TableFactor, tokens: &Tokens<'_>) -> Span {
    let span = factor.span();
    let start = tokens.index_at(span.start).unwrap_or(0);
    (start..tokens.len())
        .find(|index| tokens.is_word(*index, "TABLESAMPLE"))
        .map_or(span, |index| tokens.span(index))
}

fn random() -> Expr {
    Expr::Function(Function {
        name: ObjectName::from(Ident::new("random")),
        uses_odbc_syntax: false,
        parameters: FunctionArguments::None,
        args: FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None,
            args: Vec::new(),
            clauses: Vec::new(),
        }),
        filter: None,
        null_treatment: None,
        over: None,
        within_group: Vec::new(),
    })
}
