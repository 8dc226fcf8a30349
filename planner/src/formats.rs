//! Formats with a name, and looking at lines to find out what they are.

mod statements;

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::arrow::array::{AsArray, StringViewArray, StringViewBuilder};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::dataframe::DataFrame;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::sql::sqlparser::ast::Ident;
use datafusion::sql::sqlparser::tokenizer::Span;
use gleam_sql_executor::exec::{LuaExec, PipeExec, ReduceExec};
use gleam_sql_executor::text::StdinExec;
use gleam_sql_formats::{ColumnSpec, FormatSpec, Guess, choose};
use gleam_sql_parser::{Diagnostic, FormatName};

use crate::hint::did_you_mean;
use crate::physical::OperatorQueryPlanner;
use crate::relation::{external, is_auto, refuse};

/// How many lines are looked at.
const SAMPLE_LINES: usize = 1000;

/// A format that a user has named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedFormat {
    pub(crate) format: FormatSpec,
    pub(crate) columns: Vec<ColumnSpec>,
}

/// The formats that the user has made, by their names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Formats(Arc<Mutex<BTreeMap<String, NamedFormat>>>);

impl Formats {
    pub(crate) fn lock(&self) -> MutexGuard<'_, BTreeMap<String, NamedFormat>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The format that `name` names, with its columns where the user has said them.
    pub(crate) fn find(
        &self,
        name: &FormatName,
    ) -> Result<(FormatSpec, Option<Vec<ColumnSpec>>), Diagnostic> {
        if let Some(found) = built_in(name) {
            return Ok((found, None));
        }
        let formats = self.lock();
        match formats.get(&normal(&name.name)) {
            Some(named) => Ok((named.format.clone(), Some(named.columns.clone()))),
            None => Err(unknown(name, formats.keys().map(String::as_str))),
        }
    }
}

/// A format that needs nobody to make it.
pub(crate) fn built_in(name: &FormatName) -> Option<FormatSpec> {
    match &name.code {
        Some(code) => FormatSpec::from_parts(&name.name.value.to_uppercase(), Some(&code.text)),
        None if name.name.quote_style.is_none() => FormatSpec::named(&name.name.value),
        None => None,
    }
}

/// The name as it is kept.
pub(crate) fn normal(name: &Ident) -> String {
    match name.quote_style {
        Some(_) => name.value.clone(),
        None => name.value.to_lowercase(),
    }
}

fn unknown<'a>(name: &FormatName, own: impl Iterator<Item = &'a str>) -> Diagnostic {
    let written = &name.name.value;
    let names: Vec<String> =
        own.map(str::to_owned).chain(FormatSpec::names().map(str::to_lowercase)).collect();
    let diagnostic = refuse(format!("there is no format `{written}`"), name.span);
    let lower = written.to_lowercase();
    diagnostic.with_hint(match did_you_mean(&lower, names.iter().map(String::as_str)) {
        Some(similar) => format!("did you mean {}?", similar.to_uppercase()),
        None => "SHOW FORMATS lists them; AUTO finds out".to_owned(),
    })
}

/// Rows have to be looked at before a `PARSE` can be planned.
#[derive(Debug)]
pub(crate) struct NeedsSample {
    /// The operator's index in the statement.
    pub(crate) operator: usize,
    /// Rows of one column, the lines.
    pub(crate) rows: LogicalPlan,
    /// The format as it is written.
    pub(crate) format: FormatName,
}

impl fmt::Display for NeedsSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PARSE {} has to look at the rows first", self.format.name)
    }
}

impl Error for NeedsSample {}

impl From<NeedsSample> for DataFusionError {
    fn from(needed: NeedsSample) -> Self {
        Self::External(Box::new(needed))
    }
}

/// The first lines that an operator will see.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) lines: StringViewArray,
}

impl Sample {
    /// Reads the first rows.
    ///
    /// # Errors
    /// When they cannot be read without running a program of the user, or by this statement only.
    pub(crate) async fn read(needed: &NeedsSample, state: &SessionState) -> Result<Self> {
        match Self::planned(&needed.rows, state).await? {
            Ok(sample) => Ok(sample),
            Err(reason) => Err(external(refuse_sample(needed, reason))),
        }
    }

    /// The first of `rows`, of one column; none where they cannot be read beforehand.
    ///
    /// # Errors
    /// When reading fails.
    pub(crate) async fn of(rows: &LogicalPlan, state: &SessionState) -> Result<Option<Self>> {
        Ok(Self::planned(rows, state).await?.ok())
    }

    /// The rows, or why they cannot be read before the query runs.
    async fn planned(
        rows: &LogicalPlan,
        state: &SessionState,
    ) -> Result<Result<Self, &'static str>> {
        let state = SessionStateBuilder::new_from_existing(state.clone())
            .with_query_planner(Arc::new(OperatorQueryPlanner))
            .build();
        let rows = DataFrame::new(state, rows.clone()).limit(0, Some(SAMPLE_LINES))?;
        let context = Arc::new(rows.task_ctx());
        let plan = rows.create_physical_plan().await?;
        if let Some(reason) = why_not_readable(&plan) {
            return Ok(Err(reason));
        }
        let mut lines = StringViewBuilder::new();
        for batch in collect(plan, context).await? {
            let text = cast(batch.column(0), &DataType::Utf8View)?;
            lines.extend(text.as_string_view());
        }
        Ok(Ok(Self { lines: lines.finish() }))
    }

    /// The format that most lines have.
    pub(crate) fn guess(&self, place: Span) -> Result<Guess, Diagnostic> {
        choose(&self.lines).ok_or_else(|| {
            refuse("PARSE AUTO knows no format that most of the lines have", place)
                .with_hint("describe them: PARSE PATTERN '<ts> <level> <message>'")
        })
    }
}

/// The lines that were looked at for the operators of a statement.
#[derive(Debug, Clone, Default)]
pub(crate) struct Samples(HashMap<usize, (FormatName, Sample)>);

impl Samples {
    /// Those of the operator with this index.
    pub(crate) fn of(&self, operator: usize) -> Option<&Sample> {
        self.0.get(&operator).map(|(_, sample)| sample)
    }

    pub(crate) fn has(&self, needed: &NeedsSample) -> bool {
        self.0.contains_key(&needed.operator)
    }

    /// Reads what is needed.
    ///
    /// # Errors
    /// As [`Sample::read`].
    pub(crate) async fn read(&mut self, needed: &NeedsSample, state: &SessionState) -> Result<()> {
        let sample = Sample::read(needed, state).await?;
        self.0.insert(needed.operator, (needed.format.clone(), sample));
        Ok(())
    }

    /// What was decided by looking at the lines.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut decided: Vec<&(FormatName, Sample)> = self.0.values().collect();
        decided.retain(|(format, _)| is_auto(format));
        decided.sort_by_key(|(format, _)| (format.span.start.line, format.span.start.column));
        let note = |(format, sample): &(FormatName, Sample)| {
            let Guess { format, matched, lines } = sample.guess(format.span).ok()?;
            Some(format!(
                "note: PARSE AUTO reads {}: {matched} of the first {lines} lines match",
                format.keyword()
            ))
        };
        decided.into_iter().filter_map(note).collect()
    }
}

/// Why rows cannot be looked at before the query runs.
fn why_not_readable(plan: &Arc<dyn ExecutionPlan>) -> Option<&'static str> {
    if plan.downcast_ref::<StdinExec>().is_some() {
        return Some("standard input can be read only once");
    }
    if plan.downcast_ref::<PipeExec>().is_some()
        || plan.downcast_ref::<LuaExec>().is_some()
        || plan.downcast_ref::<ReduceExec>().is_some()
    {
        return Some("a program makes them");
    }
    plan.children().into_iter().find_map(why_not_readable)
}

fn refuse_sample(needed: &NeedsSample, reason: &str) -> Diagnostic {
    let name = needed.format.name.value.to_uppercase();
    let message = format!("PARSE {name} cannot look at the lines before the query runs: {reason}");
    refuse(message, needed.format.span).with_hint(if is_auto(&needed.format) {
        "name the format: PARSE COMBINED, JSON, LOGFMT, …"
    } else {
        "name the columns: AS (key type, …)"
    })
}
