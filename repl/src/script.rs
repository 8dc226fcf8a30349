//! Runs the statements of scripts, in order, up to the first error.

use std::path::{Path, PathBuf};
use std::time::Instant;

use gleam_sql_parser::parse_script;

use crate::args::Args;
use crate::paint;
use crate::report::{self, Failure};
use crate::runner::Runner;
use crate::source::{self, Script};

/// Runs everything that the command line asks for, and gives the exit status. Agents that this starts
/// spill to `spill_directory`.
pub(crate) async fn run_all(args: Args, spill_directory: Option<PathBuf>) -> i32 {
    if args.run.quiet {
        report::be_quiet();
    }
    match try_run_all(args, spill_directory.as_deref()).await {
        Ok(status) => status,
        Err(failure) => {
            report::say(&paint::on_stderr(&failure.message));
            failure.status
        }
    }
}

async fn try_run_all(args: Args, spill_directory: Option<&Path>) -> Result<i32, Failure> {
    let keep_going = args.run.keep_going;
    let mut run =
        Run { runner: Runner::new(&args, spill_directory).await?, keep_going, first_status: None };
    for source in &args.sources {
        match source::read(source.clone()).await {
            Ok(script) => run.script(&script).await?,
            Err(failure) => run.meet(failure)?,
        }
    }
    match run.first_status {
        // What is there is not whole: a file does not get its name.
        Some(status) => Ok(status),
        None => run.runner.finish().map(|()| 0),
    }
}

/// A run, and the failures that it has gone on after.
struct Run {
    runner: Runner,
    keep_going: bool,
    first_status: Option<i32>,
}

impl Run {
    async fn script(&mut self, script: &Script) -> Result<(), Failure> {
        let variables = self.runner.variables();
        for statement in parse_script(&script.text).with_variables(&variables) {
            let ran = match statement {
                Ok(statement) => {
                    let started = Instant::now();
                    let ran = self.runner.run(statement.clone(), script).await;
                    self.runner.tell_time(&statement, script, started.elapsed());
                    ran
                }
                Err(error) => Err(Failure::statement(&error, script)),
            };
            ran.or_else(|failure| self.meet(failure))?;
        }
        Ok(())
    }

    /// Ends the run, or remembers the failure and goes on.
    fn meet(&mut self, failure: Failure) -> Result<(), Failure> {
        if !self.keep_going || failure.is_reader_closed() {
            return Err(failure);
        }
        report::say(&paint::on_stderr(&failure.message));
        self.first_status.get_or_insert(failure.status);
        Ok(())
    }
}
