//! Who an agent is and how it does.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use datafusion::execution::memory_pool::MemoryPool;
use gleam_sql_executor::child;
use tonic::{Request, Response, Status};

use crate::drain::Drain;
use crate::exchange::Traffic;
use crate::proto::agent::agent_server::Agent;
use crate::proto::agent::{HelloRequest, HelloResponse, StatusRequest, StatusResponse};
use crate::version::{BUILD_VERSION, WIRE_VERSION};

/// Answers for one agent.
#[derive(Debug)]
pub(crate) struct AgentStatus {
    pub(crate) started: Instant,
    pub(crate) slots: usize,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) pool: Arc<dyn MemoryPool>,
    pub(crate) pool_limit_bytes: usize,
    pub(crate) drain: Arc<Drain>,
}

#[async_trait]
impl Agent for AgentStatus {
    async fn hello(&self, _: Request<HelloRequest>) -> Result<Response<HelloResponse>, Status> {
        Ok(Response::new(HelloResponse {
            wire_version: WIRE_VERSION,
            build_version: BUILD_VERSION.to_owned(),
            slots: number(self.slots),
        }))
    }

    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        let uptime = self.started.elapsed().as_millis();
        Ok(Response::new(StatusResponse {
            build_version: BUILD_VERSION.to_owned(),
            uptime_ms: u64::try_from(uptime).unwrap_or(u64::MAX),
            slots: number(self.slots),
            running_tasks: number(self.traffic.running_tasks()),
            children: number(child::count()),
            memory_bytes: resident_bytes(),
            pool_used_bytes: self.pool.reserved() as u64,
            pool_limit_bytes: self.pool_limit_bytes as u64,
            exchange_bytes_in: self.traffic.bytes_in(),
            exchange_bytes_out: self.traffic.bytes_out(),
            draining: self.drain.has_begun(),
        }))
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Of this process; 0 where the kernel does not tell.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}
