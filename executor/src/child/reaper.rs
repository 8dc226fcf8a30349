//! The one thread that reaps children whose owners have let go of them.
//!
//! Such a child has been killed and is dead in a moment. Tokio would look for it at the next SIGCHLD,
//! which may have come already.

use std::sync::OnceLock;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use tokio::process::Child;

/// How long a killed child may take to be dead; one that is stuck in the kernel is left to init.
const PATIENCE: Duration = Duration::from_secs(5);
const NAP: Duration = Duration::from_millis(1);

/// Reaps a child that has been killed.
pub(super) fn reap(child: Child) {
    static REAPER: OnceLock<Option<Sender<Child>>> = OnceLock::new();
    if let Some(reaper) = REAPER.get_or_init(start) {
        // Should the thread be gone, tokio still has its own way.
        let _ = reaper.send(child);
    }
}

fn start() -> Option<Sender<Child>> {
    let (sender, children) = channel::<Child>();
    let work = move || {
        let mut dying: Vec<(Child, Instant)> = Vec::new();
        loop {
            // With nobody to reap there is nothing to do but wait for the next one.
            let next = if dying.is_empty() {
                children.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                children.recv_timeout(NAP)
            };
            match next {
                Ok(child) => dying.push((child, Instant::now() + PATIENCE)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            dying.retain_mut(|(child, deadline)| {
                matches!(child.try_wait(), Ok(None)) && Instant::now() < *deadline
            });
        }
    };
    std::thread::Builder::new().name("child-reaper".to_owned()).spawn(work).ok()?;
    Some(sender)
}
