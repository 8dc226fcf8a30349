//! Runs statements, one after the other, in one session.

use std::path::Path;
use std::time::{Duration, Instant};

use datafusion::physical_plan::execute_stream;
use gleam_sql_parser::{Statement, Variables};
use gleam_sql_planner::{Planned, Session, SessionOptions, with_metrics};

use crate::args::{Args, Explain, RunArgs, Source};
use crate::attempt::{self, Reader, Shown};
use crate::cluster::{self, Connected};
use crate::destination::Destination;
use crate::measure::{self, Scanned};
use crate::output::{self, Format, OutputError, OutputOptions};
use crate::progress::Progress;
use crate::report::{self, Failure};
use crate::source::Script;
use crate::{explain, settings};

/// How and where rows are printed.
struct Printing {
    format: Format,
    /// Plans are for reading; only who asks for a format of data gets them as data.
    plans_as_text: bool,
    options: OutputOptions,
    is_terminal: bool,
    destination: Destination,
    /// What the destination is called in messages.
    destination_name: String,
    /// Whether a statement with rows has run: a binary format holds those of one.
    has_rows: bool,
}

/// A session, and where the rows of its queries go.
pub(crate) struct Runner {
    session: Session,
    printing: Printing,
    /// Whether a statement that may do something twice is run again when an agent is lost.
    retries_effects: bool,
    variables: Variables,
    explain: Option<Explain>,
    tells_time: bool,
    /// Its own agents end with it.
    _connected: Option<Connected>,
}

impl Runner {
    /// A session as the command line and the configuration file want it.
    ///
    /// # Errors
    /// When its agents, its settings or its destination cannot be used.
    pub(crate) async fn new(args: &Args, spill_directory: Option<&Path>) -> Result<Self, Failure> {
        let variables = variables(args)?;
        let printing = Printing::new(&args.run)?;
        let connected = cluster::connect(&args.cluster, spill_directory).await?;
        let options = SessionOptions {
            stdin_is_taken: args.sources.contains(&Source::Stdin),
            cluster: connected.as_ref().map(|connected| connected.cluster.clone()),
            ..Default::default()
        };
        let mut session = Session::new(options);
        settings::apply(&mut session, &args.file).await?;
        Ok(Self {
            session,
            printing,
            retries_effects: args.cluster.retry,
            variables,
            explain: args.run.explain,
            tells_time: args.run.timing,
            _connected: connected,
        })
    }

    /// The variables of scripts.
    pub(crate) fn variables(&self) -> Variables {
        self.variables.clone()
    }

    /// All statements have succeeded.
    ///
    /// # Errors
    /// When the rows cannot be written to their end.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        let Printing { destination, destination_name, .. } = self.printing;
        match destination.finish().map_err(OutputError::from_io) {
            Ok(()) | Err(OutputError::ReaderClosed) => Ok(()),
            Err(OutputError::Io(error)) => Err(Failure::writing(&destination_name, &error)),
            Err(error) => Err(Failure::usage(error.to_string())),
        }
    }

    /// With `--timing`, says how long a statement took.
    pub(crate) fn tell_time(&self, statement: &Statement, script: &Script, time: Duration) {
        if self.tells_time {
            let line = statement.start(&script.text).line;
            let place = match &script.name {
                Some(name) => format!("{}:{line}", report::visible(name)),
                None => format!("line {line}"),
            };
            report::say(&format!("time: {} ({place})\n", measure::duration(time)));
        }
    }

    /// Runs a statement, or with `--explain` shows its plan.
    ///
    /// # Errors
    /// What is wrong with the statement, or went wrong while it ran.
    pub(crate) async fn run(
        &mut self,
        statement: Statement,
        script: &Script,
    ) -> Result<(), Failure> {
        let statement = match self.explain {
            Some(how) => explain::explained(statement, how),
            None => statement,
        };
        let Self { session, printing, retries_effects, .. } = self;
        attempt::run(session, printing, &statement, script, *retries_effects).await
    }
}

impl Printing {
    fn new(run: &RunArgs) -> Result<Self, Failure> {
        let path = run.output.as_deref().filter(|path| *path != Path::new("-"));
        let destination_name =
            path.map_or_else(|| "standard output".to_owned(), |path| path.display().to_string());
        let destination =
            Destination::open(path).map_err(|error| Failure::writing(&destination_name, &error))?;
        let chosen = run.format.or_else(|| path.and_then(Format::for_path));
        let is_terminal = destination.is_terminal();
        let format = chosen.unwrap_or(Format::for_stdout(is_terminal));
        if format.is_binary() && is_terminal {
            let message =
                format!("{} is binary, and {destination_name} is a terminal", format.name());
            let hint = "write it to a file with -o FILE, or into a pipe";
            return Err(Failure::usage(message).with_hint(hint));
        }
        let options = match destination {
            Destination::Stdout(_) => OutputOptions::for_stdout(),
            Destination::File(_) | Destination::Device(_) => OutputOptions::for_other(is_terminal),
        };
        let plans_as_text = chosen.is_none_or(|format| format == Format::Table);
        let has_rows = false;
        Ok(Self {
            format,
            plans_as_text,
            options,
            is_terminal,
            destination,
            destination_name,
            has_rows,
        })
    }

    /// A binary file has an end, behind which no second one is read.
    fn check_binary(&self) -> Result<(), OutputError> {
        match self.format.is_binary() && self.has_rows {
            true => Err(OutputError::OneStatement(self.format.name())),
            false => Ok(()),
        }
    }
}

impl Reader for Printing {
    async fn execute(
        &mut self,
        planned: &Planned,
        statement: &Statement,
        shown: &Shown,
    ) -> Result<(), OutputError> {
        let started = Instant::now();
        let has_columns = !planned.plan.schema().fields().is_empty();
        let is_plan = self.plans_as_text && explain::is_explain(&statement.body);
        if has_columns {
            self.check_binary()?;
        }
        let progress = Progress::start(&planned.plan);
        let rows = execute_stream(planned.plan.clone(), planned.context.clone())?;
        let rows = shown.watch(rows);
        let out = progress.clear_before(&mut self.destination, self.is_terminal);
        let count = if is_plan {
            explain::write_plans(rows, out).await
        } else {
            output::write_stream(rows, self.format, out, self.options.clone()).await
        };
        drop(progress);
        self.has_rows |= has_columns && (count.is_ok() || shown.any());
        let count = count?;
        let plan = with_metrics(&planned.plan).await;
        if self.is_terminal && has_columns && !is_plan {
            let scanned = Scanned::of(&plan).bytes;
            report::note(&measure::last_line(count, started.elapsed(), scanned));
        }
        for warning in report::warnings(&plan) {
            report::note(&format!("{warning}\n"));
        }
        Ok(())
    }
}

/// The variables of the configuration file, and over them those of the command line.
///
/// # Errors
/// When one has no good name.
pub(crate) fn variables(args: &Args) -> Result<Variables, Failure> {
    let of_file = args.file.variables.iter().map(|entry| (&entry.name, &entry.value));
    let of_line = args.run.variables.iter().map(|one| (&one.name, &one.value));
    let mut variables = Variables::default();
    for (name, value) in of_file.chain(of_line) {
        variables.set(name, value).map_err(|error| Failure::usage(error.message))?;
    }
    Ok(variables)
}
