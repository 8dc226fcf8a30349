//! How far a query is, on one line of standard error, after half a second.
//!
//! **Invariant:** where standard error is no terminal, or says that it is a dumb one, nothing is drawn.
//!
//! **Invariant:** the line is gone before a row is shown on a terminal and before anything else is said.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use datafusion::common::runtime::SpawnedTask;
use datafusion::physical_plan::ExecutionPlan;
use gleam_sql_executor::child;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::destination::Destination;
use crate::measure::{self, Scanned};
use crate::report;

/// A query that is faster than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);
const INTERVAL: Duration = Duration::from_millis(100);
/// A rate and the time that is left need some time to be worth something.
const LEAST_SHARE: f64 = 0.005;

/// The line that is shown now: whoever writes to the terminal takes it away first.
static LINE: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// The line of one query; it ends with this.
pub(crate) struct Progress {
    is_over: Arc<AtomicBool>,
    _task: Option<SpawnedTask<()>>,
}

impl Progress {
    /// Watches a plan that runs.
    pub(crate) fn start(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        if !is_wanted() {
            return Self { is_over, _task: None };
        }
        let (plan, ended) = (Arc::clone(plan), Arc::clone(&is_over));
        let task = SpawnedTask::spawn(async move {
            let started = Instant::now();
            tokio::time::sleep(PATIENCE).await;
            let stages = stages(&plan);
            while !ended.load(Ordering::Relaxed) {
                let (scanned, children) = (Scanned::of(&plan), child::count());
                show(&ended, &line(&scanned, children, stages, started.elapsed()));
                tokio::time::sleep(INTERVAL).await;
            }
        });
        Self { is_over, _task: Some(task) }
    }

    /// `out`, to which nothing is written while the line is on the same terminal.
    pub(crate) fn clear_before<'a>(&'a self, out: &'a mut Destination) -> Clearing<'a> {
        let progress = out.is_terminal().then_some(self);
        Clearing { out, progress }
    }

    /// Takes the line away, for good.
    fn end(&self) {
        let mut line = shown_line();
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(bar) = line.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

/// A destination before which the line goes away.
pub(crate) struct Clearing<'a> {
    out: &'a mut Destination,
    progress: Option<&'a Progress>,
}

impl Write for Clearing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(progress) = self.progress.take() {
            progress.end();
        }
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Runs `write`, which writes to standard error, while the line is away.
pub(crate) fn aside<T>(write: impl FnOnce() -> T) -> T {
    let line = shown_line();
    match line.as_ref() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Takes the line away: the process is about to exit.
pub(crate) fn clear() {
    if let Some(bar) = shown_line().take() {
        bar.finish_and_clear();
    }
}

fn is_wanted() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    !report::is_quiet() && !is_dumb && io::stderr().is_terminal()
}

fn show(ended: &AtomicBool, text: &str) {
    let mut line = shown_line();
    // Under the lock: nothing is drawn behind the end.
    if ended.load(Ordering::Relaxed) {
        return;
    }
    let bar = line.get_or_insert_with(|| {
        let target = ProgressDrawTarget::stderr();
        let bar = ProgressBar::with_draw_target(None, target);
        match ProgressStyle::with_template("{msg}") {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    });
    let size = terminal_size::terminal_size_of(io::stderr());
    let columns = size.map_or(80, |(width, _)| usize::from(width.0)).saturating_sub(1);
    bar.set_message(text.chars().take(columns).collect::<String>());
    bar.tick();
}

fn shown_line() -> MutexGuard<'static, Option<ProgressBar>> {
    LINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The stages of a plan on agents; 0 for one that runs here.
fn stages(plan: &Arc<dyn ExecutionPlan>) -> usize {
    fn exchanges(plan: &Arc<dyn ExecutionPlan>) -> usize {
        let own = usize::from(plan.name().starts_with("Network"));
        own + plan.children().into_iter().map(exchanges).sum::<usize>()
    }
    exchanges(plan)
}

/// `1.2 GiB of 4.0 GiB (30 %), 12,345,678 rows, 410.0 MiB/s, 2 children, 3.0 s, about 7.0 s left`
fn line(scanned: &Scanned, children: usize, stages: usize, time: Duration) -> String {
    let mut parts = Vec::new();
    let share = scanned.total_bytes.map(|total| (scanned.bytes as f64 / total as f64).min(1.0));
    match (scanned.total_bytes, share) {
        (Some(total), Some(share)) if stages == 0 => {
            let (read, total) = (measure::bytes(scanned.bytes), measure::bytes(total));
            parts.push(format!("{read} of {total} ({:.0} %)", share * 100.0));
        }
        _ if scanned.bytes > 0 => parts.push(measure::bytes(scanned.bytes)),
        _ => {}
    }
    if scanned.rows > 0 {
        parts.push(format!("{} rows", measure::grouped(scanned.rows)));
    }
    let seconds = time.as_secs_f64();
    if scanned.bytes > 0 && seconds > 0.0 {
        parts.push(format!("{}/s", measure::bytes((scanned.bytes as f64 / seconds) as u64)));
    }
    match children {
        0 => {}
        1 => parts.push("1 child".to_owned()),
        more => parts.push(format!("{more} children")),
    }
    if stages > 0 {
        parts.push(format!("{stages} stage{} on agents", if stages == 1 { "" } else { "s" }));
    }
    parts.push(measure::duration(time));
    if let Some(share) = share.filter(|share| stages == 0 && (LEAST_SHARE..1.0).contains(share)) {
        let left = Duration::from_secs_f64(seconds / share * (1.0 - share));
        parts.push(format!("about {} left", measure::duration(left)));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_tells_what_is_known() {
        let check = |scanned, children, stages, milliseconds, expected: &str| {
            let time = Duration::from_millis(milliseconds);
            assert_eq!(line(&scanned, children, stages, time), expected);
        };
        let half = Scanned { bytes: 1 << 30, total_bytes: Some(2 << 30), rows: 12_345 };
        check(
            half,
            2,
            0,
            2000,
            "1.0 GiB of 2.0 GiB (50 %), 12,345 rows, 512.0 MiB/s, 2 children, 2.00 s, \
             about 2.00 s left",
        );
        let unknown = Scanned { bytes: 2048, total_bytes: None, rows: 1 };
        check(unknown, 1, 0, 1000, "2.0 KiB, 1 rows, 2.0 KiB/s, 1 child, 1.00 s");
        check(Scanned::default(), 0, 0, 700, "0.70 s");
        check(Scanned::default(), 0, 2, 700, "2 stages on agents, 0.70 s");
        let all = Scanned { bytes: 10, total_bytes: Some(10), rows: 0 };
        check(all, 0, 0, 1000, "10 B of 10 B (100 %), 10 B/s, 1.00 s");
    }
}
