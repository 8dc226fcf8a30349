//! Runs the statements of scripts, in order, up to the first error.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use datafusion::physical_plan::execute_stream;
use gleam_sql_agent::address::agent_name;
use gleam_sql_parser::{Statement, parse_script};
use gleam_sql_planner::{Planned, Session, SessionOptions, with_metrics};

use crate::args::{Args, Source};
use crate::attempt::{self, Shown};
use crate::output::{self, Format, OutputError, OutputOptions};
use crate::report::{self, Failure};
use crate::source::{self, Script};
use crate::{cluster, explain};

const RETRY_HINT: &str =
    "its programs may have had effects already; --retry runs such a query once more";

/// Runs everything that the command line asks for, and gives the exit status. Agents that this starts
/// spill to `spill_directory`.
pub(crate) async fn run_all(args: Args, spill_directory: Option<PathBuf>) -> i32 {
    match try_run_all(args, spill_directory.as_deref()).await {
        Ok(()) => 0,
        Err(failure) => {
            report::say(&failure.message);
            failure.status
        }
    }
}

async fn try_run_all(args: Args, spill_directory: Option<&Path>) -> Result<(), Failure> {
    let stdin_is_taken = args.sources.contains(&Source::Stdin);
    let connected = cluster::connect(&args.cluster, spill_directory).await?;
    let cluster = connected.as_ref().map(|connected| connected.cluster.clone());
    let options = SessionOptions { stdin_is_taken, cluster, ..Default::default() };
    let is_terminal = io::stdout().is_terminal();
    let mut runner = Runner {
        session: Session::new(options),
        printing: Printing {
            format: args.format.unwrap_or(Format::for_stdout(is_terminal)),
            plans_as_text: args.format.is_none_or(|format| format == Format::Table),
            options: OutputOptions::for_stdout(),
            is_terminal,
        },
        retries_effects: args.cluster.retry,
    };
    for source in &args.sources {
        let script = source::read(source.clone()).await?;
        for statement in parse_script(&script.text) {
            let statement = statement.map_err(|error| Failure::statement(&error, &script))?;
            runner.run(&statement, &script).await?;
        }
    }
    Ok(())
}

struct Printing {
    format: Format,
    /// Plans are for reading; only who asks for a format of data gets them as data.
    plans_as_text: bool,
    options: OutputOptions,
    is_terminal: bool,
}

struct Runner {
    session: Session,
    printing: Printing,
    /// Whether a statement that may do something twice is run again when an agent is lost.
    retries_effects: bool,
}

impl Runner {
    /// Runs a statement; once more where an agent is lost before the first row was seen.
    async fn run(&mut self, statement: &Statement, script: &Script) -> Result<(), Failure> {
        let shown = Shown::default();
        let planned = self.plan(statement, script).await?;
        let Err(error) = self.execute(&planned, statement, &shown).await else { return Ok(()) };
        let fails = |error| Err(Failure::running(error, statement, script));
        let Some(lost) = error.lost_agent().cloned() else { return fails(error) };
        if shown.any() || self.session.agents().len() < 2 {
            return fails(error);
        }
        if attempt::has_effects(&planned.plan) && !self.retries_effects {
            return Err(Failure::running(error, statement, script).with_hint(RETRY_HINT));
        }
        self.session.exclude_agent(|agent| agent_name(agent) == lost.agent);
        report::say(&format!("warning: {lost}\n  running the query again on the other agents\n"));
        let planned = self.plan(statement, script).await?;
        self.execute(&planned, statement, &shown).await.or_else(fails)
    }

    async fn plan(&mut self, statement: &Statement, script: &Script) -> Result<Planned, Failure> {
        let planned = self.session.plan(statement, &script.text).await;
        let planned = planned.map_err(|error| Failure::statement(&error, script))?;
        for note in &planned.notes {
            report::say(&format!("{note}\n"));
        }
        Ok(planned)
    }

    async fn execute(
        &self,
        planned: &Planned,
        statement: &Statement,
        shown: &Shown,
    ) -> Result<(), OutputError> {
        let printing = &self.printing;
        let rows = execute_stream(planned.plan.clone(), planned.context.clone())?;
        let rows = shown.watch(rows);
        let has_columns = !rows.schema().fields().is_empty();
        let is_plan = printing.plans_as_text && explain::is_explain(&statement.body);
        let count = if is_plan {
            explain::write_plans(rows, io::stdout()).await
        } else {
            output::write_stream(rows, printing.format, io::stdout(), printing.options).await
        }?;
        if printing.is_terminal && has_columns && !is_plan {
            report::say(&format!("({count} {})\n", if count == 1 { "row" } else { "rows" }));
        }
        let plan = with_metrics(&planned.plan).await;
        for warning in report::warnings(&plan) {
            report::say(&format!("{warning}\n"));
        }
        Ok(())
    }
}
