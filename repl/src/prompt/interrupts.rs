//! Ctrl-C while something runs.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use gleam_sql_executor::child;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Mutex;
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
    signal: Arc<Mutex<Signal>>,
}

impl Interrupts {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { signal: Arc::new(Mutex::new(signal(SignalKind::interrupt())?)) })
    }

    /// What forgets all that was heard, to be called while Ctrl-C is still a key of the editor: what
    /// comes from then on is for the work that was entered, even before that has begun.
    pub(super) fn forget(&self) -> impl Fn() + Send + Sync + 'static {
        let signal = Arc::clone(&self.signal);
        move || {
            // Nobody else listens while the user types.
            if let Ok(mut signal) = signal.try_lock() {
                while signal.recv().now_or_never().flatten().is_some() {}
            }
        }
    }

    /// Runs `work` to its end, or until Ctrl-C. A panic is told of.
    ///
    /// The work has a task of its own: it may sit in a write to the terminal.
    pub(super) async fn or_interrupted<T: Send + 'static>(
        &mut self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Outcome<T> {
        let mut interrupt = self.signal.lock().await;
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
