//! How far a query is, on one line of standard error, after half a second.
//!
//! **Invariant:** where standard error is no terminal, or says that it is a dumb one, nothing is drawn.
//!
//! **Invariant:** the line is gone before a row is shown on a terminal and before anything else is said.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use datafusion::physical_plan::ExecutionPlan;
use gleam_sql_executor::child;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::measure::{self, Scanned};
use crate::{paint, report};

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
    watcher: Option<Watcher>,
}

/// A thread of its own: scans that never wait keep the threads of the runtime busy for seconds.
struct Watcher {
    /// The thread ends when this is dropped.
    _end: Sender<()>,
    _thread: JoinHandle<()>,
}

impl Progress {
    /// Watches a plan that is about to run.
    pub(crate) fn start(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let watcher = is_wanted().then(|| watch(Arc::clone(plan), Arc::clone(&is_over)));
        // Without a thread the query runs as well.
        Self { is_over, watcher: watcher.and_then(io::Result::ok) }
    }

    /// The line of what nobody has to wait for.
    pub(crate) fn none() -> Self {
        Self { is_over: Arc::new(AtomicBool::new(true)), watcher: None }
    }

    /// `out`, to which nothing is written while the line is on the same terminal.
    pub(crate) fn clear_before<W: Write>(&self, out: W, is_terminal: bool) -> Clearing<'_, W> {
        Clearing { out, progress: is_terminal.then_some(self) }
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
        self.watcher = None;
    }
}

fn watch(plan: Arc<dyn ExecutionPlan>, is_over: Arc<AtomicBool>) -> io::Result<Watcher> {
    let (end, ended) = channel();
    let started = Instant::now();
    // Agents of this machine are children too.
    let others = child::count();
    let thread = std::thread::Builder::new().name("progress".to_owned()).spawn(move || {
        let stages = stages(&plan);
        let mut pause = PATIENCE;
        while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
            let (scanned, children) = (Scanned::of(&plan), child::count().saturating_sub(others));
            show(&is_over, &line(&scanned, children, stages, started.elapsed()));
            pause = INTERVAL;
        }
    })?;
    Ok(Watcher { _end: end, _thread: thread })
}

/// A destination before which the line goes away.
pub(crate) struct Clearing<'a, W> {
    out: W,
    progress: Option<&'a Progress>,
}

impl<W: Write> Write for Clearing<'_, W> {
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
    !report::is_quiet() && !paint::is_dumb() && io::stderr().is_terminal()
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
    // The line is as wide as the terminal: behind it, the `^C` of a terminal would begin another one,
    // and this one would stay. A terminal that cannot be written to shows nothing anyhow.
    let _ = io::stderr().write_all(b"\r");
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

/// `1.2 GiB of 4.0 GiB (30 %), 7 s left, 12,345,678 rows, 410.0 MiB/s, 2 children, 3 s`: what matters most
/// stands first, as a narrow terminal cuts the rest off.
fn line(scanned: &Scanned, children: usize, stages: usize, time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let read = measure::bytes(scanned.bytes);
    let mut parts = Vec::new();
    match scanned.total_bytes {
        // What agents read is known when they have ended.
        Some(total) if stages == 0 => {
            let share = (scanned.bytes as f64 / total as f64).min(1.0);
            parts.push(format!("{read} of {} ({:.0} %)", measure::bytes(total), share * 100.0));
            if (LEAST_SHARE..1.0).contains(&share) {
                parts.push(format!("{} left", rounded(seconds / share * (1.0 - share))));
            }
        }
        _ if scanned.bytes > 0 => parts.push(read),
        _ => {}
    }
    if scanned.rows > 0 {
        parts.push(counted(scanned.rows, "row", "rows"));
    }
    if scanned.bytes > 0 && seconds > 0.0 {
        parts.push(format!("{}/s", measure::bytes((scanned.bytes as f64 / seconds) as u64)));
    }
    if children > 0 {
        parts.push(counted(children as u64, "child", "children"));
    }
    if stages > 0 {
        parts.push(format!("{} on agents", counted(stages as u64, "stage", "stages")));
    }
    parts.push(rounded(seconds));
    parts.join(", ")
}

fn counted(count: u64, one: &str, more: &str) -> String {
    format!("{} {}", measure::grouped(count), if count == 1 { one } else { more })
}

/// A time that changes every second at the most.
fn rounded(seconds: f64) -> String {
    match seconds.round() as u64 {
        whole @ 0..60 => format!("{whole} s"),
        whole => measure::duration(Duration::from_secs(whole)),
    }
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
        let expected =
            "1.0 GiB of 2.0 GiB (50 %), 2 s left, 12,345 rows, 512.0 MiB/s, 2 children, 2 s";
        check(half, 2, 0, 2000, expected);
        let unknown = Scanned { bytes: 2048, total_bytes: None, rows: 1 };
        check(unknown, 1, 0, 1000, "2.0 KiB, 1 row, 2.0 KiB/s, 1 child, 1 s");
        check(Scanned::default(), 0, 0, 700, "1 s");
        check(Scanned::default(), 0, 2, 61_000, "2 stages on agents, 1 min 1 s");
        let all = Scanned { bytes: 10, total_bytes: Some(10), rows: 0 };
        check(all, 0, 0, 1000, "10 B of 10 B (100 %), 10 B/s, 1 s");
    }
}
