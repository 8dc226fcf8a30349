//! The one place where DataFusion is configured.

use std::sync::Arc;

use datafusion::catalog::DynamicFileCatalog;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use gleam_sql_executor::options::GleamOptions;

use crate::functions::PlanFunctionCalls;
use crate::fuse::FuseOperators;
use crate::physical::OperatorQueryPlanner;
use crate::predicates::PassPredicates;
use crate::sources::FileTables;
use crate::streaming::PassStdin;
use crate::volatile::PinVolatilePredicates;

/// An input of fewer bytes is one task: a second child would take longer to start than to work, and
/// the rows come in the order of the files.
const SMALL_INPUT_BYTES: usize = 8 * 1024 * 1024;

/// What a session is started with.
#[derive(Debug, Clone, Copy, Default)]
pub struct SessionOptions {
    /// Tasks a stage has at most; one for each core where nothing is said.
    pub partitions: Option<usize>,
    /// The SQL itself comes from standard input, so that no query can read it.
    pub stdin_is_taken: bool,
}

/// Settings, tables and views of one user, and the planning of statements against them.
pub struct Session {
    context: SessionContext,
    files: Arc<FileTables>,
}

impl Session {
    /// A session without tables.
    pub fn new(options: SessionOptions) -> Self {
        let files = Arc::new(FileTables::new(options.stdin_is_taken));
        let state = SessionStateBuilder::new()
            .with_config(config(options))
            .with_default_features()
            .with_query_planner(Arc::new(OperatorQueryPlanner))
            .with_analyzer_rule(Arc::new(PlanFunctionCalls))
            .with_analyzer_rule(Arc::new(PinVolatilePredicates))
            .with_physical_optimizer_rule(Arc::new(PassStdin))
            .with_optimizer_rule(Arc::new(PassPredicates))
            .with_optimizer_rule(Arc::new(FuseOperators))
            .build();
        let catalogs =
            DynamicFileCatalog::new(Arc::clone(state.catalog_list()), Arc::clone(&files) as _);
        let state = SessionStateBuilder::new_from_existing(state)
            .with_catalog_list(Arc::new(catalogs))
            .build();
        let context = SessionContext::new_with_state(state);
        Self { context, files }
    }

    /// DataFusion's view of the session.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    pub(crate) fn files(&self) -> &FileTables {
        &self.files
    }

    /// The tables and views that the user has made.
    pub fn table_names(&self) -> Vec<String> {
        let state = self.context.state_ref();
        let catalog = state.read().config_options().catalog.clone();
        let schema = self
            .context
            .catalog(&catalog.default_catalog)
            .and_then(|found| found.schema(&catalog.default_schema));
        schema.map(|schema| schema.table_names()).unwrap_or_default()
    }

    /// The names of all functions.
    pub fn function_names(&self) -> Vec<String> {
        let state = self.context.state_ref();
        let state = state.read();
        let scalar = state.scalar_functions().keys();
        let aggregate = state.aggregate_functions().keys();
        let window = state.window_functions().keys();
        scalar.chain(aggregate).chain(window).cloned().collect()
    }

    pub(crate) fn state(&self) -> SessionState {
        self.context.state()
    }
}

fn config(options: SessionOptions) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_information_schema(true)
        .with_option_extension(GleamOptions::default());
    if let Some(partitions) = options.partitions {
        config = config.with_target_partitions(partitions);
    }
    let settings = config.options_mut();
    // Errors point at the text.
    settings.sql_parser.collect_spans = true;
    // An order inside a pipe query is meant: `|> ORDER BY x |> SELECT y`.
    settings.sql_parser.enable_subquery_sort_elimination = false;
    // Dealing batches out in turn would scramble the lines of a file, or of standard input, whose
    // order people rely on when they read a result. Parallelism comes from the files, the ranges of
    // large ones, and from grouping.
    settings.optimizer.enable_round_robin_repartition = false;
    settings.optimizer.repartition_file_min_size = SMALL_INPUT_BYTES;
    settings.explain.show_schema = false;
    config
}
