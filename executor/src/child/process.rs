//! A running child.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::exit_watch::ExitWatch;
use super::groups::Group;
use super::stderr::StderrTail;
use super::{environment, guardian, reaper, spawner};

/// What to start.
#[derive(Debug)]
pub struct ChildCommand {
    /// The program: a path, or a name that is searched in `PATH`.
    pub program: OsString,
    /// What the program sees as its own name.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Limit on the address space, in bytes.
    pub address_space_bytes: Option<u64>,
    /// A descriptor that the child keeps under the same number.
    pub inherited: Option<OwnedFd>,
}

/// A child and the pipes to it. It leads a process group of its own.
#[derive(Debug)]
pub struct ChildProcess {
    /// There until the child is dropped.
    child: Option<Child>,
    group: Option<Group>,
    stderr: StderrTail,
    /// There until the child has ended.
    watch: Option<ExitWatch>,
    cpu_time: Option<Duration>,
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildStatus {
    /// It exited by itself with this status.
    Exited(i32),
    /// This signal killed it.
    Signalled(i32),
}

impl ChildProcess {
    /// Starts `command`; returns the child and its stdin and stdout.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub async fn start(command: ChildCommand) -> io::Result<(Self, ChildStdin, ChildStdout)> {
        let (mut child, group) = spawner::spawn(prepare(&command), command.inherited).await?;
        let missing = || io::Error::other("the child has no pipes");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let errors = child.stderr.take().ok_or_else(missing)?;
        let stderr = StderrTail::of(errors);
        let watch = ExitWatch::of(&child);
        Ok((Self { child: Some(child), group, stderr, watch, cpu_time: None }, stdin, stdout))
    }

    /// Waits for the child itself to end. What it has left in its group runs on.
    ///
    /// # Errors
    /// When the operating system does not tell.
    pub async fn exited(&mut self) -> io::Result<ChildStatus> {
        let Some(child) = &mut self.child else {
            return Err(io::Error::other("the child was let go of"));
        };
        // Only `wait` reaps it, so that until then it is there to be asked.
        if let Some(watch) = &self.watch {
            self.cpu_time = watch.ended().await;
            self.watch = None;
        }
        Ok(ChildStatus::from(child.wait().await?))
    }

    /// The processor time, of users and system, of the child and of the processes that it waited
    /// for. `None` before [`exited`](Self::exited) has told of its end, and where the kernel does not
    /// tell.
    pub fn cpu_time(&self) -> Option<Duration> {
        self.cpu_time
    }

    /// Ends what is left of the child's group, and returns the tail of what it wrote to stderr.
    pub async fn last_words(&mut self) -> String {
        self.group = None;
        self.stderr.finish().await
    }
}

impl Drop for ChildProcess {
    fn drop(&mut self) {
        self.group = None;
        if let Some(child) = self.child.take() {
            reaper::reap(child);
        }
    }
}

impl From<ExitStatus> for ChildStatus {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exited(code),
            (None, signal) => Self::Signalled(signal.unwrap_or_default()),
        }
    }
}

impl fmt::Display for ChildStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with status {code}"),
            Self::Signalled(signal) => match signal_name(*signal) {
                Some(name) => write!(f, "was killed by signal {signal} ({name})"),
                None => write!(f, "was killed by signal {signal}"),
            },
        }
    }
}

fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        libc::SIGHUP => "SIGHUP",
        libc::SIGINT => "SIGINT",
        libc::SIGQUIT => "SIGQUIT",
        libc::SIGILL => "SIGILL",
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGKILL => "SIGKILL",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGPIPE => "SIGPIPE",
        libc::SIGALRM => "SIGALRM",
        libc::SIGTERM => "SIGTERM",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        _ => return None,
    })
}

fn prepare(command: &ChildCommand) -> Command {
    let mut prepared = Command::new(&command.program);
    prepared
        .arg0(&command.name)
        .args(&command.arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    environment::restrict(&mut prepared);
    let parent = std::process::id();
    let inherited = command.inherited.as_ref().map(AsRawFd::as_raw_fd);
    let address_space_bytes = command.address_space_bytes;
    let guardian = guardian::appoint().map(AsRawFd::as_raw_fd);
    // SAFETY: the closure only makes system calls that are safe between fork and exec, and touches
    // no memory but its own copies of a few numbers.
    unsafe {
        prepared.pre_exec(move || {
            die_with_parent(parent)?;
            guardian::watch_this_process(guardian);
            close_descriptors(inherited);
            limit_resources(address_space_bytes);
            Ok(())
        });
    }
    prepared
}

fn die_with_parent(parent: u32) -> io::Result<()> {
    // SAFETY: prctl(2) with PR_SET_PDEATHSIG and getppid(2) have no memory effects.
    let (result, current) =
        unsafe { (libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL), libc::getppid()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // The parent may have died before the request was made.
    if i64::from(current) != i64::from(parent) {
        return Err(io::Error::from_raw_os_error(libc::ESRCH));
    }
    Ok(())
}

/// Marks every descriptor but the standard ones and `inherited` to be closed by exec.
pub(super) fn close_descriptors(inherited: Option<RawFd>) {
    const FIRST_AFTER_STDERR: libc::c_uint = 3;
    // SAFETY: close_range(2) and fcntl(2) change descriptor flags only. Where the kernel lacks
    // close_range, Rust's own descriptors are close-on-exec anyway.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            FIRST_AFTER_STDERR,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        );
        if let Some(descriptor) = inherited {
            libc::fcntl(descriptor, libc::F_SETFD, 0);
        }
    }
}

fn limit_resources(address_space_bytes: Option<u64>) {
    let limit = |resource, bytes| {
        let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
        // SAFETY: setrlimit(2) reads the struct only. A limit that the parent's own hard limit
        // forbids is already stricter.
        unsafe { libc::setrlimit(resource, &limit) };
    };
    limit(libc::RLIMIT_CORE, 0);
    if let Some(bytes) = address_space_bytes {
        limit(libc::RLIMIT_AS, bytes);
    }
}
