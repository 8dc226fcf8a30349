//! The process groups of all children that live.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::guardian;

static LIVING: Mutex<Living> = Mutex::new(Living { groups: None, is_over: false });

struct Living {
    groups: Option<HashSet<libc::pid_t>>,
    /// The process is about to exit: what is started now must end at once.
    is_over: bool,
}

/// A process group of a child of ours; dropping it kills its members.
#[derive(Debug)]
pub(super) struct Group(libc::pid_t);

impl Group {
    pub(super) fn new(leader: libc::pid_t) -> Self {
        let mut living = living();
        if living.is_over {
            kill(leader);
        }
        living.groups.get_or_insert_default().insert(leader);
        Self(leader)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(groups) = living().groups.as_mut() {
            groups.remove(&self.0);
        }
        kill(self.0);
        guardian::forget(self.0);
    }
}

/// How many children of this process live.
pub fn count() -> usize {
    living().groups.as_ref().map_or(0, HashSet::len)
}

/// Kills every child and its group, at once, and what is started from now on: for a process that is
/// about to exit and cannot wait until each owner has let go.
pub fn kill_all() {
    let mut living = living();
    living.is_over = true;
    for group in living.groups.take().unwrap_or_default() {
        kill(group);
    }
    guardian::dismiss();
}

fn living() -> MutexGuard<'static, Living> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills all members of a group.
pub(super) fn kill(group: libc::pid_t) {
    // SAFETY: kill(2) has no memory effects. The number is the group of a child of ours; once its
    // leader is reaped and no member lives, the kernel could give it away, but goes through all
    // other numbers first.
    unsafe { libc::kill(-group, libc::SIGKILL) };
}
