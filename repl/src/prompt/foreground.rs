//! Programs that take over the terminal: a pager, an editor.

use std::ffi::OsStr;
use std::io;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Whether such a program has the terminal.
pub(super) fn is_busy() -> bool {
    RUNNING.load(Ordering::Relaxed) > 0
}

/// A program that has the terminal. Dropping it waits for its end: the user ends it.
#[derive(Debug)]
pub(super) struct Foreground {
    child: Child,
}

impl Foreground {
    /// Starts a command line with arguments behind it.
    ///
    /// # Errors
    /// When there is no shell.
    #[expect(
        clippy::disallowed_methods,
        reason = "it shares the terminal and the process group with the prompt, as no child of a query may"
    )]
    pub(super) fn start(command: &str, arguments: &[&OsStr], stdin: Stdio) -> io::Result<Self> {
        let line = match arguments {
            // `"$@"` behind an `fi` would be a mistake.
            [] => command.to_owned(),
            _ => format!("{command} \"$@\""),
        };
        let child = Command::new("/bin/sh")
            .arg("-c")
            .arg(line)
            .arg("sh")
            .args(arguments)
            .stdin(stdin)
            .spawn()?;
        RUNNING.fetch_add(1, Ordering::Relaxed);
        Ok(Self { child })
    }

    /// The way to its standard input, where that is a pipe.
    pub(super) fn stdin(&mut self) -> Option<&mut std::process::ChildStdin> {
        self.child.stdin.as_mut()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// When its status cannot be had.
    pub(super) fn wait(mut self) -> io::Result<ExitStatus> {
        drop(self.child.stdin.take());
        self.child.wait()
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait(); // it may have been waited for
        RUNNING.fetch_sub(1, Ordering::Relaxed);
    }
}
