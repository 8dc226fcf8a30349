//! The columns that an operator declares.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, DFSchemaRef, Result, TableReference};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::sql::sqlparser::ast::{CastKind, Expr as SqlExpr, Value};
use gleam_sql_executor::operator::OperatorLabel;
use gleam_sql_parser::ColumnDecl;

use super::{external, refuse};

/// The names and types of AS; a column without a type is TEXT.
pub(super) fn declared(
    columns: &[ColumnDecl],
    context: &mut dyn RelationPlannerContext,
) -> Result<Vec<Field>> {
    let mut names = HashSet::new();
    let mut fields = Vec::with_capacity(columns.len());
    for column in columns {
        let name = context.normalize_ident(column.name.clone());
        if !names.insert(name.clone()) {
            let diagnostic = refuse(format!("AS declares `{name}` twice"), column.span);
            return Err(external(diagnostic));
        }
        let data_type = match &column.data_type {
            None => DataType::Utf8View,
            Some(_) => planned_type(column, &mut |expression| {
                context.sql_to_expr(expression, &DFSchema::empty())
            })?,
        };
        fields.push(Field::new(name, data_type, true));
    }
    Ok(fields)
}

/// The type of a column as it is written.
pub(super) fn shown(column: &ColumnDecl) -> String {
    column.data_type.as_ref().map_or_else(|| "TEXT".to_owned(), ToString::to_string)
}

/// The schema of what an operator makes. Its columns are qualified by the operator and its place,
/// a name that nobody writes, so that they are told apart from columns of the same name elsewhere.
pub(super) fn schema_of(fields: Vec<Field>, label: &OperatorLabel) -> Result<DFSchemaRef> {
    let qualifier = format!("{}@{}", label.keyword.to_lowercase().replace(' ', "_"), label.place);
    let qualifier = TableReference::bare(qualifier);
    let fields =
        fields.into_iter().map(|field| (Some(qualifier.clone()), Arc::new(field))).collect();
    Ok(Arc::new(DFSchema::new_with_metadata(fields, HashMap::new())?))
}

/// The type that a column is declared with. DataFusion's planner converts a type only as part of an
/// expression: it is made to `plan` the cast of a NULL.
pub(crate) fn planned_type(
    column: &ColumnDecl,
    plan: &mut dyn FnMut(SqlExpr) -> Result<Expr>,
) -> Result<DataType> {
    let Some(data_type) = column.data_type.clone() else { return Ok(DataType::Utf8View) };
    let unsupported = |data_type: &dyn std::fmt::Display| {
        external(refuse(format!("type {data_type} is not supported here"), column.span).with_hint(
            "types are TEXT, BOOLEAN, BIGINT, INT, SMALLINT, TINYINT, DOUBLE, FLOAT, TIMESTAMP, DATE",
        ))
    };
    let cast = SqlExpr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(SqlExpr::Value(Value::Null.into())),
        data_type: data_type.clone(),
        array: false,
        format: None,
    };
    match plan(cast) {
        Ok(Expr::Cast(cast)) => Ok(cast.field.data_type().clone()),
        _ => Err(unsupported(&data_type)),
    }
}
