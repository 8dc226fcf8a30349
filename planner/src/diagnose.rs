//! DataFusion's planning errors in our words, at their place in the script.

mod places;
mod wording;

use std::error::Error;

use datafusion::common::diagnostic::Diagnostic as DataFusionDiagnostic;
use datafusion::common::{DataFusionError, SchemaError};
use datafusion::sql::parser::{CopyToSource, Statement as SqlStatement};
use gleam_sql_executor::text::TextError;
use gleam_sql_parser::{Diagnostic, Location, Span, Statement};

use self::places::Places;
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
    let plain = plain_message(error);
    let message = found.map_or_else(|| plain.clone(), |found| lower_first(&found.message));
    let mut diagnostic = if let Some(unknown) = unknown_column(error) {
        unknown
    } else if let Some(reworded) = wording::reword(&plain).or_else(|| wording::reword(&message)) {
        reworded
    } else if let Some(table) = between(&message, "table '", "' not found") {
        unknown_table(table, session)
    } else if let Some(function) = between(&message, "nvalid function '", "'") {
        unknown_function(function, session)
    } else {
        Diagnostic { hint: found.and_then(hint_of), ..Diagnostic::new(message) }
    };
    let span = found.and_then(|found| found.span).map(span_of);
    diagnostic.span = diagnostic.span.or(span);
    diagnostic
}

const FILE_HINT: &str = "a file is named in quotes";

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
