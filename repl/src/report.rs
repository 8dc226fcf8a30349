//! What the user is told, on stderr.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::error::DataFusionError;
use datafusion::physical_plan::ExecutionPlan;
use gleam_sql_agent::exchange::{AgentLost, RemoteFault};
use gleam_sql_executor::error::OperatorError;
use gleam_sql_executor::exec::{RowErrorSummary, row_errors};
use gleam_sql_executor::operator::{OnError, OperatorLabel, Place};
use gleam_sql_executor::text::{INVALID_UTF8_LINES, TextError};
use gleam_sql_parser::{Diagnostic, Location, Span, Statement};
use gleam_sql_planner::{find_cause, plain_message};

use crate::measure::grouped;
use crate::output::OutputError;
use crate::progress;
use crate::source::Script;

/// The exit status of a query that failed while it ran.
pub(crate) const RUNTIME_FAILURE: i32 = 1;
/// The exit status of wrong usage, syntax or planning.
pub(crate) const USAGE_FAILURE: i32 = 2;
/// The exit status of a run that took longer than `--timeout`, as that of timeout(1).
pub(crate) const TIMEOUT_FAILURE: i32 = 124;

/// Whether notes and warnings are kept back.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// From now on only errors are said: `--quiet`.
pub(crate) fn be_quiet() {
    IS_QUIET.store(true, Ordering::Relaxed);
}

/// Whether only errors are said.
pub(crate) fn is_quiet() -> bool {
    IS_QUIET.load(Ordering::Relaxed)
}

/// Says a warning or a note, unless that is not wanted.
pub(crate) fn note(text: &str) {
    if !is_quiet() {
        say(text);
    }
}

/// Why the program ends early, and with which status.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: i32,
    /// What to print; nothing where the reader has left.
    pub(crate) message: String,
}

impl Failure {
    /// The command line names what cannot be used.
    pub(crate) fn usage(message: String) -> Self {
        Self { status: USAGE_FAILURE, message: format!("error: {message}\n") }
    }

    /// The configuration file says what is not understood; `message` is whole.
    pub(crate) fn configuration(message: String) -> Self {
        Self { status: USAGE_FAILURE, message }
    }

    /// The reader of the output has enough: `| head -1`.
    pub(crate) fn reader_closed() -> Self {
        Self { status: 0, message: String::new() }
    }

    /// Whether nobody reads what else there would be.
    pub(crate) fn is_reader_closed(&self) -> bool {
        self.status == 0
    }

    /// The rows cannot be written to where they go.
    pub(crate) fn writing(place: &str, error: &std::io::Error) -> Self {
        let message = format!("error: cannot write {}: {error}\n", visible(place));
        Self { status: RUNTIME_FAILURE, message }
    }

    /// A statement cannot be parsed or planned.
    pub(crate) fn statement(diagnostic: &Diagnostic, script: &Script) -> Self {
        let message = diagnostic.render(&script.text, script.name.as_deref());
        Self { status: USAGE_FAILURE, message }
    }

    /// A statement failed while it ran.
    pub(crate) fn running(error: OutputError, statement: &Statement, script: &Script) -> Self {
        let message = match error {
            OutputError::ReaderClosed => return Self::reader_closed(),
            OutputError::Io(error) => format!("error: cannot write the result: {error}\n"),
            OutputError::Query(error) => query_failure(&error, statement, script),
            OutputError::OneStatement(_) => {
                let start = statement.start(&script.text);
                let diagnostic = Diagnostic::new(error.to_string())
                    .at(Span::new(start, start))
                    .with_hint("run this one on its own, or write its rows with COPY");
                return Self::statement(&diagnostic, script);
            }
        };
        Self { status: RUNTIME_FAILURE, message }
    }

    /// The same failure, with what the user can do about it.
    pub(crate) fn with_hint(mut self, hint: &str) -> Self {
        let _ = writeln!(self.message, "  = help: {hint}");
        self
    }
}

fn query_failure(error: &DataFusionError, statement: &Statement, script: &Script) -> String {
    let start = statement.start(&script.text);
    if let Some(operator) = find_cause::<OperatorError>(error) {
        let text = operator.to_string();
        return operator_failure(&text, &operator.label, operator.hint(), start, script);
    }
    if let Some(fault) = find_cause::<RemoteFault>(error) {
        let text = fault.to_string();
        return match &fault.operator {
            Some(label) => operator_failure(&text, label, fault.hint.clone(), start, script),
            None => failure_at(&text, fault.hint.clone(), start, script),
        };
    }
    if let Some(lost) = find_cause::<AgentLost>(error) {
        return failure_at(&lost.to_string(), None, start, script);
    }
    let hint = find_cause::<TextError>(error).and_then(TextError::hint);
    failure_at(&plain_message(error), hint, start, script)
}

/// The first line of the message at the operator's place, then the details, then the hint. A function
/// has no place of its own: its calls may be many.
fn operator_failure(
    text: &str,
    label: &OperatorLabel,
    hint: Option<String>,
    statement: Location,
    script: &Script,
) -> String {
    let (first, details) = text.split_once('\n').unwrap_or((text, ""));
    let mut diagnostic = Diagnostic::new(first);
    let place = label.place;
    let keyword = label.keyword.split(' ').next().unwrap_or_default();
    if place == Place::default() {
        diagnostic = diagnostic.at(Span::new(statement, statement));
    } else if stands_at(keyword, place, &script.text) {
        let end = Location::new(place.line, place.column + keyword.len() as u64);
        diagnostic = diagnostic.at(Span::new(Location::new(place.line, place.column), end));
    } else {
        // The operator was written in another script, of which a view was made.
        diagnostic.message.push_str(" (in a view)");
    }
    render(diagnostic, details, hint, script)
}

fn stands_at(keyword: &str, place: Place, script: &str) -> bool {
    let line =
        usize::try_from(place.line).ok().and_then(|line| script.lines().nth(line.checked_sub(1)?));
    let column = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
    line.is_some_and(|line| {
        let found: String = line.chars().skip(column).take(keyword.len()).collect();
        found.eq_ignore_ascii_case(keyword)
    })
}

fn render(diagnostic: Diagnostic, details: &str, hint: Option<String>, script: &Script) -> String {
    let mut message = diagnostic.render(&script.text, script.name.as_deref());
    for line in details.lines() {
        let _ = writeln!(message, "{}", visible(line));
    }
    if let Some(hint) = hint {
        let _ = writeln!(message, "  = help: {}", visible(&hint));
    }
    message
}

/// At the beginning of the statement: what fails outside the operators has no better place.
fn failure_at(text: &str, hint: Option<String>, statement: Location, script: &Script) -> String {
    let (first, details) = text.split_once('\n').unwrap_or((text, ""));
    let diagnostic = Diagnostic::new(first).at(Span::new(statement, statement));
    render(diagnostic, details, hint, script)
}

/// Writes to stderr. Where nobody listens there is nobody to tell that either.
pub(crate) fn say(text: &str) {
    progress::aside(|| {
        let _ = std::io::stderr().write_all(text.as_bytes());
    });
}

/// Text for a terminal: what comes from logs and programs may hold anything.
pub(crate) fn visible(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for character in line.chars() {
        if character.is_control() && character != '\t' {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// What a finished query has to say beside its rows.
pub(crate) fn warnings(plan: &Arc<dyn ExecutionPlan>) -> Vec<String> {
    let invalid = sum(plan, INVALID_UTF8_LINES);
    let mut warnings = Vec::new();
    if invalid > 0 {
        let lines = if invalid == 1 { "line was" } else { "lines were" };
        warnings.push(format!(
            "warning: {invalid} {lines} not UTF-8; their bad bytes were replaced by \u{fffd}"
        ));
    }
    warnings.extend(row_errors(plan).iter().map(shown_row_errors));
    warnings
}

/// `warning: MAP LUA (2:4) skipped 11 of 5,307 rows`, and under it the first few of them.
fn shown_row_errors(summary: &RowErrorSummary) -> String {
    let RowErrorSummary { label, on_error, rows, errors, .. } = summary;
    let place = match label.place {
        Place { line: 0, .. } => String::new(),
        place => format!(" ({place})"),
    };
    let lines = if *rows == 1 { "line" } else { "lines" };
    if label.keyword.starts_with("PARSE ") {
        let left_out = if *on_error == OnError::Skip { ", and were left out" } else { "" };
        let text = format!(
            "warning: {}{place}: {} of {} {lines} did not match{left_out}",
            label.keyword,
            grouped(*errors),
            grouped(*rows),
        );
        return with_samples(text, summary);
    }
    if label.keyword == "FOLD" {
        let times = if *errors == 1 { "once" } else { &format!("{} times", grouped(*errors)) };
        let text = format!(
            "warning: FOLD{place} began another row in the middle of an event {times}, \
             because it has more lines than MAX says"
        );
        return with_samples(text, summary);
    }
    let done = match on_error {
        OnError::Null => "gave NULL for",
        OnError::Fail | OnError::Skip => "skipped",
    };
    let text = format!(
        "warning: {}{place} {done} {} of {} rows that had an error",
        label.keyword,
        grouped(*errors),
        grouped(*rows),
    );
    with_samples(text, summary)
}

/// `text`, and under it the first few rows.
fn with_samples(mut text: String, summary: &RowErrorSummary) -> String {
    let RowErrorSummary { errors, samples, .. } = summary;
    for sample in samples {
        let origin = sample.origin.as_ref().map(|origin| format!("{origin}: "));
        let reason = sample.reason.replace('\n', " ");
        let _ = write!(text, "\n  {}{}", origin.unwrap_or_default(), visible(&reason));
    }
    let more = errors.saturating_sub(samples.len() as u64);
    if more > 0 {
        let _ = write!(text, "\n  and {} more", grouped(more));
    }
    text
}

fn sum(plan: &Arc<dyn ExecutionPlan>, metric: &str) -> usize {
    let own = plan.metrics().and_then(|metrics| metrics.sum_by_name(metric));
    let below = plan.children().into_iter().map(|child| sum(child, metric)).sum::<usize>();
    own.map_or(0, |value| value.as_usize()) + below
}
