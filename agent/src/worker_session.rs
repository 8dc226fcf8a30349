//! What a task of another process runs with here.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion_distributed::{
    ChannelResolver, DistributedExt, Worker, WorkerQueryContext, WorkerSessionBuilder,
};
use gleam_sql_executor::codec::GleamCodec;
use gleam_sql_executor::settings::{self, SETTINGS_HEADER};
use http::HeaderValue;

use crate::exchange::guard_broadcast;

/// A worker whose tasks share `runtime` and fetch from other agents over `channels`.
pub(crate) fn worker(
    runtime: Arc<RuntimeEnv>,
    channels: Arc<dyn ChannelResolver + Send + Sync>,
) -> Worker {
    Worker::from_session_builder(TaskSessions { channels }).with_runtime_env(runtime)
}

struct TaskSessions {
    channels: Arc<dyn ChannelResolver + Send + Sync>,
}

#[async_trait]
impl WorkerSessionBuilder for TaskSessions {
    async fn build_session_state(
        &self,
        context: WorkerQueryContext,
    ) -> Result<SessionState, DataFusionError> {
        let WorkerQueryContext { mut builder, headers } = context;
        let settings = headers.get(SETTINGS_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
        let settings = String::from_utf8_lossy(settings);
        settings::apply(builder.config().get_or_insert_default().options_mut(), &settings)?;
        Ok(builder
            .with_distributed_user_codec(GleamCodec)
            .with_distributed_channel_resolver(Arc::clone(&self.channels))
            .with_distributed_worker_plan_rewrite_handler(guard_broadcast)
            .build())
    }
}
