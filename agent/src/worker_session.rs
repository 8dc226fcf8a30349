//! What a task of another process runs with here.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion_distributed::{
    ChannelResolver, DistributedExt, Worker, WorkerPlanRewriteEvent,
    WorkerPlanRewriteEventResponse, WorkerQueryContext, WorkerSessionBuilder,
};
use gleam_sql_executor::codec::GleamCodec;
use gleam_sql_executor::functions;
use gleam_sql_executor::policy::{Policy, check_plan};
use gleam_sql_executor::settings::{self, SETTINGS_HEADER};
use http::HeaderValue;

use crate::exchange::guard_broadcast;

/// A worker whose tasks share `runtime`, fetch from other agents over `channels`, and do what `policy`
/// allows.
pub(crate) fn worker(
    runtime: Arc<RuntimeEnv>,
    channels: Arc<dyn ChannelResolver + Send + Sync>,
    policy: Arc<Policy>,
) -> Worker {
    Worker::from_session_builder(TaskSessions { channels, policy }).with_runtime_env(runtime)
}

struct TaskSessions {
    channels: Arc<dyn ChannelResolver + Send + Sync>,
    policy: Arc<Policy>,
}

#[async_trait]
impl WorkerSessionBuilder for TaskSessions {
    async fn build_session_state(
        &self,
        context: WorkerQueryContext,
    ) -> Result<SessionState, DataFusionError> {
        let WorkerQueryContext { mut builder, headers } = context;
        builder.scalar_functions().get_or_insert_default().extend(functions::all());
        let mut config = builder.config().take().unwrap_or_default();
        let settings = headers.get(SETTINGS_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
        settings::apply(config.options_mut(), &String::from_utf8_lossy(settings))?;
        let policy = Arc::clone(&self.policy);
        let check = move |event: WorkerPlanRewriteEvent<'_>| {
            check_plan(&policy, &event.plan)?;
            Ok(WorkerPlanRewriteEventResponse::new(event.plan))
        };
        Ok(builder
            .with_config(self.policy.govern(config))
            .with_distributed_worker_plan_rewrite_handler(check)
            .with_distributed_user_codec(GleamCodec)
            .with_distributed_channel_resolver(Arc::clone(&self.channels))
            .with_distributed_worker_plan_rewrite_handler(guard_broadcast)
            .build())
    }
}
