//! Whether a child makes progress.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Shared by the tasks that feed and read one child. The child is *stalled* when no byte has
/// passed in either direction for a while although it was the child's turn: the feeder had bytes
/// for it, or had already closed its input.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    last_moved_millis: AtomicU64,
    starved: AtomicBool,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            last_moved_millis: AtomicU64::new(0),
            starved: AtomicBool::new(true),
        }
    }
}

impl Progress {
    /// Bytes moved to or from the child.
    pub fn moved(&self) {
        self.last_moved_millis.store(self.elapsed_millis(), Ordering::Relaxed);
    }

    /// The feeder waits for rows (`true`): a silent child is not to blame. Or it has bytes for the
    /// child, or none will come any more (`false`): the clock starts anew.
    pub fn set_starved(&self, starved: bool) {
        self.starved.store(starved, Ordering::Relaxed);
        self.moved();
    }

    /// How long it has been the child's turn without a byte moving.
    pub fn stalled_for(&self) -> Duration {
        if self.starved.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        let last = self.last_moved_millis.load(Ordering::Relaxed);
        Duration::from_millis(self.elapsed_millis().saturating_sub(last))
    }

    fn elapsed_millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Waits until the child has been stalled for `limit`. Never returns when `limit` is zero.
    pub async fn stalled(&self, limit: Duration) {
        if limit.is_zero() {
            return std::future::pending().await;
        }
        loop {
            let stalled = self.stalled_for();
            if stalled >= limit {
                return;
            }
            tokio::time::sleep((limit - stalled).max(Duration::from_millis(10))).await;
        }
    }
}
