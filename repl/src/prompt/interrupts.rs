//! Ctrl-C while something runs.

use std::io;
use std::time::Duration;

use gleam_sql_executor::child;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::report;

use super::foreground;

/// How long an ended task may take to let go of what it has, before the prompt comes back anyhow.
const LETTING_GO: Duration = Duration::from_millis(200);
/// How often the children are counted meanwhile.
const COUNTING: Duration = Duration::from_millis(5);

/// How something that ran has ended.
pub(super) enum Outcome<T> {
    /// By itself.
    Ended(T),
    /// By Ctrl-C.
    Interrupted,
    /// By an error of this program.
    Failed,
}

/// Hears of Ctrl-C. While one exists the signal does not end the process.
pub(super) struct Interrupts {
    _first: Signal,
}

impl Interrupts {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { _first: signal(SignalKind::interrupt())? })
    }

    /// Runs `work` to its end, or until Ctrl-C. A panic is told of.
    ///
    /// The work has a task of its own: it may sit in a write to the terminal.
    pub(super) async fn or_interrupted<T: Send + 'static>(
        &mut self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Outcome<T> {
        // It hears only of what comes from now on.
        let Ok(mut interrupt) = signal(SignalKind::interrupt()) else { return Outcome::Failed };
        let mut tasks = JoinSet::new();
        tasks.spawn(work);
        tokio::select! {
            ended = tasks.join_next() => match ended {
                Some(Ok(value)) => Outcome::Ended(value),
                Some(Err(error)) => {
                    report::say(&format!("error: gleam-sql itself failed: {error}\n"));
                    Outcome::Failed
                }
                None => Outcome::Failed,
            },
            _ = interrupt.recv() => {
                tasks.abort_all();
                end(tasks).await;
                Outcome::Interrupted
            }
        }
    }
}

/// Waits until what was aborted has let go, with its children, within limits. A pager or an editor
/// that has the terminal has it until the user leaves it.
async fn end<T: 'static>(mut tasks: JoinSet<T>) {
    let ended = timeout(LETTING_GO, tasks.join_next()).await;
    if ended.is_err() && foreground::is_busy() {
        tasks.join_next().await;
    }
    let no_child = async {
        while child::count() > 0 {
            sleep(COUNTING).await;
        }
    };
    // One that is still there is dying: its group was killed when its owner let go.
    let _ = timeout(LETTING_GO / 4, no_child).await;
}
