//! DataFusion's planning errors in our words, at their place in the script.

use std::error::Error;
use std::ops::Range;

use datafusion::common::diagnostic::Diagnostic as DataFusionDiagnostic;
use datafusion::common::{DataFusionError, SchemaError};
use datafusion::sql::parser::{CopyToSource, Statement as SqlStatement};
use gleam_sql_executor::text::TextError;
use gleam_sql_parser::{Diagnostic, HighlightClass, Location, Span, Statement, highlight};

use crate::Session;
use crate::hint::did_you_mean;
use crate::names::plain_names;
use crate::sources::SourceError;

/// What is wrong with `statement`, which stands in `script`.
pub(crate) fn planning(
    error: &DataFusionError,
    statement: &Statement,
    script: &str,
    session: &Session,
) -> Diagnostic {
    if let Some(diagnostic) = find_cause::<Diagnostic>(error) {
        return diagnostic.clone();
    }
    let places = Places { script, text: statement.text.clone() };
    let mut diagnostic = if let Some(source) = find_cause::<SourceError>(error) {
        of_source(source, &places)
    } else {
        of_datafusion(error, session)
    };
    if let SqlStatement::CopyTo(copy) = &statement.body
        && let CopyToSource::Relation(name) = &copy.source
        && diagnostic.hint.as_ref().is_some_and(|hint| hint.starts_with(FILE_HINT))
    {
        let name = name.to_string();
        let name = name.trim_matches(['\'', '"']);
        diagnostic.hint = Some(format!("a file is copied with COPY (FROM '{name}') TO …"));
    }
    if diagnostic.span.is_none() {
        let words: Vec<&str> = quoted_words(&diagnostic.message).collect();
        let place = words.into_iter().find_map(|word| places.of_word(word));
        diagnostic.span = place.or_else(|| Some(places.start()));
    }
    diagnostic
}

/// The first error of type `T` in the chain of causes.
pub fn find_cause<T: Error + 'static>(error: &DataFusionError) -> Option<&T> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        cause = match error.downcast_ref::<DataFusionError>() {
            // The source of a wrapper is the source of what it wraps: look at that itself first.
            Some(DataFusionError::External(inner)) => Some(inner.as_ref()),
            Some(DataFusionError::Shared(inner)) => Some(inner.as_ref()),
            _ => error.source(),
        };
    }
    None
}

fn of_source(error: &SourceError, places: &Places<'_>) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(plain_message(&error.reason));
    diagnostic.span = places.of_quoted(&error.name).or_else(|| places.of_word(&error.name));
    if let Some(reason) = find_cause::<TextError>(&error.reason) {
        diagnostic.hint = source_hint(reason);
    }
    diagnostic
}

fn source_hint(error: &TextError) -> Option<String> {
    if let TextError::NotFound { location, candidates } = error
        && let Some(similar) = did_you_mean(location, candidates.iter().map(String::as_str))
    {
        return Some(format!("did you mean '{similar}'?"));
    }
    error.hint()
}

fn of_datafusion(error: &DataFusionError, session: &Session) -> Diagnostic {
    let found = error.diagnostic();
    let span = found.and_then(|found| found.span).map(span_of);
    let mut diagnostic = if let Some(unknown) = unknown_column(error) {
        unknown
    } else if plain_message(error).contains("HAVING clause references: Boolean(true)") {
        // The parser adds HAVING true to an AGGREGATE in which it sees no aggregate function.
        Diagnostic::new("AGGREGATE needs an aggregate function such as count(*), or GROUP BY")
            .with_hint("EXTEND computes a value for each row")
    } else if plain_message(error).contains("not allowed in the WHERE clause") {
        Diagnostic::new("an aggregate function is not allowed in WHERE")
            .with_hint("filter behind the aggregation: |> AGGREGATE … |> WHERE …, or HAVING")
    } else if ["Exists(", "ScalarSubquery(", "InSubquery("]
        .iter()
        .any(|kind| plain_message(error).contains(&format!("logical expression {kind}")))
    {
        Diagnostic::new(
            "not supported: a subquery that uses columns of the outer query across an operator, \
             a Lua function or a LIMIT",
        )
        .with_hint("JOIN its result, grouped by what the outer query needs")
    } else if let Some(function) = between(&plain_message(error), "LuaFunction { name: \"", "\"") {
        Diagnostic::new(format!("the Lua function `{function}` cannot be called here"))
            .with_hint("use it in a SELECT")
    } else if plain_message(error).contains("logical expression WindowFunction") {
        Diagnostic::new("a window function is not allowed here")
            .with_hint("compute it first: |> EXTEND … AS name |> WHERE name …")
    } else if let Some(name) = ambiguous_new_name(&plain_message(error)) {
        Diagnostic::new(format!("two columns would be called `{name}`")).with_hint(format!(
            "|> SET {name} = … replaces a column; a new one needs a name of its own, \
             and a side of a join an alias"
        ))
    } else {
        let message = match found {
            Some(found) => lower_first(&found.message),
            None => plain_message(error),
        };
        if let Some(table) = between(&message, "table '", "' not found") {
            unknown_table(table, session)
        } else if let Some(function) = between(&message, "nvalid function '", "'") {
            unknown_function(function, session)
        } else if let Some(column) = between(&message, "'", "' must appear in GROUP BY") {
            not_grouped(column)
        } else if let Some((function, reasons)) = unmatched_signatures(&message) {
            wrong_types(function, reasons)
        } else if let Some(operation) =
            between(&plain_message(error), "annot coerce arithmetic expression ", " to valid types")
        {
            Diagnostic::new(format!("cannot compute {}", sql_types(operation)))
                .with_hint("convert one side: CAST (x AS BIGINT), CAST (x AS DOUBLE)")
        } else if let Some((reason, candidates)) = message.split_once(" No function matches") {
            wrong_arguments(reason, candidates)
        } else if let Some(format) = between(&format!("{message}."), "to find factory for ", ".") {
            unknown_table_format(format)
        } else if let Some(extension) =
            message.strip_prefix("there is no registered file format with ext ")
        {
            Diagnostic::new(format!("COPY cannot tell a format from the extension `{extension}`"))
                .with_hint(COPY_FORMATS)
        } else if message.starts_with("format not explicitly set") {
            Diagnostic::new("COPY cannot tell a format without an extension")
                .with_hint(COPY_FORMATS)
        } else {
            let hint = found.and_then(hint_of);
            Diagnostic { hint, ..Diagnostic::new(message) }
        }
    };
    diagnostic.span = diagnostic.span.or(span);
    diagnostic
}

fn not_grouped(column: &str) -> Diagnostic {
    let column = column.rsplit('.').next().unwrap_or(column);
    Diagnostic::new(format!("column `{column}` is neither grouped nor aggregated")).with_hint(
        format!(
            "add it to GROUP BY, or take any_value({column}); \
         an aggregate beside every row is written with OVER ()"
        ),
    )
}

/// The function that takes no arguments of the types given, and why not.
fn unmatched_signatures(message: &str) -> Option<(&str, &str)> {
    let (before, reasons) = message.split_once("failed to match any signature, errors: ")?;
    Some((quoted_words(before).next()?, reasons))
}

fn wrong_types(function: &str, reasons: &str) -> Diagnostic {
    let given = between(reasons, "(DataType: ", ")").unwrap_or("these types");
    let given = sql_types(given);
    let diagnostic = Diagnostic::new(format!("`{function}` does not take {given}"));
    if given == "TEXT" {
        return diagnostic.with_hint(
            "convert it: CAST (x AS BIGINT), CAST (x AS DOUBLE), CAST (x AS TIMESTAMP)",
        );
    }
    diagnostic.with_hint("convert it with CAST")
}

/// SQL's names of the types that a message names.
fn sql_types(text: &str) -> String {
    const NAMES: [(&str, &str); 11] = [
        ("Utf8View", "TEXT"),
        ("LargeUtf8", "TEXT"),
        ("Utf8", "TEXT"),
        ("UInt64", "BIGINT UNSIGNED"),
        ("Int64", "BIGINT"),
        ("Int32", "INT"),
        ("Float64", "DOUBLE"),
        ("Float32", "FLOAT"),
        ("Boolean", "BOOLEAN"),
        ("Timestamp(Nanosecond, None)", "TIMESTAMP"),
        ("Date32", "DATE"),
    ];
    NAMES.iter().fold(text.to_owned(), |text, (arrow, sql)| text.replace(arrow, sql))
}

/// The reason alone, and the forms that the function has.
fn wrong_arguments(reason: &str, candidates: &str) -> Diagnostic {
    let reason = reason.rsplit("Error during planning: ").next().unwrap_or(reason);
    let diagnostic = Diagnostic::new(lower_first(reason.trim_end_matches('.')));
    let forms: Vec<&str> = candidates
        .split("Candidate functions:")
        .nth(1)
        .unwrap_or_default()
        .lines()
        .map(str::trim)
        .filter(|form| !form.is_empty() && !form.contains("UserDefined"))
        .collect();
    match forms.as_slice() {
        [] => diagnostic,
        forms => diagnostic.with_hint(format!("it is called as {}", forms.join(" or "))),
    }
}

const FILE_HINT: &str = "a file is named in quotes";

const COPY_FORMATS: &str =
    "the extension says csv, json, parquet or arrow; or write TO 'file' STORED AS CSV";

fn unknown_table_format(format: &str) -> Diagnostic {
    Diagnostic::new(format!("there is no table format `{format}`")).with_hint(
        "formats are CSV, JSON, PARQUET and ARROW; text needs no table: \
         FROM 'path', or CREATE VIEW name AS FROM 'path'",
    )
}

/// The name that a step gives to a column beside one of the same name.
fn ambiguous_new_name(message: &str) -> Option<&str> {
    let rest = between(message, "unqualified field name ", " which would be ambiguous")?;
    message.contains("contains qualified field name").then_some(rest)
}

fn unknown_column(error: &DataFusionError) -> Option<Diagnostic> {
    let SchemaError::FieldNotFound { field, valid_fields } = find_cause::<SchemaError>(error)?
    else {
        return None;
    };
    let is_shown = |name: &&str| !name.starts_with("__gleam_");
    let names: Vec<&str> =
        valid_fields.iter().map(|column| column.name.as_str()).filter(is_shown).collect();
    let hint = match did_you_mean(&field.name, names.iter().copied()) {
        Some(similar) if similar != field.name => format!("did you mean `{similar}`?"),
        _ if names.is_empty() => "there are no columns here".to_owned(),
        _ => format!("the columns are {}", names.join(", ")),
    };
    let message = format!("column `{}` not found", field.flat_name());
    let mut diagnostic = Diagnostic::new(message).with_hint(hint);
    diagnostic.span = field.spans.first().map(span_of);
    Some(diagnostic)
}

fn unknown_table(name: &str, session: &Session) -> Diagnostic {
    let name = ["datafusion.", "public."]
        .iter()
        .fold(name, |name, default| name.strip_prefix(default).unwrap_or(name));
    let names = session.table_names();
    let hint = match did_you_mean(name, names.iter().map(String::as_str)) {
        Some(similar) => format!("did you mean `{similar}`?"),
        None => format!("{FILE_HINT}: FROM '{name}'"),
    };
    Diagnostic::new(format!("table `{name}` not found")).with_hint(hint)
}

fn unknown_function(name: &str, session: &Session) -> Diagnostic {
    let diagnostic = Diagnostic::new(format!("function `{name}` not found"));
    let names = session.function_names();
    match did_you_mean(name, names.iter().map(String::as_str)) {
        Some(similar) => diagnostic.with_hint(format!("did you mean `{similar}`?")),
        None => diagnostic,
    }
}

fn hint_of(found: &DataFusionDiagnostic) -> Option<String> {
    let possible: Vec<&str> = found
        .helps
        .iter()
        .map(|help| help.message.as_str())
        .chain(found.notes.iter().map(|note| note.message.as_str()))
        .filter_map(|message| message.strip_prefix("possible column "))
        .collect();
    if !possible.is_empty() {
        return Some(format!("say which: {}", possible.join(" or ")));
    }
    let helps = found.helps.iter().map(|help| &help.message);
    let notes = found.notes.iter().map(|note| &note.message);
    helps.chain(notes).next().map(|message| lower_first(message))
}

/// The message of the innermost error, without the names of DataFusion's layers.
pub fn plain_message(error: &DataFusionError) -> String {
    const LAYERS: [&str; 9] = [
        "External error: ",
        "Error during planning: ",
        "Schema error: ",
        "Invalid or Unsupported Configuration: ",
        "SQL error: ",
        "Arrow error: ",
        "Cast error: ",
        "Execution error: ",
        "Object Store error: ",
    ];
    let message = error.find_root().strip_backtrace();
    // Who to tell of a defect in DataFusion is not for the user of gleam-sql.
    let mut message = message.split("\nThis issue was likely caused by").next().unwrap_or_default();
    while let Some(rest) = LAYERS.iter().find_map(|layer| message.strip_prefix(layer)) {
        message = rest;
    }
    if let Some(what) = message.strip_prefix("This feature is not implemented: ") {
        return format!("not supported: {}", lower_first(&plain_names(what)));
    }
    lower_first(&plain_names(message))
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    match (characters.next(), characters.clone().next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            first.to_lowercase().chain(characters).collect()
        }
        _ => text.to_owned(),
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

/// What stands between backquotes or quotes in a message.
fn quoted_words(message: &str) -> impl Iterator<Item = &str> {
    message.split(['`', '\'', '"']).skip(1).step_by(2).filter(|word| !word.is_empty())
}

fn span_of(span: datafusion::common::Span) -> Span {
    let place = |place: datafusion::common::Location| Location::new(place.line, place.column);
    Span::new(place(span.start), place(span.end))
}

/// Finds places in one statement of a script.
struct Places<'a> {
    script: &'a str,
    text: Range<usize>,
}

impl Places<'_> {
    fn start(&self) -> Span {
        let at = self.location(self.text.start);
        Span::new(at, at)
    }

    /// The first name or keyword that is `word`.
    fn of_word(&self, word: &str) -> Option<Span> {
        self.find(|class, text| {
            let is_code = !matches!(class, HighlightClass::String | HighlightClass::Comment);
            is_code && text.trim_matches('"').eq_ignore_ascii_case(word)
        })
    }

    /// The first quoted text that says `name`.
    fn of_quoted(&self, name: &str) -> Option<Span> {
        let quoted = format!("'{}'", name.replace('\'', "''"));
        self.find(|_, text| text == quoted)
    }

    fn find(&self, is_it: impl Fn(HighlightClass, &str) -> bool) -> Option<Span> {
        let text = self.script.get(self.text.clone())?;
        let (range, _) = highlight(text)
            .into_iter()
            .find(|(range, class)| is_it(*class, &text[range.clone()]))?;
        let place = |byte| self.location(self.text.start + byte);
        Some(Span::new(place(range.start), place(range.end)))
    }

    fn location(&self, byte: usize) -> Location {
        let before = &self.script[..byte];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        Location::new(line as u64, before[line_start..].chars().count() as u64 + 1)
    }
}
