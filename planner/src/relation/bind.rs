//! Which columns an operator takes.

use std::ops::ControlFlow;

use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, Spanned, visit_expressions};
use datafusion::sql::sqlparser::tokenizer::Span;
use gleam_sql_executor::text;
use gleam_sql_parser::Diagnostic;

use super::{external, refuse};
use crate::hint::did_you_mean;

/// The column that operators take when nothing else is said.
const LINE: &str = "line";

/// The expressions of USING, or of another `clause` that is evaluated row by row.
pub(super) fn using(
    expressions: &[SqlExpr],
    schema: &DFSchema,
    context: &mut dyn RelationPlannerContext,
    clause: &str,
) -> Result<Vec<Expr>> {
    let convert = |expression: &SqlExpr| {
        if has_subquery(expression) {
            let diagnostic =
                refuse(format!("not supported yet: a subquery in {clause}"), expression.span());
            return Err(external(diagnostic.with_hint("JOIN its result first")));
        }
        let planned = context.sql_to_expr(expression.clone(), schema)?;
        let spans_rows =
            |part: &Expr| Ok(matches!(part, Expr::WindowFunction(_) | Expr::AggregateFunction(_)));
        if planned.exists(spans_rows)? {
            let message =
                format!("{clause} is evaluated row by row: no window or aggregate function fits");
            let diagnostic = refuse(message, expression.span());
            return Err(external(diagnostic.with_hint("compute it before: |> EXTEND … AS name")));
        }
        Ok(planned)
    };
    expressions.iter().map(convert).collect()
}

/// What a value is called: its column, or its text.
pub(super) fn name_of(value: &Expr) -> String {
    match value {
        Expr::Column(column) => column.name.clone(),
        other => other.human_display().to_string(),
    }
}

/// The tables of a subquery there would not be looked for.
fn has_subquery(expression: &SqlExpr) -> bool {
    visit_expressions(expression, |part| match part {
        SqlExpr::Subquery(_) | SqlExpr::Exists { .. } | SqlExpr::InSubquery { .. } => {
            ControlFlow::Break(())
        }
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

/// What PIPE sends without USING: `line` where it exists, otherwise all columns.
pub(super) fn default_values(schema: &DFSchema, span: Span) -> Result<Vec<Expr>> {
    match columns_called(LINE, schema).as_slice() {
        [line] => Ok(vec![Expr::Column(line.clone())]),
        [] => Ok(visible_columns(schema).into_iter().map(Expr::Column).collect()),
        _ => Err(external(ambiguous(LINE, span))),
    }
}

/// The column `line`.
pub(super) fn line(schema: &DFSchema, span: Span) -> Result<Expr> {
    match columns_called(LINE, schema).as_slice() {
        [line] => Ok(Expr::Column(line.clone())),
        [] => Err(external(refuse("there is no column `line` to parse", span).with_hint(format!(
            "say what is parsed: PARSE … FROM column; the columns are {}",
            column_names(schema).join(", ")
        )))),
        _ => Err(external(
            refuse("more than one column is called `line`", span)
                .with_hint("say which one is parsed: PARSE … FROM table.line"),
        )),
    }
}

/// The columns that Lua parameters name. One parameter that names none takes `line`.
pub(super) fn by_name(names: &[(String, Span)], schema: &DFSchema) -> Result<Vec<Expr>> {
    let mut line_is_free = !names.iter().any(|(name, _)| name == LINE);
    let bind = |(name, span): &(String, Span)| {
        let mut found = columns_called(name, schema);
        if found.is_empty() && std::mem::take(&mut line_is_free) {
            found = columns_called(LINE, schema);
        }
        match found.as_slice() {
            [column] => Ok(Expr::Column(column.clone())),
            [] => Err(external(unknown_parameter(name, *span, schema))),
            _ => Err(external(ambiguous(name, *span))),
        }
    };
    names.iter().map(bind).collect()
}

/// The columns that a user sees.
pub(super) fn visible_columns(schema: &DFSchema) -> Vec<Column> {
    let hidden =
        |column: &Column| [text::ORIGIN_FILE, text::ORIGIN_OFFSET].contains(&column.name.as_str());
    schema.columns().into_iter().filter(|column| !hidden(column)).collect()
}

/// The columns with this name: exactly, or if there is none, in any case.
pub(super) fn columns_called(name: &str, schema: &DFSchema) -> Vec<Column> {
    let columns = visible_columns(schema);
    let exact: Vec<Column> = columns.iter().filter(|c| c.name == name).cloned().collect();
    if exact.is_empty() {
        return columns.into_iter().filter(|c| c.name.eq_ignore_ascii_case(name)).collect();
    }
    exact
}

fn ambiguous(name: &str, span: Span) -> Diagnostic {
    refuse(format!("more than one column is called `{name}`"), span)
        .with_hint("say which with USING (table.column, …)")
}

fn unknown_parameter(name: &str, span: Span, schema: &DFSchema) -> Diagnostic {
    let columns = column_names(schema);
    let message = format!("Lua parameter `{name}` names no column of the input");
    let listed = format!("the columns are {}", columns.join(", "));
    let hint = match did_you_mean(name, columns.iter().map(String::as_str)) {
        Some(similar) => format!("did you mean `{similar}`? {listed}"),
        None => format!("{listed}; other values are passed with USING (…)"),
    };
    refuse(message, span).with_hint(hint)
}

/// The names of the visible columns.
pub(super) fn column_names(schema: &DFSchema) -> Vec<String> {
    visible_columns(schema).into_iter().map(|column| column.name).collect()
}
