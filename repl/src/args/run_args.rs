//! How statements are run, and what is told of them.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{Args, ValueEnum};
use gleam_sql_executor::options::OperatorTimeout;
use gleam_sql_parser::Variables;

use crate::output::Format;

/// The options of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(crate) struct RunArgs {
    /// Print rows as FORMAT [default: by the extension of -o; else table on a terminal, csv elsewhere]
    #[arg(long, value_enum, value_name = "FORMAT", env = "GLEAM_FORMAT", hide_env = true)]
    pub(crate) format: Option<Format>,

    /// Write rows to FILE, which gets its name when all statements have succeeded; `-` is standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Put VALUE in the place of :NAME as SQL, of :'NAME' as a text, of :"NAME" as a name; may be repeated
    #[arg(short = 'v', long = "variable", value_name = "NAME=VALUE", value_parser = assignment)]
    pub(crate) variables: Vec<Assignment>,

    /// Show the plans of queries instead of running them; with =analyze run them, and show what was measured
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "plan")]
    pub(crate) explain: Option<Explain>,

    /// Go on after a statement that fails; the exit status is that of the first failure
    #[arg(long, env = "GLEAM_KEEP_GOING", hide_env = true, value_parser = BoolishValueParser::new())]
    pub(crate) keep_going: bool,

    /// Stop when everything together has taken longer than DURATION (90s, 500ms, 10m), with exit status 124
    #[arg(long, value_name = "DURATION", env = "GLEAM_TIMEOUT", hide_env = true, value_parser = duration)]
    pub(crate) timeout: Option<Duration>,

    /// Tell on standard error how long each statement took
    #[arg(long, env = "GLEAM_TIMING", hide_env = true, value_parser = BoolishValueParser::new())]
    pub(crate) timing: bool,

    /// No warnings, counts of rows and progress on standard error; errors stay
    #[arg(short, long, env = "GLEAM_QUIET", hide_env = true, value_parser = BoolishValueParser::new())]
    pub(crate) quiet: bool,
}

/// What is shown of a query instead of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Explain {
    /// Its plan
    Plan,
    /// Its plan, with what a run of it has measured
    Analyze,
}

/// The value of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assignment {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// `name=value`, of which the value may be anything.
fn assignment(text: &str) -> Result<Assignment, String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(format!("a value is missing: {text}=value"));
    };
    Variables::default().set(name, value).map_err(|error| match error.hint {
        Some(hint) => format!("{}: {hint}", error.message),
        None => error.message,
    })?;
    Ok(Assignment { name: name.to_owned(), value: value.to_owned() })
}

/// A duration with its unit; `0` is no limit, and shorter than any.
fn duration(text: &str) -> Result<Duration, String> {
    text.parse::<OperatorTimeout>().map(|timeout| timeout.0).map_err(|error| error.to_string())
}
