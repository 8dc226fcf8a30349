//! Feeding a child.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::common::runtime::SpawnedTask;
use datafusion::error::{DataFusionError, Result};
use futures::FutureExt;
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;

use crate::child::Progress;

/// How much a pipe to or from a child may hold: the most that the kernel grants to everybody.
const PIPE_BYTES: libc::c_int = 1024 * 1024;

/// The task that writes to a child's stdin. Dropping it stops the writing.
#[derive(Debug)]
pub(super) struct Feeder {
    task: SpawnedTask<()>,
    failure: Arc<Mutex<Option<DataFusionError>>>,
}

/// What a feeder writes to. When the child has closed its end, writing reports that and is a normal
/// end.
#[derive(Debug)]
pub(super) struct ChildInput {
    stdin: ChildStdin,
    pub(super) progress: Arc<Progress>,
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
    /// Runs `feed`. Its failure is recorded before the child's input is closed, so that whoever
    /// sees the child end also sees why.
    pub(super) fn start<F, T>(input: ChildInput, feed: F) -> Self
    where
        F: FnOnce(ChildInput) -> T + Send + 'static,
        T: Future<Output = (ChildInput, Result<()>)> + Send + 'static,
    {
        let failure = Arc::new(Mutex::new(None));
        let recorded = Arc::clone(&failure);
        let progress = Arc::clone(&input.progress);
        let task = SpawnedTask::spawn(async move {
            let (input, result) = feed(input).await;
            *recorded.lock().unwrap_or_else(PoisonError::into_inner) = result.err();
            // No more work will come; what the child still has to do is its turn.
            progress.begin_work();
            drop(input);
        });
        Self { task, failure }
    }

    /// Ends the feeding: call it when the child has ended.
    pub(super) async fn finish(self) -> Result<()> {
        if let Some(failure) = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(failure);
        }
        // A task that still waits for rows is dropped, and with it ends; a panic of it is passed on.
        if let Some(Err(error)) = self.task.join_unwind().now_or_never() {
            return Err(DataFusionError::External(error.into()));
        }
        Ok(())
    }
}

impl ChildInput {
    pub(super) fn new(stdin: ChildStdin, progress: Arc<Progress>) -> Self {
        widen_pipe(&stdin);
        Self { stdin, progress }
    }

    /// Writes all of `bytes`.
    pub(super) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<Fed> {
        while !bytes.is_empty() {
            match self.stdin.write(bytes).await {
                Ok(written) => bytes = &bytes[written..],
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
