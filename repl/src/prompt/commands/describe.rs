//! `\d [NAME | 'FILE']`

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Schema, TimeUnit};
use gleam_sql_planner::{
    DescribedSource, GuessedFormat, describe_source, guess_format, plain_message,
};

use crate::prompt::console::{Console, unshown};
use crate::report::{Failure, visible};

const TABLES: &str = "SELECT table_name AS name, lower(table_type) AS kind \
                      FROM information_schema.tables \
                      WHERE table_schema <> 'information_schema' ORDER BY name";

/// Lists the tables and views, or the columns of one, or of a file.
pub(super) async fn run(console: &mut Console, arguments: &str) -> Result<(), Failure> {
    if arguments.is_empty() {
        if console.session.table_names().is_empty() {
            console
                .display
                .say("no tables and views yet; \\d 'FILE' tells the columns of a file\n");
            return Ok(());
        }
        return console.run_own(TABLES.to_owned()).await;
    }
    let schema = match arguments.starts_with('\'') {
        true => file(console, &super::path(arguments)).await?,
        false => table(console, arguments).await?,
    };
    let batch = columns(&schema).map_err(|error| Failure::usage(error.to_string()))?;
    console.display.show_batch(batch).await.map_err(unshown)
}

async fn table(console: &Console, name: &str) -> Result<Arc<Schema>, Failure> {
    let found = console.session.context().table_provider(name).await;
    let table = found.map_err(|error| {
        let names = console.session.table_names();
        let failure = Failure::usage(visible(&plain_message(&error)));
        match super::nearest(name, names.iter().map(String::as_str)) {
            Some(near) => failure.with_hint(&format!("did you mean {}?", visible(near))),
            None if std::path::Path::new(name).exists() => {
                failure.with_hint(&format!("files stand in quotes: \\d '{}'", visible(name)))
            }
            None => failure,
        }
    })?;
    Ok(table.schema())
}

async fn file(console: &Console, name: &str) -> Result<Arc<Schema>, Failure> {
    let described = describe_source(console.session.context(), name).await;
    let described = described.map_err(|reason| {
        let lines: Vec<String> = reason.lines().map(visible).collect();
        Failure::usage(lines.join("\n"))
    })?;
    let DescribedSource { format, compression, files, columns } = described;
    let compression = compression.map(|name| format!(", {name}")).unwrap_or_default();
    let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
    console.display.say(&format!("{}: {format}{compression}, {files}\n", visible(name)));
    let guessed = guess_format(console.session.context(), name).await;
    let Some(GuessedFormat { keyword, matched, lines, columns: parsed }) = guessed else {
        return Ok(columns);
    };
    console.display.say(&format!(
        "{matched} of the first {lines} lines are {keyword}: \
         PARSE {keyword} adds the columns behind `line`\n"
    ));
    let fields = columns.fields().iter().chain(parsed.fields()).cloned();
    Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
}

fn columns(schema: &Schema) -> Result<RecordBatch, arrow::error::ArrowError> {
    let fields = schema.fields();
    let names: ArrayRef =
        Arc::new(StringArray::from_iter_values(fields.iter().map(|field| field.name())));
    let types = fields.iter().map(|field| type_name(field.data_type()));
    let types: ArrayRef = Arc::new(StringArray::from_iter_values(types));
    RecordBatch::try_from_iter([("column", names), ("type", types)])
}

/// The type as one would declare it; Arrow's own name where there is no other.
fn type_name(data_type: &DataType) -> String {
    let name = match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "TEXT",
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INT",
        DataType::Int64 => "BIGINT",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Date32 => "DATE",
        DataType::Timestamp(TimeUnit::Nanosecond, None) => "TIMESTAMP",
        DataType::Timestamp(TimeUnit::Nanosecond, Some(_)) => "TIMESTAMP WITH TIME ZONE",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "BYTEA",
        DataType::Dictionary(_, values) => return type_name(values),
        DataType::List(item) | DataType::LargeList(item) => {
            return format!("{}[]", type_name(item.data_type()));
        }
        other => return other.to_string(),
    };
    name.to_owned()
}
