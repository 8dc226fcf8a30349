//! The threads of connections, which run nothing else.
//!
//! An operator may keep a thread busy for seconds, and the operators of a query all threads of a
//! machine. Were connections looked after by the same threads, nobody would answer their pings
//! meanwhile, and the other side would take a busy agent for a lost one.

use std::sync::OnceLock;

use datafusion::common::runtime::SpawnedTask;
use tokio::runtime::{Builder, Runtime};

/// What they do takes little time: one may encrypt while the other reads.
const THREADS: usize = 2;

/// Starts `work` on these threads; it ends when the task is dropped. Sockets that it opens, and tasks
/// that it starts, stay there too.
pub(crate) fn spawn<F>(work: F) -> SpawnedTask<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    static NETWORK: OnceLock<Option<Runtime>> = OnceLock::new();
    // Where there cannot be more threads, those of the operators have to do.
    let _entered = NETWORK.get_or_init(start).as_ref().map(Runtime::enter);
    SpawnedTask::spawn(work)
}

fn start() -> Option<Runtime> {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(THREADS).thread_name("network").enable_all().build().ok()
}
