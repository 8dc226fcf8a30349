//! The script that a shell child runs.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// The pipe on which the shells of a child report how their commands ended, beside their own exit
/// status, which tells of one command only.
#[derive(Debug)]
pub struct StatusPipe {
    reader: File,
}

impl StatusPipe {
    /// A new pipe, and the end that the child inherits.
    ///
    /// # Errors
    /// When the operating system has no descriptors left.
    pub fn new() -> io::Result<(Self, OwnedFd)> {
        let (reader, writer): (PipeReader, _) = io::pipe()?;
        let reader = File::from(OwnedFd::from(reader));
        // SAFETY: fcntl(2) on a descriptor that `reader` owns.
        let result = unsafe { libc::fcntl(reader.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) };
        if result == -1 {
            return Err(io::Error::last_os_error());
        }
        Ok((Self { reader }, OwnedFd::from(writer)))
    }

    /// What has been reported so far. Call it when the child has ended; it never blocks.
    pub fn read(mut self) -> String {
        const LIMIT_BYTES: usize = 16 * 1024;
        let mut report = Vec::new();
        let mut buffer = [0_u8; 1024];
        while let Ok(read @ 1..) = self.reader.read(&mut buffer) {
            report.extend_from_slice(&buffer[..read]);
            if report.len() >= LIMIT_BYTES {
                break;
            }
        }
        String::from_utf8_lossy(&report).into_owned()
    }
}

/// The arguments of `bash` that run `codes`, the output of each the input of the next. When a shell
/// ends it writes a line to descriptor `report`: the position of its code (the shell around several
/// codes: their number), its exit status, and the statuses of its last pipeline.
pub fn script(codes: &[&str], report: RawFd) -> Vec<String> {
    match codes {
        [code] => shell_arguments(code, 0, report),
        _ => {
            let mut around = String::new();
            for (position, code) in codes.iter().enumerate() {
                if position > 0 {
                    around.push_str(" | ");
                }
                around.push_str("bash");
                for argument in shell_arguments(code, position, report) {
                    let _ = write!(around, " {}", quote(&argument));
                }
            }
            shell_arguments(&around, codes.len(), report)
        }
    }
}

/// The trap stands on the first line of the code, so that line numbers in messages are the user's.
fn shell_arguments(code: &str, position: usize, report: RawFd) -> Vec<String> {
    let traced = format!("{}{code}", trap(position, report));
    ["--noprofile", "--norc", "-o", "pipefail", "-c", &traced, "gleam-sql"]
        .map(str::to_owned)
        .to_vec()
}

/// Sets the trap that reports how a code ended. Where bash quotes a line of a program with a syntax
/// error, this stands before it.
pub fn trap(position: usize, report: RawFd) -> String {
    format!("trap 'echo \"{position} $? ${{PIPESTATUS[*]}}\" >&{report}' EXIT; ")
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
