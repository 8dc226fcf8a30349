//! A terminal that a test reads.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::Stdio;
use std::ptr::null_mut;
use std::thread::JoinHandle;

use super::gleam::{Finished, Gleam};
use super::running::Running;

/// Its screen as the bytes that were written to it, without any change.
pub(crate) struct Tty {
    /// Open as long as something may still be written.
    inside: File,
    reader: JoinHandle<Vec<u8>>,
}

impl Tty {
    pub(crate) fn new(columns: u16) -> Self {
        let (mut outside, mut inside) = (-1, -1);
        let size = libc::winsize { ws_row: 24, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: openpty(3) writes the two descriptors and reads the size.
        let opened = unsafe {
            libc::openpty(
                &raw mut outside,
                &raw mut inside,
                null_mut(),
                null_mut(),
                &raw const size,
            )
        };
        assert_eq!(opened, 0, "a pseudo-terminal can be opened");
        // SAFETY: both descriptors are new, and owned by nobody else.
        let (outside, inside) =
            unsafe { (OwnedFd::from_raw_fd(outside), File::from_raw_fd(inside)) };
        set_raw(&inside);
        let reader = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            // The end of a terminal is an error.
            let _ = File::from(outside).read_to_end(&mut bytes);
            bytes
        });
        Self { inside, reader }
    }

    /// For a stream of a process.
    pub(crate) fn stdio(&self) -> Stdio {
        self.inside.try_clone().expect("it can be opened again").into()
    }

    /// Its name among the files, for a stream of a process.
    pub(crate) fn path(&self) -> PathBuf {
        let number = self.inside.as_raw_fd();
        std::fs::read_link(format!("/proc/self/fd/{number}")).expect("it has a name")
    }

    /// What was written to it, when everyone who could has ended.
    pub(crate) fn contents(self) -> String {
        drop(self.inside);
        let bytes = self.reader.join().expect("reading does not panic");
        String::from_utf8(bytes).expect("output is UTF-8")
    }
}

/// No `\r` before `\n`, no echo.
fn set_raw(terminal: &File) {
    let fd = terminal.as_raw_fd();
    // SAFETY: a termios of zeros is one; the calls read and write this one and know the descriptor.
    unsafe {
        let mut settings: libc::termios = std::mem::zeroed();
        assert_eq!(libc::tcgetattr(fd, &raw mut settings), 0);
        libc::cfmakeraw(&raw mut settings);
        assert_eq!(libc::tcsetattr(fd, libc::TCSANOW, &raw const settings), 0);
    }
}

impl Gleam {
    /// Runs it to its end with stdout on a terminal; gives also what was there.
    pub(crate) fn run_on_terminal(self) -> (Finished, String) {
        let tty = Tty::new(80);
        let running: Running = self.start_into(tty.stdio());
        let finished = running.finish(super::gleam::LIMIT);
        (finished, tty.contents())
    }
}
