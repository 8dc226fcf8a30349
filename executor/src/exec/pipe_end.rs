//! The end of a shell child, and whether it is a good one.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use super::pipe_task::PipeTask;
use crate::child::{ChildProcess, ChildStatus};
use crate::error::{OperatorError, OperatorFault};
use crate::operator::first_line;
use crate::shell::{self, COMMAND_NOT_FOUND, StatusPipe};

/// How long a program that wrote nonsense has to end, and say more.
const DYING: Duration = Duration::from_millis(500);

/// A child, and what is known of its end.
pub(super) struct ChildEnd<'a> {
    pub task: &'a PipeTask,
    pub child: ChildProcess,
    pub status_pipe: Option<StatusPipe>,
    /// The descriptor that the shells report on; negative where there are none.
    pub report: RawFd,
    pub exit: Option<ChildStatus>,
}

impl ChildEnd<'_> {
    /// Judges how the child exited.
    ///
    /// # Errors
    /// When it failed. Whatever it may have left running is killed then.
    pub(super) async fn judge(
        &mut self,
        exited: io::Result<ChildStatus>,
    ) -> Result<(), OperatorError> {
        let exited = exited.map_err(|error| self.task.error(0, error))?;
        self.exit = Some(exited);
        self.task.metrics.child_time.add_duration(self.child.cpu_time().unwrap_or_default());
        let codes = self.task.codes();
        let report = self.status_pipe.take().map(StatusPipe::read).unwrap_or_default();
        let verdict = match self.task.spec.ok_exit.as_slice() {
            [] => shell::verdict(&codes, exited, &report),
            ok_exit => shell::verdict_among(ok_exit, exited, &report),
        };
        let Err(failure) = verdict else { return Ok(()) };
        let words = self.child.last_words().await;
        let stderr = words.replace(&shell::trap(failure.position, self.report), "");
        // A program may exit with 127 by itself; a shell that finds no command says so.
        let is_told = |meaning: &&str| *meaning != COMMAND_NOT_FOUND || stderr.contains(*meaning);
        let meaning = failure.meaning.filter(is_told);
        let fault = OperatorFault::Shell {
            command: first_line(codes[failure.position]),
            status: failure.status,
            meaning,
        };
        Err(OperatorError { stderr, ..self.task.error(failure.position, fault) })
    }

    /// The same for a child that said nonsense: perhaps it is dying.
    pub(super) async fn judge_soon(&mut self) -> Result<(), OperatorError> {
        if self.exit.is_some() {
            return Ok(());
        }
        match tokio::time::timeout(DYING, self.child.exited()).await {
            Ok(exited) => self.judge(exited).await,
            Err(_) => Ok(()),
        }
    }
}
