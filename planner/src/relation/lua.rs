//! `MAP LUA`, `FLATMAP LUA`, `FILTER LUA`.

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::sql::sqlparser::tokenizer::{Location, Span};
use gleam_sql_executor::lua::{self, LuaColumn, LuaStep, LuaType, LuaVerb, MAX_COLUMNS};
use gleam_sql_parser::lua::Parameter;
use gleam_sql_parser::{Code, ColumnDecl, Diagnostic, LuaClause, Operator};

use super::bind::{self, visible_columns};
use super::{extension, external, label, refuse, types};
use crate::nodes::{LuaNode, LuaOutput, NodeArguments};
use crate::origin;

/// The node of one operator over `input`.
pub(super) fn plan(
    operator: &Operator,
    clause: &LuaClause,
    input: LogicalPlan,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let verb = match clause.verb {
        gleam_sql_parser::LuaVerb::Map => LuaVerb::Map,
        gleam_sql_parser::LuaVerb::FlatMap => LuaVerb::FlatMap,
        gleam_sql_parser::LuaVerb::Filter => LuaVerb::Filter,
    };
    let keyword = format!("{} LUA", clause.verb);
    check_syntax(&clause.code).map_err(external)?;
    let values = arguments(clause, &input, context)?;
    let declared = types::declared(clause.columns.as_deref().unwrap_or_default(), context)?;
    let columns = lua_columns(&declared, clause.columns.as_deref().unwrap_or_default())?;
    if values.len() > MAX_COLUMNS || columns.len() > MAX_COLUMNS {
        let message = format!("a Lua function takes and gives at most {MAX_COLUMNS} columns");
        return Err(external(refuse(message, operator.keyword)));
    }
    let label = label(keyword.clone(), operator.keyword);
    let kept = visible_columns(input.schema());
    let (input, origin) = origin::attach(input)?;
    let output = match verb {
        LuaVerb::Filter => LuaOutput::Kept(kept),
        _ => LuaOutput::Made(types::schema_of(declared, &label)?),
    };
    let step = LuaStep {
        args: (0..values.len()).collect(),
        columns,
        on_error: super::on_error(clause.on_error),
        ..LuaStep::new(verb, clause.code.text.clone(), keyword)
    };
    let arguments = NodeArguments { values, origin };
    Ok(extension(LuaNode::try_new(input, arguments, vec![step], vec![label], output)?))
}

/// The columns that a function gives, as it sees them.
pub(super) fn lua_columns(declared: &[Field], columns: &[ColumnDecl]) -> Result<Vec<LuaColumn>> {
    let column = |(field, column): (&Field, &ColumnDecl)| {
        Ok(LuaColumn::new(field.name(), output_type(field.data_type(), column)?))
    };
    declared.iter().zip(columns).map(column).collect()
}

pub(crate) fn check_syntax(code: &Code) -> Result<(), Diagnostic> {
    lua::check_syntax(&code.text).map_err(|error| {
        let line = u64::try_from(error.line).unwrap_or(1).max(1);
        let at = Location::new(
            code.start.line + line - 1,
            if line == 1 { code.start.column } else { 1 },
        );
        let message = format!("Lua syntax error in line {line}: {}", error.message);
        let diagnostic = refuse(message, Span::new(at, at));
        if error.message.contains("'end' expected") {
            diagnostic.with_hint("every function, if, for and while ends with `end`")
        } else if !code.text.contains("function") {
            diagnostic.with_hint("the code is a Lua function: function(line) return … end")
        } else {
            diagnostic
        }
    })
}

/// Where a parameter stands in the script.
pub(super) fn place_of(code: &Code, parameter: &Parameter) -> Span {
    let before = &code.text[..parameter.offset];
    let (line, column) = match before.rsplit_once('\n') {
        None => (code.start.line, code.start.column + before.chars().count() as u64),
        Some((earlier, rest)) => (
            code.start.line + earlier.matches('\n').count() as u64 + 1,
            rest.chars().count() as u64 + 1,
        ),
    };
    let length = parameter.name.chars().count() as u64;
    Span::new(Location::new(line, column), Location::new(line, column + length))
}

fn arguments(
    clause: &LuaClause,
    input: &LogicalPlan,
    context: &mut dyn RelationPlannerContext,
) -> Result<Vec<Expr>> {
    let code = &clause.code;
    let parameters = gleam_sql_parser::lua::parameters(&code.text)
        .map_err(|error| external(refuse(error.to_string(), code.span)))?;
    let schema = input.schema();
    let values = match &clause.using {
        Some(using) => {
            let values = bind::using(using, schema, context, "USING")?;
            if values.len() > parameters.names().len() && !parameters.vararg {
                let message = format!(
                    "USING gives {} values to a Lua function of {} parameters",
                    values.len(),
                    parameters.names().len()
                );
                return Err(external(refuse(message, code.span)));
            }
            values
        }
        None if parameters.vararg => {
            let diagnostic =
                refuse("the parameters `...` of a Lua function name no columns", code.span)
                    .with_hint("say which values it gets with USING (…)");
            return Err(external(diagnostic));
        }
        None => {
            let named = parameters.list.iter();
            let names: Vec<(String, Span)> =
                named.map(|named| (named.name.clone(), place_of(code, named))).collect();
            bind::by_name(&names, schema)?
        }
    };
    check_arguments(&values, schema, code)?;
    Ok(values)
}

/// Checks that `values` have types that Lua knows.
pub(super) fn check_arguments(values: &[Expr], schema: &DFSchema, code: &Code) -> Result<()> {
    for value in values {
        let data_type = value.get_type(schema)?;
        LuaType::try_from(&data_type).map_err(|_| {
            let message = format!("`{value}` of type {data_type} cannot be given to Lua");
            external(refuse(message, code.span).with_hint("convert it with CAST (… AS TEXT)"))
        })?;
    }
    Ok(())
}

pub(crate) fn output_type(data_type: &DataType, column: &ColumnDecl) -> Result<LuaType> {
    let unsupported = || {
        let message = format!("Lua has no values of type {}", types::shown(column));
        external(
            refuse(message, column.span)
                .with_hint("declare it TEXT or DOUBLE, and CAST it afterwards"),
        )
    };
    let lua_type = LuaType::try_from(data_type).map_err(|_| unsupported())?;
    if lua_type.to_arrow() != *data_type {
        return Err(unsupported());
    }
    Ok(lua_type)
}
