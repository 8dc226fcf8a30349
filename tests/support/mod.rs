//! What tests of the real binary share: running it, watching its processes, and logs to run it on.

pub(crate) mod agents;
pub(crate) mod gleam;
pub(crate) mod log;
pub(crate) mod processes;
pub(crate) mod running;
pub(crate) mod terminal;
pub(crate) mod tty;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use agents::Agent;
pub(crate) use gleam::{Gleam, Place, check, check_as, check_unordered, fails, succeeds};
pub(crate) use log::AccessLog;
pub(crate) use processes::wait_until;
pub(crate) use running::Running;
pub(crate) use terminal::Terminal;
pub(crate) use tty::Tty;

/// Lets one test at a time use hundreds of megabytes.
pub(crate) fn heavy() -> MutexGuard<'static, ()> {
    static HEAVY: Mutex<()> = Mutex::new(());
    HEAVY.lock().unwrap_or_else(PoisonError::into_inner)
}
