//! Ctrl-C, and the other ways to be told to end.

use std::time::Duration;

use datafusion::common::runtime::SpawnedTask;
use tokio::signal::unix::{SignalKind, signal};

/// What a shell sees of a process that signal n ended is 128 + n.
const SIGNAL_BASE: i32 = 128;

/// Runs `work` to its end, or until the process is told to end or `limit` is over; gives the exit
/// status.
///
/// The work has a task of its own: it may sit in a write to a reader that sleeps, and must not
/// keep the signal from being seen. The caller exits next, which ends it.
pub(crate) async fn or_interrupted(
    limit: Option<Duration>,
    work: impl Future<Output = i32> + Send + 'static,
) -> i32 {
    let work = SpawnedTask::spawn(work);
    tokio::select! {
        status = work.join() => status.unwrap_or_else(failed),
        status = over(limit) => status,
        status = received(SignalKind::interrupt()) => status,
        status = received(SignalKind::terminate()) => status,
        status = received(SignalKind::hangup()) => status,
        status = received(SignalKind::quit()) => status,
    }
}

/// Runs `work` to its end, or until the process is told to end by anything but Ctrl-C, which is for
/// the work; gives the exit status.
pub(crate) async fn or_terminated(work: impl Future<Output = i32> + Send + 'static) -> i32 {
    let work = SpawnedTask::spawn(work);
    tokio::select! {
        status = work.join() => status.unwrap_or_else(failed),
        status = received(SignalKind::terminate()) => status,
        status = received(SignalKind::hangup()) => status,
        status = received(SignalKind::quit()) => status,
    }
}

fn failed(error: tokio::task::JoinError) -> i32 {
    crate::report::say(&format!("error: gleam-sql itself failed: {error}\n"));
    crate::report::RUNTIME_FAILURE
}

/// Waits until the limit is over, and says so.
async fn over(limit: Option<Duration>) -> i32 {
    let Some(limit) = limit else { return std::future::pending().await };
    tokio::time::sleep(limit).await;
    let time = crate::measure::duration(limit);
    crate::report::say(&format!("error: it took longer than {time}, the limit of --timeout\n"));
    crate::report::TIMEOUT_FAILURE
}

/// Waits until the process is told to end by any signal that means that.
pub(crate) async fn told_to_end() {
    tokio::select! {
        _ = received(SignalKind::interrupt()) => {}
        _ = received(SignalKind::terminate()) => {}
        _ = received(SignalKind::hangup()) => {}
        _ = received(SignalKind::quit()) => {}
    }
}

/// Waits for a signal; gives the exit status that tells of it.
async fn received(kind: SignalKind) -> i32 {
    if is_ignored(kind) {
        return std::future::pending().await;
    }
    match signal(kind) {
        Ok(mut signals) => {
            signals.recv().await;
            SIGNAL_BASE + kind.as_raw_value()
        }
        Err(_) => std::future::pending().await,
    }
}

/// Whether the process was started to ignore a signal, as `nohup` does with SIGHUP. That stands.
fn is_ignored(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}
