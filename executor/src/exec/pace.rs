//! How many rows a Lua child is given at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Rows of the first batch to a child: few, since nobody knows yet how slow its functions are.
const FIRST_ROWS: usize = 8;
/// What a batch grows by at most.
const GROWTH: usize = 8;
/// What a batch should take at most: rows should come out soon after they went in. (A child shows
/// progress inside a batch too, but looks at the clock only every few rows.)
const TARGET: Duration = Duration::from_millis(250);

/// The size of the next batch, by how long the last ones took.
#[derive(Debug)]
pub(super) struct Pace {
    rows: AtomicUsize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { rows: AtomicUsize::new(FIRST_ROWS) }
    }
}

impl Pace {
    /// How many rows the next batch may have.
    pub(super) fn rows(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }

    /// The child worked on a batch of `rows` for `elapsed`.
    pub(super) fn done(&self, rows: usize, elapsed: Duration) {
        let possible = rows as f64 * (TARGET.as_secs_f64() / elapsed.as_secs_f64().max(1e-9));
        // Casts from floats saturate.
        let next = (possible as usize).clamp(1, self.rows().saturating_mul(GROWTH));
        self.rows.store(next, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_functions() {
        let pace = Pace::default();
        assert_eq!(pace.rows(), 8);
        pace.done(8, Duration::from_millis(1));
        assert_eq!(pace.rows(), 64, "fast functions get more, but not all at once");
        pace.done(64, Duration::from_secs(1));
        assert_eq!(pace.rows(), 16);
        pace.done(16, Duration::from_secs(1000));
        assert_eq!(pace.rows(), 1, "a row a time at the least");
        pace.done(0, Duration::ZERO);
        assert_eq!(pace.rows(), 1);
    }
}
