//! What an entry at the prompt acts on: the session, and how its results are shown.

use std::path::Path;
use std::sync::Arc;

use datafusion::sql::parser::Statement as SqlStatement;
use datafusion::sql::sqlparser::ast::Statement as Sql;
use gleam_sql_parser::{Statement, Variables, parse_script};
use gleam_sql_planner::{Session, SessionOptions};

use crate::args::Args;
use crate::attempt;
use crate::cluster::{self, Connected};
use crate::output::OutputError;
use crate::report::Failure;
use crate::source::Script;
use crate::{runner, settings};

use super::commands;
use super::display::Display;
use super::vocabulary::Vocabulary;

/// What follows an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The next prompt.
    Go,
    /// The end.
    Leave,
    /// The next prompt, with this text to begin with.
    Edit(String),
}

/// The state of a prompt.
pub(super) struct Console {
    pub(super) session: Session,
    pub(super) connected: Option<Connected>,
    pub(super) display: Display,
    /// The last query as it was written.
    pub(super) last_query: Option<String>,
    retries_effects: bool,
    variables: Variables,
    vocabulary: Arc<Vocabulary>,
}

impl Console {
    /// # Errors
    /// When the agents or the settings of the configuration file cannot be used.
    pub(super) async fn new(
        args: &Args,
        spill_directory: Option<&Path>,
        has_colours: bool,
    ) -> Result<Self, Failure> {
        let connected = cluster::connect(&args.cluster, spill_directory).await?;
        let cluster = connected.as_ref().map(|connected| connected.cluster.clone());
        let options = SessionOptions { stdin_is_taken: true, cluster, ..Default::default() };
        let mut session = Session::new(options);
        settings::apply(&mut session, &args.file).await?;
        let vocabulary = Arc::new(Vocabulary::new(session.context().clone()));
        vocabulary.refresh(&session).await;
        Ok(Self {
            session,
            connected,
            display: Display::new(args.run.format, has_colours),
            last_query: None,
            retries_effects: args.cluster.retry,
            variables: runner::variables(args)?,
            vocabulary,
        })
    }

    /// What the editor completes.
    pub(super) fn vocabulary(&self) -> Arc<Vocabulary> {
        Arc::clone(&self.vocabulary)
    }

    /// Does what the user has entered. What is wrong with it is said here.
    pub(super) async fn handle(&mut self, text: &str) -> Next {
        let done = match commands::of_entry(text) {
            Some(command) => commands::run(self, command).await,
            None => {
                let script = Script { text: text.to_owned(), name: None };
                self.run_script(&script).await.map(|()| Next::Go)
            }
        };
        self.vocabulary.refresh(&self.session).await;
        done.unwrap_or_else(|failure| {
            self.display.say(&failure.message);
            Next::Go
        })
    }

    /// Runs the user's statements in order, up to the first error.
    ///
    /// # Errors
    /// The first failure.
    pub(super) async fn run_script(&mut self, script: &Script) -> Result<(), Failure> {
        self.run_all(script, true).await
    }

    /// Runs statements of ours, for a command; they are not the last query.
    ///
    /// # Errors
    /// The first failure.
    pub(super) async fn run_own(&mut self, text: String) -> Result<(), Failure> {
        self.run_all(&Script { text, name: None }, false).await
    }

    async fn run_all(&mut self, script: &Script, remembers: bool) -> Result<(), Failure> {
        let variables = self.variables.clone();
        for statement in parse_script(&script.text).with_variables(&variables) {
            let statement = statement.map_err(|error| Failure::statement(&error, script))?;
            if remembers && is_query(&statement) {
                self.last_query = script.text.get(statement.text.clone()).map(str::to_owned);
            }
            let Self { session, display, retries_effects, .. } = self;
            attempt::run(session, display, &statement, script, *retries_effects).await?;
        }
        Ok(())
    }

    /// The last query.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn last_query(&self) -> Result<String, Failure> {
        self.last_query
            .clone()
            .ok_or_else(|| Failure::usage("there is no query yet that this could be of".to_owned()))
    }
}

/// Why a command could not show what it has.
pub(super) fn unshown(error: OutputError) -> Failure {
    match error {
        OutputError::ReaderClosed => Failure::reader_closed(),
        error => Failure::usage(error.to_string()),
    }
}

fn is_query(statement: &Statement) -> bool {
    match &statement.body {
        SqlStatement::Statement(sql) => matches!(sql.as_ref(), Sql::Query(_)),
        _ => false,
    }
}
