//! Ctrl-C.

use tokio::signal::unix::{SignalKind, signal};

/// What a shell sees of a process that SIGINT ended.
const INTERRUPTED: i32 = 130;
/// The same for SIGTERM.
const TERMINATED: i32 = 143;

/// Runs `work` to its end, or until the user interrupts it; gives the exit status.
///
/// The work has a task of its own: it may sit in a write to a reader that sleeps, and must not
/// keep the signal from being seen. The caller exits next, which ends it.
pub(crate) async fn or_interrupted(work: impl Future<Output = i32> + Send + 'static) -> i32 {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return work.await;
    };
    let work = tokio::spawn(work);
    tokio::select! {
        status = work => status.unwrap_or_else(|error| {
            eprintln!("error: gleam-sql itself failed: {error}");
            crate::report::RUNTIME_FAILURE
        }),
        _ = interrupt.recv() => INTERRUPTED,
        _ = terminate.recv() => TERMINATED,
    }
}
