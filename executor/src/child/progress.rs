//! Whether a child makes progress.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Shared by the tasks that feed and read one child. The child is *stalled* when no byte has moved
/// in either direction for a while although it was its turn: work lay with it, and the reader was
/// ready for what it might say.
#[derive(Debug)]
pub struct Progress {
    started: Instant,
    last_moved_millis: AtomicU64,
    work: AtomicUsize,
    reader_is_away: AtomicBool,
    /// When the reader left last, and for how long it was away before.
    left_millis: AtomicU64,
    away_millis: AtomicU64,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            last_moved_millis: AtomicU64::new(0),
            work: AtomicUsize::new(0),
            reader_is_away: AtomicBool::new(false),
            left_millis: AtomicU64::new(0),
            away_millis: AtomicU64::new(0),
        }
    }
}

impl Progress {
    /// Bytes moved to or from the child.
    pub fn moved(&self) {
        self.last_moved_millis.store(self.elapsed_millis(), Ordering::Relaxed);
    }

    /// A piece of work lies with the child now; its end is never [`Progress::end_work`]ed when it is
    /// the end of its input.
    pub fn begin_work(&self) {
        if self.work.fetch_add(1, Ordering::Relaxed) == 0 {
            self.moved();
        }
    }

    /// A piece of work is done.
    pub fn end_work(&self) {
        self.work.fetch_sub(1, Ordering::Relaxed);
        self.moved();
    }

    /// Awaits `delivery` of rows to the next operator; the child is not to blame meanwhile.
    pub async fn deliver<T>(&self, delivery: impl Future<Output = T>) -> T {
        let left = self.elapsed_millis();
        self.left_millis.store(left, Ordering::Relaxed);
        self.reader_is_away.store(true, Ordering::Relaxed);
        let result = delivery.await;
        self.away_millis.fetch_add(self.elapsed_millis() - left, Ordering::Relaxed);
        self.moved();
        self.reader_is_away.store(false, Ordering::Relaxed);
        result
    }

    /// Waits until the child has been stalled for `limit`; for ever when `limit` is zero.
    pub async fn stalled(&self, limit: Duration) {
        if limit.is_zero() {
            return std::future::pending().await;
        }
        self.quiet(limit, || self.work.load(Ordering::Relaxed) > 0).await;
    }

    /// Waits until nothing has moved for `limit`, whoever's turn it was.
    pub async fn silent(&self, limit: Duration) {
        self.quiet(limit, || true).await;
    }

    /// Waits until the child has lived for `limit`, not counting the time that its reader was away;
    /// for ever when `limit` is zero.
    pub async fn lived(&self, limit: Duration) {
        if limit.is_zero() {
            return std::future::pending().await;
        }
        self.nap_until(limit, || {
            let now = if self.reader_is_away.load(Ordering::Relaxed) {
                self.left_millis.load(Ordering::Relaxed)
            } else {
                self.elapsed_millis()
            };
            Duration::from_millis(now.saturating_sub(self.away_millis.load(Ordering::Relaxed)))
        })
        .await;
    }

    async fn quiet(&self, limit: Duration, is_its_turn: impl Fn() -> bool) {
        self.nap_until(limit, || if is_its_turn() { self.quiet_for() } else { Duration::ZERO })
            .await;
    }

    /// Looks at `passed` until it reaches `limit`, which it does not before that much time.
    async fn nap_until(&self, limit: Duration, passed: impl Fn() -> Duration) {
        const SHORTEST_NAP: Duration = Duration::from_millis(10);
        loop {
            let passed = passed();
            if passed >= limit {
                return;
            }
            tokio::time::sleep((limit - passed).max(SHORTEST_NAP)).await;
        }
    }

    fn quiet_for(&self) -> Duration {
        if self.reader_is_away.load(Ordering::Relaxed) {
            return Duration::ZERO;
        }
        let last = self.last_moved_millis.load(Ordering::Relaxed);
        Duration::from_millis(self.elapsed_millis().saturating_sub(last))
    }

    fn elapsed_millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
