//! Feeding a child.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::metrics::Count;
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::child::Progress;

/// How much a pipe to or from a child may hold: the most that the kernel grants to everybody.
const PIPE_BYTES: libc::c_int = 1024 * 1024;

/// The task that writes to a child's stdin. Dropping it stops the writing.
#[derive(Debug)]
pub(super) struct Feeder {
    task: JoinSet<()>,
    /// The outcome is sent before the child's input is closed, so that whoever sees the child end
    /// for want of input can learn why.
    outcome: oneshot::Receiver<Result<()>>,
    is_done: bool,
}

/// What a feeder writes to. When the child has closed its end, writing reports that and is a normal
/// end.
#[derive(Debug)]
pub(super) struct ChildInput {
    stdin: ChildStdin,
    pub(super) progress: Arc<Progress>,
    written_bytes: Count,
}

/// Whether the child still reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fed {
    /// Everything was taken.
    Taken,
    /// The child has closed its input.
    Refused,
}

impl Feeder {
    /// Runs `feed`.
    pub(super) fn start<F, T>(input: ChildInput, feed: F) -> Self
    where
        F: FnOnce(ChildInput) -> T + Send + 'static,
        T: Future<Output = (ChildInput, Result<()>)> + Send + 'static,
    {
        let (sender, outcome) = oneshot::channel();
        let progress = Arc::clone(&input.progress);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let (input, result) = feed(input).await;
            // Nobody listens when the query has ended meanwhile.
            let _ = sender.send(result);
            // No more work will come; what the child still has to do is its turn.
            progress.begin_work();
            drop(input);
        });
        Self { task, outcome, is_done: false }
    }

    /// Waits for the feeding to fail; for ever when it does not.
    pub(super) async fn failure(&mut self) -> DataFusionError {
        if !self.is_done {
            let outcome = (&mut self.outcome).await;
            self.is_done = true;
            match outcome {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error,
                Err(_) => return died(),
            }
        }
        std::future::pending().await
    }

    /// Ends the feeding: call it when the child has ended, which may be before its input has.
    pub(super) async fn finish(mut self) -> Result<()> {
        self.task.abort_all();
        while let Some(joined) = self.task.join_next().await {
            if joined.is_err_and(|error| error.is_panic()) {
                return Err(died());
            }
        }
        if self.is_done {
            return Ok(());
        }
        // A feeder that still waited for rows leaves no outcome.
        self.outcome.try_recv().unwrap_or(Ok(()))
    }
}

fn died() -> DataFusionError {
    DataFusionError::Internal("the task that feeds a child panicked".to_owned())
}

impl ChildInput {
    pub(super) fn new(stdin: ChildStdin, progress: Arc<Progress>) -> Self {
        widen_pipe(&stdin);
        Self { stdin, progress, written_bytes: Count::new() }
    }

    /// Adds what is written to `written_bytes`.
    pub(super) fn counting(self, written_bytes: &Count) -> Self {
        Self { written_bytes: written_bytes.clone(), ..self }
    }

    /// Writes all of `bytes`.
    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<Fed> {
        while !bytes.is_empty() {
            match self.stdin.write(bytes).await {
                Ok(written) => {
                    self.written_bytes.add(written);
                    bytes = &bytes[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Fed::Refused),
                Err(error) => return Err(error),
            }
            self.progress.moved();
        }
        Ok(Fed::Taken)
    }
}

/// Lets the pipe hold more than the usual 64 KiB, for fewer switches between the processes.
pub(super) fn widen_pipe(pipe: &impl AsRawFd) {
    // SAFETY: fcntl(2) with F_SETPIPE_SZ has no memory effects. A refusal leaves the pipe as it was.
    unsafe { libc::fcntl(pipe.as_raw_fd(), libc::F_SETPIPE_SZ, PIPE_BYTES) };
}
