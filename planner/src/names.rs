//! Names for people.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::common::{Column, Result};
use datafusion::logical_expr::{DdlStatement, Expr, LogicalPlan, Projection};

/// Gives the columns of a file, a table or a view the names that a query would show them by.
///
/// # Errors
/// When the columns cannot be projected.
pub(crate) fn name_kept_columns(plan: &mut LogicalPlan) -> Result<()> {
    match plan {
        LogicalPlan::Copy(copy) => copy.input = with_plain_names(&copy.input)?,
        LogicalPlan::Ddl(DdlStatement::CreateView(view)) => {
            view.input = with_plain_names(&view.input)?;
        }
        LogicalPlan::Ddl(DdlStatement::CreateMemoryTable(table)) => {
            table.input = with_plain_names(&table.input)?;
        }
        _ => {}
    }
    Ok(())
}

/// The same rows; two columns that would get one name keep theirs.
fn with_plain_names(input: &Arc<LogicalPlan>) -> Result<Arc<LogicalPlan>> {
    let schema = input.schema();
    let plain: Vec<String> =
        schema.fields().iter().map(|field| plain_names(field.name())).collect();
    let is_plain = plain.iter().zip(schema.fields()).all(|(name, field)| name == field.name());
    let distinct: HashSet<&String> = plain.iter().collect();
    if is_plain || distinct.len() < plain.len() {
        return Ok(Arc::clone(input));
    }
    let columns = schema.iter().zip(plain).map(|((qualifier, field), name)| {
        let column = Expr::Column(Column::new(qualifier.cloned(), field.name()));
        if name == *field.name() { column } else { column.alias(name) }
    });
    let projection = Projection::try_new(columns.collect(), Arc::clone(input))?;
    Ok(Arc::new(LogicalPlan::Projection(projection)))
}

/// `text` without the qualifiers that tell the columns of operators apart: `max(map_lua@1:28.n)`
/// becomes `max(n)`.
pub fn plain_names(text: &str) -> String {
    const OPERATORS: [&str; 4] = ["flatmap_lua@", "map_lua@", "reduce_lua@", "pipe@"];
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let follows_name = plain.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let operators = OPERATORS.iter().filter_map(|operator| rest.strip_prefix(operator));
        let mut places = operators.chain(behind_parse(rest)).filter(|_| !follows_name);
        let qualifier = places.find_map(|place| {
            let end = place.find(|c: char| !c.is_ascii_digit() && c != ':')?;
            place[end..].strip_prefix('.').filter(|_| end > 0)
        });
        match qualifier {
            Some(behind) => rest = behind,
            None => {
                plain.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    plain
}

/// What stands behind `parse_combined@`, whose second word is any name of a format.
fn behind_parse(text: &str) -> Option<&str> {
    let format = text.strip_prefix("parse_")?;
    let (name, place) = format.split_once('@')?;
    let is_name = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_name && !name.is_empty()).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::plain_names;

    #[test]
    fn only_places_of_operators_go() {
        let check = |text, expected| assert_eq!(plain_names(text), expected);
        check("max(map_lua@1:28.n)", "max(n)");
        check("sum(pipe@1:24.n) + flatmap_lua@12:3.é", "sum(n) + é");
        check("count(parse_nginx_error@3:1.ip)", "count(ip)");
        check("parse_@1:2.x", "parse_@1:2.x");
        check("pipe@home.org", "pipe@home.org");
        check("my_pipe@1:2.x", "my_pipe@1:2.x");
        check("pipe@1:2", "pipe@1:2");
        check("", "");
    }
}
