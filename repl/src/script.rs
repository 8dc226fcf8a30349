//! Runs the statements of scripts, in order, up to the first error.

use std::io::{self, IsTerminal};

use datafusion::physical_plan::execute_stream;
use gleam_sql_parser::{Statement, parse_script};
use gleam_sql_planner::{Planned, Session, SessionOptions, with_metrics};

use crate::args::{Args, Source};
use crate::attempt::{self, Reader, Shown};
use crate::output::{self, Format, OutputError, OutputOptions};
use crate::report::{self, Failure};
use crate::source::{self, Script};
use crate::{cluster, explain};

/// Runs everything that the command line asks for, and gives the exit status.
pub(crate) async fn run_all(args: Args) -> i32 {
    match try_run_all(args).await {
        Ok(()) => 0,
        Err(failure) => {
            report::say(&failure.message);
            failure.status
        }
    }
}

async fn try_run_all(args: Args) -> Result<(), Failure> {
    let stdin_is_taken = args.sources.contains(&Source::Stdin);
    let connected = cluster::connect(&args.cluster).await?;
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
    async fn run(&mut self, statement: &Statement, script: &Script) -> Result<(), Failure> {
        let Self { session, printing, retries_effects } = self;
        attempt::run(session, printing, statement, script, *retries_effects).await
    }
}

impl Reader for Printing {
    async fn execute(
        &mut self,
        planned: &Planned,
        statement: &Statement,
        shown: &Shown,
    ) -> Result<(), OutputError> {
        let rows = execute_stream(planned.plan.clone(), planned.context.clone())?;
        let rows = shown.watch(rows);
        let has_columns = !rows.schema().fields().is_empty();
        let is_plan = self.plans_as_text && explain::is_explain(&statement.body);
        let count = if is_plan {
            explain::write_plans(rows, io::stdout()).await
        } else {
            output::write_stream(rows, self.format, io::stdout(), self.options.clone()).await
        }?;
        if self.is_terminal && has_columns && !is_plan {
            report::say(&format!("({count} {})\n", if count == 1 { "row" } else { "rows" }));
        }
        let plan = with_metrics(&planned.plan).await;
        for warning in report::warnings(&plan) {
            report::say(&format!("{warning}\n"));
        }
        Ok(())
    }
}
