//! `RENAME`, and the check that columns exist.

use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::Ident;

use super::bind::{column_names, columns_called};
use super::{external, refuse};
use crate::hint::did_you_mean;

/// `input` with columns renamed; the others stay, in their places.
pub(super) fn plan(
    mappings: &[(Ident, Ident)],
    input: LogicalPlan,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let mut renamed: Vec<(Column, String)> = Vec::with_capacity(mappings.len());
    for (old, new) in mappings {
        let column = the_column(old, input.schema(), context)?;
        if renamed.iter().any(|(known, _)| *known == column) {
            let message = format!("RENAME names `{}` twice", old.value);
            return Err(external(refuse(message, old.span)));
        }
        renamed.push((column, context.normalize_ident(new.clone())));
    }
    let expressions: Vec<Expr> = input
        .schema()
        .columns()
        .into_iter()
        .map(|column| match renamed.iter().find(|(old, _)| *old == column) {
            Some((_, new)) => {
                Expr::Column(column.clone()).alias_qualified(column.relation.clone(), new)
            }
            None => Expr::Column(column),
        })
        .collect();
    LogicalPlanBuilder::from(input).project(expressions)?.build()
}

/// `input`, if each of `columns` exists in it once.
pub(super) fn require(
    columns: &[Ident],
    input: LogicalPlan,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    for column in columns {
        the_column(column, input.schema(), context)?;
    }
    Ok(input)
}

fn the_column(
    name: &Ident,
    schema: &DFSchema,
    context: &mut dyn RelationPlannerContext,
) -> Result<Column> {
    let wanted = context.normalize_ident(name.clone());
    let found: Vec<Column> = columns_called(&wanted, schema)
        .into_iter()
        .filter(|column| column.name == wanted)
        .collect();
    match found.as_slice() {
        [column] => Ok(column.clone()),
        [] => {
            let names = column_names(schema);
            let hint = match did_you_mean(&wanted, names.iter().map(String::as_str)) {
                Some(similar) => format!("did you mean `{similar}`?"),
                None => format!("the columns are {}", names.join(", ")),
            };
            let diagnostic = refuse(format!("column `{wanted}` not found"), name.span);
            Err(external(diagnostic.with_hint(hint)))
        }
        _ => Err(external(refuse(format!("more than one column is called `{wanted}`"), name.span))),
    }
}
