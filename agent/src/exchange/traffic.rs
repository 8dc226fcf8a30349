//! What an agent's exchanges have moved, for its status.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion_distributed::TaskKey;

/// Totals of one process. Encoded bytes, in both directions.
#[derive(Debug, Default)]
pub struct Traffic {
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    running_exchanges: AtomicUsize,
    running_tasks: Mutex<HashMap<TaskKey, usize>>,
}

impl Traffic {
    /// Received by consumers in this process.
    pub fn bytes_in(&self) -> u64 {
        self.bytes_in.load(Relaxed)
    }

    /// Sent by producers in this process.
    pub fn bytes_out(&self) -> u64 {
        self.bytes_out.load(Relaxed)
    }

    /// Calls that are being served.
    pub fn running_exchanges(&self) -> usize {
        self.running_exchanges.load(Relaxed)
    }

    /// Tasks whose rows are being fetched by other processes.
    pub fn running_tasks(&self) -> usize {
        self.running_tasks.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn received(&self, bytes: u64) {
        self.bytes_in.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn sent(&self, bytes: u64) {
        self.bytes_out.fetch_add(bytes, Relaxed);
    }

    /// Counts one served call of a task until the guard is dropped.
    pub(crate) fn serve(self: &Arc<Self>, task: TaskKey) -> RunningTask {
        self.running_exchanges.fetch_add(1, Relaxed);
        let mut tasks = self.running_tasks.lock().unwrap_or_else(PoisonError::into_inner);
        *tasks.entry(task).or_default() += 1;
        drop(tasks);
        RunningTask { traffic: Arc::clone(self), task }
    }
}

/// One call that is being served.
#[derive(Debug)]
pub struct RunningTask {
    traffic: Arc<Traffic>,
    task: TaskKey,
}

impl Drop for RunningTask {
    fn drop(&mut self) {
        self.traffic.running_exchanges.fetch_sub(1, Relaxed);
        let mut tasks = self.traffic.running_tasks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(calls) = tasks.get_mut(&self.task) {
            *calls -= 1;
            if *calls == 0 {
                tasks.remove(&self.task);
            }
        }
    }
}
