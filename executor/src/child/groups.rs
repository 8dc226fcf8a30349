//! The process groups of all children that live.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

static LIVING: Mutex<Option<HashSet<libc::pid_t>>> = Mutex::new(None);

/// A process group of a child of ours; dropping it kills its members.
#[derive(Debug)]
pub(super) struct Group(libc::pid_t);

impl Group {
    pub(super) fn new(leader: libc::pid_t) -> Self {
        living().get_or_insert_default().insert(leader);
        Self(leader)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(groups) = living().as_mut() {
            groups.remove(&self.0);
        }
        kill(self.0);
    }
}

/// Kills every child and its group, at once: for a process that is about to exit and cannot wait
/// until each owner has let go.
pub fn kill_all() {
    for group in living().take().unwrap_or_default() {
        kill(group);
    }
}

fn living() -> MutexGuard<'static, Option<HashSet<libc::pid_t>>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn kill(group: libc::pid_t) {
    // SAFETY: kill(2) has no memory effects. The number is the group of a child of ours, which the
    // kernel does not give away while a member lives or the leader is unreaped; a group that ended
    // in this moment makes the call fail.
    unsafe { libc::kill(-group, libc::SIGKILL) };
}
