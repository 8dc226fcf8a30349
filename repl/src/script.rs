//! Runs the statements of scripts, in order, up to the first error.

use std::io::{self, IsTerminal};

use datafusion::physical_plan::execute_stream;
use gleam_sql_parser::parse_script;
use gleam_sql_planner::{Session, SessionOptions};

use crate::args::{Args, Source};
use crate::explain;
use crate::output::{self, Format, OutputOptions};
use crate::report::{self, Failure};
use crate::source::{self, Script};

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
    let mut session = Session::new(SessionOptions { stdin_is_taken, ..Default::default() });
    let is_terminal = io::stdout().is_terminal();
    let printing = Printing {
        format: args.format.unwrap_or(Format::for_stdout(is_terminal)),
        plans_as_text: args.format.is_none_or(|format| format == Format::Table),
        options: OutputOptions::for_stdout(),
        is_terminal,
    };
    for source in &args.sources {
        let script = source::read(source.clone()).await?;
        run_script(&script, &mut session, &printing).await?;
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

async fn run_script(
    script: &Script,
    session: &mut Session,
    printing: &Printing,
) -> Result<(), Failure> {
    for statement in parse_script(&script.text) {
        let statement = statement.map_err(|error| Failure::statement(&error, script))?;
        let planned = session
            .plan(&statement, &script.text)
            .await
            .map_err(|error| Failure::statement(&error, script))?;
        let rows = execute_stream(planned.plan.clone(), planned.context)
            .map_err(|error| Failure::running(error.into(), &statement, script))?;
        let has_columns = !rows.schema().fields().is_empty();
        let is_plan = printing.plans_as_text && explain::is_explain(&statement.body);
        let written = if is_plan {
            explain::write_plans(rows, io::stdout()).await
        } else {
            output::write_stream(rows, printing.format, io::stdout(), printing.options).await
        };
        let count = written.map_err(|error| Failure::running(error, &statement, script))?;
        if printing.is_terminal && has_columns && !is_plan {
            report::say(&format!("({count} {})\n", if count == 1 { "row" } else { "rows" }));
        }
        for warning in report::warnings(&planned.plan) {
            report::say(&format!("{warning}\n"));
        }
    }
    Ok(())
}
