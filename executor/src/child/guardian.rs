//! The guardian: who ends the children of a process that was killed.
//!
//! The kernel kills a child when its parent dies, but not the child's own children: a `sleep` in a
//! shell would live on. So each process that starts children starts one guardian first, in a session
//! of its own, and tells it of every process group on a pipe. The pipe ends when its writer does,
//! however that comes about, and then the guardian kills the groups that still live.

use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::sync::OnceLock;

use super::{groups, process};

static PIPE: OnceLock<Option<io::PipeWriter>> = OnceLock::new();

/// The message that nothing is left to guard.
const DISMISSAL: libc::pid_t = 0;

/// The argument that makes this program a guardian.
pub(super) const REQUEST: &str = "__guardian";

/// Tells the guardian, whose pipe is `descriptor`, of the group that the calling process leads. For a
/// child before it becomes a program: nothing that it starts can come before.
pub(super) fn watch_this_process(descriptor: Option<RawFd>) {
    let Some(descriptor) = descriptor else { return };
    // SAFETY: getpid(2) and write(2) are safe between fork and exec; the buffer is on the stack.
    unsafe {
        let group = libc::getpid();
        libc::write(descriptor, (&raw const group).cast(), size_of::<libc::pid_t>());
    }
}

/// Tells the guardian that a group has ended.
pub(super) fn forget(group: libc::pid_t) {
    tell(-group);
}

/// Sends the guardian away, if there is one: every group has been ended.
pub(super) fn dismiss() {
    if PIPE.get().is_some() {
        tell(DISMISSAL);
    }
}

/// A positive number is a group that lives, a negative one a group that has ended. A guardian that
/// is not there is no reason to fail: it matters only if this process is killed.
fn tell(message: libc::pid_t) {
    if let Some(mut pipe) = appoint() {
        let _ = pipe.write_all(&message.to_ne_bytes());
    }
}

/// Starts the guardian, unless there is one.
pub(super) fn appoint() -> Option<&'static io::PipeWriter> {
    PIPE.get_or_init(|| start().ok()).as_ref()
}

#[expect(clippy::disallowed_methods, reason = "the guardian is no child that a query owns")]
fn start() -> io::Result<io::PipeWriter> {
    let (reader, writer) = io::pipe()?;
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("gleam-sql")
        .arg(REQUEST)
        .env_clear()
        .stdin(Stdio::from(OwnedFd::from(reader)))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // SAFETY: the closure only makes system calls that are safe between fork and exec.
    unsafe {
        command.pre_exec(|| {
            process::close_descriptors(None);
            match libc::setsid() {
                -1 => Err(io::Error::last_os_error()),
                _ => Ok(()),
            }
        });
    }
    // It forks and exits at once, so that it is nobody's child that somebody waits for.
    command.status()?;
    Ok(writer)
}

/// The life of a guardian: reads numbers from stdin to its end, then kills the groups left.
pub(super) fn run() -> ExitCode {
    // SAFETY: the process has one thread, so fork(2) copies all there is.
    if unsafe { libc::fork() } > 0 {
        return ExitCode::SUCCESS;
    }
    let mut living = HashSet::new();
    let mut message = [0; size_of::<libc::pid_t>()];
    let mut input = io::stdin().lock();
    while input.read_exact(&mut message).is_ok() {
        let group = libc::pid_t::from_ne_bytes(message);
        if group == DISMISSAL {
            return ExitCode::SUCCESS;
        }
        if group > 1 {
            living.insert(group);
        } else {
            living.remove(&group.wrapping_neg());
        }
    }
    living.into_iter().for_each(groups::kill);
    ExitCode::SUCCESS
}
