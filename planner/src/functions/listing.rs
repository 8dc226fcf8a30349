//! `SHOW FUNCTIONS`: the user's own first.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::common::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Documentation, Expr, col, lit};
use datafusion::prelude::{DataFrame, SessionContext};
use datafusion::sql::sqlparser::ast::{ShowStatementFilter, Spanned, Statement};
use gleam_sql_parser::Span;

use super::LuaFunction;
use crate::relation::{external, refuse};

struct Listed {
    name: String,
    kind: &'static str,
    syntax: String,
    description: String,
}

/// The answer to `statement`, if it is SHOW FUNCTIONS.
///
/// # Errors
/// When its filter is none that is supported.
pub(crate) fn show(
    statement: &Statement,
    context: &SessionContext,
    state: &SessionState,
) -> Result<Option<DataFrame>> {
    let Statement::ShowFunctions { filter } = statement else { return Ok(None) };
    let frame = context.read_batch(batch(&functions(state))?)?;
    let name = || col("function_name");
    let condition: Option<Expr> = match filter {
        None => None,
        Some(ShowStatementFilter::Like(pattern)) => Some(name().like(lit(pattern))),
        Some(ShowStatementFilter::ILike(pattern)) => Some(name().ilike(lit(pattern))),
        Some(ShowStatementFilter::NoKeyword(pattern)) => Some(name().like(lit(pattern))),
        Some(ShowStatementFilter::Where(condition)) => {
            let span: Span = condition.span();
            let diagnostic = refuse("not supported: WHERE in SHOW FUNCTIONS", span);
            return Err(external(diagnostic.with_hint("write SHOW FUNCTIONS LIKE '…'")));
        }
    };
    Ok(Some(match condition {
        Some(condition) => frame.filter(condition)?,
        None => frame,
    }))
}

fn functions(state: &SessionState) -> Vec<Listed> {
    let mut functions = Vec::new();
    for (name, function) in state.scalar_functions() {
        match LuaFunction::of(function) {
            Some(lua) => functions.push(Listed {
                name: name.clone(),
                kind: "lua",
                syntax: format!("{} RETURNS {}", lua.declaration(), lua.returned_type()),
                description: if lua.is_strict() {
                    "NULL where an argument is NULL".to_owned()
                } else {
                    String::new()
                },
            }),
            None => functions.push(built_in(name, "scalar", function.documentation())),
        }
    }
    for (name, function) in state.aggregate_functions() {
        functions.push(built_in(name, "aggregate", function.documentation()));
    }
    for (name, function) in state.window_functions() {
        functions.push(built_in(name, "window", function.documentation()));
    }
    for name in state.table_functions().keys() {
        functions.push(built_in(name, "table", None));
    }
    functions.sort_by(|left, right| {
        let key = |listed: &Listed| (listed.kind != "lua", listed.name.clone(), listed.kind);
        key(left).cmp(&key(right))
    });
    functions
}

fn built_in(name: &str, kind: &'static str, documentation: Option<&Documentation>) -> Listed {
    let text = |of: fn(&Documentation) -> &str| {
        documentation.map(|found| of(found).trim().replace('\n', " ")).unwrap_or_default()
    };
    Listed {
        name: name.to_owned(),
        kind,
        syntax: text(|found| &found.syntax_example),
        description: text(|found| &found.description),
    }
}

fn batch(functions: &[Listed]) -> Result<RecordBatch> {
    let column = |of: fn(&Listed) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(functions.iter().map(of)))
    };
    let columns = [
        ("function_name", column(|listed| &listed.name)),
        ("kind", column(|listed| listed.kind)),
        ("syntax", column(|listed| &listed.syntax)),
        ("description", column(|listed| &listed.description)),
    ];
    Ok(RecordBatch::try_from_iter(columns)?)
}
