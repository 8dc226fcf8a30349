//! The one place where DataFusion is configured.

use std::sync::Arc;

use datafusion::catalog::DynamicFileCatalog;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_distributed::{DistributedConfig, DistributedExt, SessionStateBuilderExt};
use gleam_sql_executor::codec::GleamCodec;
use gleam_sql_executor::functions;
use gleam_sql_executor::options::GleamOptions;
use url::{Host, Url};

use crate::cluster::{Cluster, TaskPlaces};
use crate::formats::Formats;
use crate::functions::PlanFunctionCalls;
use crate::fuse::FuseOperators;
use crate::physical::{OperatorQueryPlanner, PlacingQueryPlanner};
use crate::placement::{self, LimitBuildSides};
use crate::predicates::PassPredicates;
use crate::sources::FileTables;
use crate::streaming::PassStdin;
use crate::volatile::PinVolatilePredicates;

/// An input of fewer bytes is one task: a second child would take longer to start than to work, and
/// the rows come in the order of the files.
const SMALL_INPUT_BYTES: usize = 8 * 1024 * 1024;

/// What a session is started with.
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    /// Tasks a stage has at most; one for each core where nothing is said.
    pub partitions: Option<usize>,
    /// The SQL itself comes from standard input, so that no query can read it.
    pub stdin_is_taken: bool,
    /// The agents that queries run on; without any, they run in this process.
    pub cluster: Option<Cluster>,
}

/// Settings, tables and views of one user, and the planning of statements against them.
pub struct Session {
    context: SessionContext,
    files: Arc<FileTables>,
    formats: Formats,
    /// The agents that may still be given tasks.
    agents: Vec<Url>,
}

impl Session {
    /// A session without tables.
    pub fn new(options: SessionOptions) -> Self {
        let files = Arc::new(FileTables::new(options.stdin_is_taken));
        let mut state = SessionStateBuilder::new()
            .with_config(config(&options))
            .with_default_features()
            .with_query_planner(Arc::new(OperatorQueryPlanner));
        state.scalar_functions().get_or_insert_default().extend(functions::all());
        if options.cluster.is_some() {
            state = state.with_distributed_planner();
            keep_scalar_subqueries(&mut state);
            let distributed = state.query_planner().take();
            state = state
                .with_query_planner(Arc::new(PlacingQueryPlanner { distributed }))
                .with_physical_optimizer_rule(Arc::new(LimitBuildSides));
        }
        let state = state
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
        let agents = options.cluster.map(|cluster| cluster.agents).unwrap_or_default();
        Self { context, files, formats: Formats::default(), agents }
    }

    /// The agents that tasks may go to.
    pub fn agents(&self) -> &[Url] {
        &self.agents
    }

    /// Gives an agent, which was lost, no more tasks.
    pub fn exclude_agent(&mut self, lost: impl Fn(&Url) -> bool) {
        self.agents.retain(|agent| !lost(agent));
        let places = TaskPlaces(self.agents.clone());
        let state = self.context.state_ref();
        state.write().config_mut().set_distributed_worker_resolver(places);
    }

    /// DataFusion's view of the session.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    pub(crate) fn formats(&self) -> &Formats {
        &self.formats
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

fn config(options: &SessionOptions) -> SessionConfig {
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
    match &options.cluster {
        Some(cluster) => on_agents(config, cluster),
        None => config,
    }
}

/// datafusion-distributed turns scalar subqueries into joins, which give rows twice where a subquery
/// has two, and no error. As they are, they keep their query in the driver.
fn keep_scalar_subqueries(state: &mut SessionStateBuilder) {
    let config = state.config().get_or_insert_default();
    config.options_mut().optimizer.enable_physical_uncorrelated_scalar_subquery = true;
}

fn on_agents(mut config: SessionConfig, cluster: &Cluster) -> SessionConfig {
    let settings = config.options_mut();
    // A filter that one task of a join learns is not known to the scans of others.
    settings.optimizer.enable_dynamic_filter_pushdown = false;
    settings.optimizer.enable_join_dynamic_filter_pushdown = false;
    settings.optimizer.enable_topk_dynamic_filter_pushdown = false;
    settings.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    let mut config = config
        .with_target_partitions(cluster.slots.max(2))
        .with_distributed_worker_resolver(TaskPlaces(cluster.agents.clone()))
        .with_distributed_channel_resolver(Arc::clone(&cluster.channels))
        .with_distributed_user_codec(GleamCodec);
    // Between processes of one machine, compressing takes longer than the bytes that it saves.
    if cluster.agents.iter().all(is_on_this_machine)
        && let Some(distributed) = config.options_mut().extensions.get_mut::<DistributedConfig>()
    {
        distributed.compression = "none".to_owned();
    }
    placement::with_rules(config)
}

fn is_on_this_machine(agent: &Url) -> bool {
    match agent.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
