//! What `CREATE FUNCTION … LANGUAGE LUA` defines.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, Result, plan_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::{Expr as SqlExpr, ExprWithAlias, Ident};
use gleam_sql_executor::lua::{LuaColumn, LuaStep, LuaType, LuaVerb, MAX_COLUMNS};
use gleam_sql_parser::{ColumnDecl, FunctionClause};

use crate::relation::{check_syntax, external, output_type, planned_type, refuse};

/// A function in Lua, as DataFusion's planner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LuaFunction {
    name: String,
    parameters: Vec<(String, DataType)>,
    returns: LuaColumn,
    code: String,
    is_strict: bool,
    signature: Signature,
}

/// The function that `clause` defines.
///
/// # Errors
/// What is wrong with the definition, at its place.
pub(crate) fn create(clause: &FunctionClause, state: &SessionState) -> Result<ScalarUDF> {
    let name = normal(&clause.name, state);
    check_name(&name, clause, state)?;
    check_syntax(&clause.code).map_err(external)?;
    check_parameters(clause)?;
    let parameters = clause
        .parameters
        .iter()
        .map(|parameter| {
            let data_type = type_of(parameter, state)?;
            output_type(&data_type, parameter)?;
            Ok((normal(&parameter.name, state), data_type))
        })
        .collect::<Result<Vec<_>>>()?;
    let returned = ColumnDecl {
        name: clause.name.clone(),
        data_type: Some(clause.returns.clone()),
        time_format: None,
        span: clause.returns_span,
    };
    let returns = output_type(&type_of(&returned, state)?, &returned)?;
    Ok(ScalarUDF::from(LuaFunction {
        returns: LuaColumn::new("result", returns),
        name,
        parameters,
        code: clause.code.text.clone(),
        is_strict: clause.is_strict,
        signature: Signature::user_defined(Volatility::Immutable),
    }))
}

/// Whether there is a function in Lua of this name.
pub(crate) fn is_lua(name: &str, state: &SessionState) -> bool {
    let found = state.scalar_functions().get(name);
    found.is_some_and(|function| LuaFunction::of(function).is_some())
}

fn check_name(name: &str, clause: &FunctionClause, state: &SessionState) -> Result<()> {
    let span = clause.name.span;
    let is_known = state.scalar_functions().contains_key(name)
        || state.aggregate_functions().contains_key(name)
        || state.window_functions().contains_key(name)
        || state.table_functions().contains_key(name)
        || state.higher_order_functions().contains_key(name);
    if is_known && !is_lua(name, state) {
        let message = format!("`{name}` is a built-in function");
        return Err(external(refuse(message, span).with_hint("give yours another name")));
    }
    if is_known && !clause.or_replace && !clause.if_not_exists {
        let message = format!("there is a function `{name}` already");
        return Err(external(refuse(message, span).with_hint("write CREATE OR REPLACE FUNCTION")));
    }
    Ok(())
}

fn check_parameters(clause: &FunctionClause) -> Result<()> {
    let declared = clause.parameters.len();
    if declared > MAX_COLUMNS {
        let message = format!("a Lua function takes at most {MAX_COLUMNS} arguments");
        return Err(external(refuse(message, clause.name.span)));
    }
    let parameters = gleam_sql_parser::lua::parameters(&clause.code.text)
        .map_err(|error| external(refuse(error.to_string(), clause.code.span)))?;
    let found = parameters.names().len();
    if found > declared || (found < declared && !parameters.vararg) {
        let message = format!(
            "`{}` is declared with {declared} argument{}, and its Lua function has {found}",
            clause.name.value,
            if declared == 1 { "" } else { "s" },
        );
        return Err(external(refuse(message, clause.code.span)));
    }
    Ok(())
}

fn type_of(column: &ColumnDecl, state: &SessionState) -> Result<DataType> {
    planned_type(column, &mut |expression: SqlExpr| {
        let expression = ExprWithAlias { expr: expression, alias: None };
        state.create_logical_expr_from_sql_expr(expression, &DFSchema::empty())
    })
}

/// The name as it is looked up.
pub(crate) fn normal(name: &Ident, state: &SessionState) -> String {
    let normalises = state.config().options().sql_parser.enable_ident_normalization;
    match name.quote_style {
        None if normalises => name.value.to_ascii_lowercase(),
        _ => name.value.clone(),
    }
}

impl LuaFunction {
    /// The Lua function that `function` is, if it is one.
    pub(crate) fn of(function: &Arc<ScalarUDF>) -> Option<&Self> {
        (function.inner().as_ref() as &dyn std::any::Any).downcast_ref()
    }

    /// How messages name it.
    pub(crate) fn keyword(&self) -> String {
        format!("FUNCTION {}", self.name)
    }

    /// Whether equal arguments give equal values, as far as its text shows.
    pub(crate) fn is_stateless(&self) -> bool {
        gleam_sql_parser::lua::is_stateless(&self.code)
    }

    /// The step that calls it with `args`, the first of them a guard or not.
    pub(crate) fn step(&self, args: Vec<usize>, is_guarded: bool) -> LuaStep {
        LuaStep {
            args,
            columns: vec![self.returns.clone()],
            is_strict: self.is_strict,
            is_guarded,
            ..LuaStep::new(LuaVerb::Call, self.code.clone(), self.keyword())
        }
    }

    /// The field of its values, under another name.
    pub(crate) fn field(&self, name: &str) -> Field {
        Field::new(name, self.returns.data_type.to_arrow(), true)
    }

    /// The type of its values, in SQL.
    pub(super) fn returned_type(&self) -> &LuaType {
        &self.returns.data_type
    }

    /// Whether it is not called where an argument is NULL.
    pub(super) fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// Its name and what it takes.
    pub(super) fn declaration(&self) -> String {
        format!("{}{}", self.name, self.parameter_list())
    }

    fn parameter_list(&self) -> String {
        let parameters = self.parameters.iter().map(|(name, data_type)| {
            let shown = LuaType::try_from(data_type);
            let shown = shown.map_or_else(|_| data_type.to_string(), |lua| lua.to_string());
            format!("{name} {shown}")
        });
        format!("({})", parameters.collect::<Vec<_>>().join(", "))
    }
}

impl ScalarUDFImpl for LuaFunction {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(self.returns.data_type.to_arrow())
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let expected = self.parameters.len();
        if arguments.len() != expected {
            let given = arguments.len();
            return plan_err!(
                "`{}` takes {expected} argument{}, {}, and is given {given}",
                self.name,
                if expected == 1 { "" } else { "s" },
                self.parameter_list()
            );
        }
        for ((name, to), from) in self.parameters.iter().zip(arguments) {
            if !fits(from, to) {
                let given = LuaType::try_from(from);
                let given = given.map_or_else(|_| from.to_string(), |lua| lua.to_string());
                return plan_err!(
                    "`{}` takes {}, and is given {given} for `{name}`; convert it with CAST",
                    self.name,
                    self.parameter_list()
                );
            }
        }
        Ok(self.parameters.iter().map(|(_, data_type)| data_type.clone()).collect())
    }

    fn invoke_with_args(&self, _arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        plan_err!("the Lua function `{}` cannot be called here; use it in a SELECT", self.name)
    }
}

/// Whether a value of one type is taken for the other without a CAST.
fn fits(from: &DataType, to: &DataType) -> bool {
    let is_text = |data_type: &DataType| {
        matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
    };
    match (from, to) {
        _ if from == to => true,
        (DataType::Null, _) => true,
        (DataType::Dictionary(_, values), _) => fits(values, to),
        _ if is_text(to) => is_text(from),
        _ if to.is_floating() => from.is_numeric(),
        _ if to.is_integer() => from.is_integer(),
        (
            DataType::Timestamp(..) | DataType::Date32 | DataType::Date64,
            DataType::Timestamp(..),
        ) => true,
        (DataType::Date64, DataType::Date32) => true,
        (DataType::List(from) | DataType::LargeList(from), DataType::List(to)) => {
            fits(from.data_type(), to.data_type())
        }
        _ => false,
    }
}

/// Whether an expression is the call of a function in Lua.
pub(crate) fn is_call(expression: &Expr) -> bool {
    matches!(expression, Expr::ScalarFunction(call) if LuaFunction::of(&call.func).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_converted_only_where_nothing_is_lost() {
        let check = |from: DataType, to: DataType, expected| {
            assert_eq!(fits(&from, &to), expected, "{from} to {to}");
        };
        check(DataType::Null, DataType::Utf8View, true);
        check(DataType::Utf8, DataType::Utf8View, true);
        check(DataType::Int64, DataType::Utf8View, false);
        check(DataType::Utf8View, DataType::Int64, false);
        check(DataType::UInt64, DataType::Int64, true);
        check(DataType::Float64, DataType::Int64, false);
        check(DataType::Int8, DataType::Float64, true);
        check(DataType::Date32, DataType::Boolean, false);
    }
}
