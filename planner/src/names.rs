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

/// `text` without the qualifiers that tell the columns of operators apart, and with values as they are
/// written in a query: `max(map_lua@1:28.n) + Int64(1)` becomes `max(n) + 1`.
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
        let value = if follows_name { None } else { value(rest) };
        match (qualifier, value) {
            (Some(behind), _) => rest = behind,
            (None, Some((written, behind))) => {
                plain.push_str(&written);
                rest = behind;
            }
            (None, None) => {
                plain.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
    }
    plain
}

/// The value at the start of `text`, as it is written in a query, and what stands behind it. DataFusion
/// names a value by its type: `Int64(1)`, `Utf8("a")`, `Boolean(NULL)`.
fn value(text: &str) -> Option<(String, &str)> {
    const NUMBERS: [&str; 12] = [
        "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float16",
        "Float32", "Float64", "Boolean",
    ];
    const TEXTS: [&str; 3] = ["Utf8", "LargeUtf8", "Utf8View"];
    let behind =
        |kinds: &[&str]| kinds.iter().find_map(|kind| text.strip_prefix(kind)?.strip_prefix('('));
    if let Some(behind) = behind(&NUMBERS) {
        let (inside, rest) = behind.split_once(')')?;
        let is_value = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        let is_number = !inside.is_empty() && inside.chars().all(is_value);
        return is_number.then(|| (inside.to_owned(), rest));
    }
    let behind = behind(&TEXTS)?;
    if let Some(rest) = behind.strip_prefix("NULL)") {
        return Some(("NULL".to_owned(), rest));
    }
    // A quote in the text is not escaped there: it would not be known where the text ends.
    let (inside, rest) = behind.strip_prefix('"')?.split_once('"')?;
    let rest = rest.strip_prefix(')')?;
    Some((format!("'{}'", inside.replace('\'', "''")), rest))
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
    fn values_are_written_as_in_a_query() {
        let check = |text, expected| assert_eq!(plain_names(text), expected);
        check("Int64(1)", "1");
        check("Int64(-7) + a.b", "-7 + a.b");
        check("date_part(Utf8(\"it's\"),x) * Float64(0.5)", "date_part('it''s',x) * 0.5");
        check("Utf8(\"\")", "''");
        check("coalesce(Utf8View(NULL),Boolean(true))", "coalesce(NULL,true)");
        check("myInt64(1)", "myInt64(1)");
        check("Int64(a b)", "Int64(a b)");
        check("Int64(1", "Int64(1");
        check("Utf8(x)", "Utf8(x)");
        check("Int64()", "Int64()");
        check("Utf8(\"call(\"x\")\")", "Utf8(\"call(\"x\")\")");
    }

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
