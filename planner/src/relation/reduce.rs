//! `REDUCE LUA`.

use datafusion::arrow::datatypes::Field;
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::sql::sqlparser::tokenizer::Span;
use gleam_sql_executor::lua::{LuaStep, LuaVerb, MAX_COLUMNS};
use gleam_sql_parser::{Operator, ReduceClause, ReduceKey};

use super::lua::{check_arguments, check_syntax, lua_columns, place_of};
use super::{bind, extension, external, label, refuse, types};
use crate::nodes::{NodeArguments, ReduceNode, is_ordered};
use crate::origin;

const KEYWORD: &str = "REDUCE LUA";

/// The node of one operator over `input`.
pub(super) fn plan(
    operator: &Operator,
    clause: &ReduceClause,
    input: LogicalPlan,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    check_syntax(&clause.code).map_err(external)?;
    let declared = types::declared(&clause.columns, context)?;
    let columns = lua_columns(&declared, &clause.columns)?;
    if columns.len() > MAX_COLUMNS / 2 {
        let message = format!("REDUCE folds at most {} columns", MAX_COLUMNS / 2);
        return Err(external(refuse(message, operator.keyword)));
    }
    let values = values(clause, input.schema(), context)?;
    check_arguments(&values, input.schema(), &clause.code)?;
    let (keys, mut fields) = keys(clause, input.schema(), context)?;
    if let Some((field, column)) =
        declared.iter().zip(&clause.columns).find(|(field, _)| is_among(field.name(), &fields))
    {
        let message = format!("`{}` is both a key of BY and a column of AS", field.name());
        return Err(external(refuse(message, column.span)));
    }
    fields.extend(declared);
    let label = label(KEYWORD, operator.keyword);
    let is_ordered = is_ordered(&input);
    let (input, origin) = origin::attach(input)?;
    let step = LuaStep {
        args: (1..=values.len()).collect(),
        columns,
        on_error: super::on_error(clause.on_error),
        ..LuaStep::new(LuaVerb::Reduce, clause.code.text.clone(), KEYWORD)
    };
    Ok(extension(ReduceNode {
        input: input.into(),
        keys,
        arguments: NodeArguments { values, origin },
        step,
        schema: types::schema_of(fields, &label)?,
        label,
        is_ordered,
    }))
}

/// What is folded: USING, or the columns that the second half of the parameters name.
fn values(
    clause: &ReduceClause,
    schema: &DFSchema,
    context: &mut dyn RelationPlannerContext,
) -> Result<Vec<Expr>> {
    let (code, columns) = (&clause.code, clause.columns.len());
    let parameters = gleam_sql_parser::lua::parameters(&code.text)
        .map_err(|error| external(refuse(error.to_string(), code.span)))?;
    let expected = 2 * columns;
    let found = parameters.names().len();
    if found > expected || (found < expected && !parameters.vararg) {
        let message = format!(
            "the function of a REDUCE of {columns} column{} takes {expected} parameters, and has {found}",
            if columns == 1 { "" } else { "s" },
        );
        let hint = "first the values folded so far, then those of the row: function(total, bytes)";
        return Err(external(refuse(message, code.span).with_hint(hint)));
    }
    match &clause.using {
        Some(using) => bind::using(using, schema, context, "USING"),
        None if parameters.vararg => {
            let message = "the parameters `...` of a Lua function name no columns";
            let diagnostic = refuse(message, code.span);
            Err(external(diagnostic.with_hint("say what is folded with USING (…)")))
        }
        None => {
            let named = parameters.list.iter().skip(columns);
            let names: Vec<(String, Span)> =
                named.map(|named| (named.name.clone(), place_of(code, named))).collect();
            bind::by_name(&names, schema)
        }
    }
}

fn keys(
    clause: &ReduceClause,
    schema: &DFSchema,
    context: &mut dyn RelationPlannerContext,
) -> Result<(Vec<Expr>, Vec<Field>)> {
    let (mut keys, mut fields) = (Vec::new(), Vec::new());
    for ReduceKey { value, alias } in &clause.keys {
        let planned = bind::using(std::slice::from_ref(value), schema, context, "BY")?;
        for key in planned {
            let name = match alias {
                Some(alias) => context.normalize_ident(alias.clone()),
                None => bind::name_of(&key),
            };
            if is_among(&name, &fields) {
                let span = datafusion::sql::sqlparser::ast::Spanned::span(value);
                let diagnostic = refuse(format!("BY has two keys called `{name}`"), span);
                return Err(external(diagnostic.with_hint("rename one: BY (expression AS name)")));
            }
            fields.push(Field::new(name, key.get_type(schema)?, true));
            keys.push(key);
        }
    }
    Ok((keys, fields))
}

fn is_among(name: &str, fields: &[Field]) -> bool {
    fields.iter().any(|field| field.name() == name)
}
