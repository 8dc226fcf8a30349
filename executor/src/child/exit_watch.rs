//! Noticing that a child has ended before it is reaped, while the kernel still knows what it cost.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::process::Child;

/// A descriptor of a child, which becomes readable when the child is a zombie.
#[derive(Debug)]
pub(super) struct ExitWatch {
    id: libc::id_t,
    descriptor: AsyncFd<OwnedFd>,
}

impl ExitWatch {
    /// `None` for a child that is reaped already, and where the kernel has no such descriptors.
    pub(super) fn of(child: &Child) -> Option<Self> {
        let id = child.id()?;
        // SAFETY: pidfd_open(2) has no memory effects; the child is not reaped, so that the number
        // is its own.
        let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, id, 0) };
        let descriptor = RawFd::try_from(descriptor).ok().filter(|descriptor| *descriptor >= 0)?;
        // SAFETY: the descriptor was just made, for nobody else.
        let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
        // SAFETY: `OwnedFd` keeps its descriptor open, and the same, for as long as it lives.
        let watched = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
        let descriptor = watched.ok()?;
        Some(Self { id, descriptor })
    }

    /// Waits until the child has ended; it is still to be reaped then. Gives the processor time of it
    /// and of the processes that it waited for, where the kernel tells.
    pub(super) async fn ended(&self) -> Option<Duration> {
        loop {
            let mut readiness = self.descriptor.readable().await.ok()?;
            match self.usage() {
                Ok(Some(time)) => return Some(time),
                Ok(None) => readiness.clear_ready(),
                Err(_) => return None,
            }
        }
    }

    /// The processor time of a zombie; `None` while the child lives.
    ///
    /// waitid(2) itself, unlike the function of the C library, tells the usage, and with `WNOWAIT`
    /// leaves the zombie to whoever reaps it.
    fn usage(&self) -> io::Result<Option<Duration>> {
        let mut information = MaybeUninit::<libc::siginfo_t>::zeroed();
        let mut usage = MaybeUninit::<libc::rusage>::zeroed();
        // SAFETY: both structures are there for the call, and plain numbers, for which zeroes are
        // valid.
        let (result, information, usage) = unsafe {
            let result = libc::syscall(
                libc::SYS_waitid,
                libc::P_PID,
                self.id,
                information.as_mut_ptr(),
                libc::WEXITED | libc::WNOWAIT | libc::WNOHANG,
                usage.as_mut_ptr(),
            );
            (result, information.assume_init(), usage.assume_init())
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the structure is zeroed, or that of a child that has ended.
        let has_ended = unsafe { information.si_pid() } != 0;
        Ok(has_ended.then(|| duration(usage.ru_utime) + duration(usage.ru_stime)))
    }
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
}
