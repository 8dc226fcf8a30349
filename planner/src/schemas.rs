//! The columns of several typed files that are one table.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{Result, plan_err};
use datafusion::datasource::listing::{ListingOptions, ListingTableUrl};
use datafusion::execution::SessionState;
use gleam_sql_executor::lua::LuaType;

/// How the files of a format say which column is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ColumnOrder {
    /// By position: all files need the same columns in the same order.
    Position,
    /// By name: a column that a file does not have is NULL in it.
    Name,
}

/// The columns of all `files`, of which there is at least one.
///
/// # Errors
/// When they do not go together, naming two that differ.
pub(crate) async fn common_schema(
    files: &[ListingTableUrl],
    options: &ListingOptions,
    order: ColumnOrder,
    state: &SessionState,
) -> Result<SchemaRef> {
    let mut common: Option<(String, SchemaRef)> = None;
    for file in files {
        let schema = options.infer_schema(state, file).await?;
        let name = file_name(file);
        let merged = match &common {
            None => schema,
            Some((first, so_far)) => {
                let both = [(first.as_str(), so_far.as_ref()), (name.as_str(), schema.as_ref())];
                Arc::new(merge(both, order)?)
            }
        };
        let first = common.map_or(name, |(first, _)| first);
        common = Some((first, merged));
    }
    Ok(common.map_or_else(|| Arc::new(Schema::empty()), |(_, schema)| schema))
}

fn file_name(file: &ListingTableUrl) -> String {
    let path = file.prefix().to_string();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn merge(files: [(&str, &Schema); 2], order: ColumnOrder) -> Result<Schema> {
    let [(first, left), (second, right)] = files;
    if order == ColumnOrder::Position && names(left) != names(right) {
        return plan_err!(
            "the columns of {second} are ({}), and those of {first} ({})",
            names(right).join(", "),
            names(left).join(", ")
        );
    }
    let mut fields = Vec::with_capacity(left.fields().len());
    for field in left.fields() {
        let other = right.field_with_name(field.name()).ok();
        let data_type = match other {
            None => field.data_type().clone(),
            Some(other) => match (common_type(field.data_type(), other.data_type()), order) {
                (Some(data_type), _) => data_type,
                // What is written in them is text anyway.
                (None, ColumnOrder::Position) => DataType::Utf8,
                (None, ColumnOrder::Name) => {
                    return plan_err!(
                        "column `{}` is {} in {first}, and {} in {second}",
                        field.name(),
                        in_sql(field.data_type()),
                        in_sql(other.data_type())
                    );
                }
            },
        };
        fields.push(Field::new(field.name(), data_type, true));
    }
    let is_new = |field: &&Arc<Field>| left.field_with_name(field.name()).is_err();
    let added = right.fields().iter().filter(is_new).map(|field| field.as_ref().clone());
    fields.extend(added.map(|field| field.with_nullable(true)));
    Ok(Schema::new_with_metadata(fields, left.metadata().clone()))
}

fn in_sql(data_type: &DataType) -> String {
    LuaType::try_from(data_type).map_or_else(|_| data_type.to_string(), |sql| sql.to_string())
}

fn names(schema: &Schema) -> Vec<&str> {
    schema.fields().iter().map(|field| field.name().as_str()).collect()
}

fn common_type(left: &DataType, right: &DataType) -> Option<DataType> {
    match (left, right) {
        _ if left == right => Some(left.clone()),
        (DataType::Null, other) | (other, DataType::Null) => Some(other.clone()),
        (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64) => {
            Some(DataType::Float64)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        left: &[(&str, DataType)],
        right: &[(&str, DataType)],
        order: ColumnOrder,
        expected: &str,
    ) {
        let schema = |columns: &[(&str, DataType)]| {
            let fields = columns.iter().map(|(name, of)| Field::new(*name, of.clone(), true));
            Schema::new(fields.collect::<Vec<_>>())
        };
        let merged = merge([("a", &schema(left)), ("b", &schema(right))], order);
        let shown = match merged {
            Err(error) => error.strip_backtrace(),
            Ok(merged) => merged
                .fields()
                .iter()
                .map(|field| format!("{} {}", field.name(), field.data_type()))
                .collect::<Vec<_>>()
                .join(", "),
        };
        assert!(shown.contains(expected), "{shown}");
    }

    #[test]
    fn columns_that_go_together() {
        use ColumnOrder::{Name, Position};
        use DataType::{Boolean, Float64, Int64, Null, Utf8};
        check(&[("x", Int64)], &[("x", Float64)], Position, "x Float64");
        check(&[("x", Int64)], &[("x", Utf8)], Position, "x Utf8");
        check(&[("x", Null)], &[("x", Boolean)], Name, "x Boolean");
        check(&[("x", Int64)], &[("y", Utf8)], Name, "x Int64, y Utf8");
        check(&[("x", Int64)], &[("x", Utf8)], Name, "column `x` is BIGINT in a, and TEXT in b");
        check(
            &[("x", Int64), ("y", Int64)],
            &[("y", Int64), ("x", Int64)],
            Position,
            "the columns of b are (y, x), and those of a (x, y)",
        );
    }
}
