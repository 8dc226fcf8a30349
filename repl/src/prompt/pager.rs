//! Standard output, or a pager in between where there is more than the terminal shows at once.

use std::io::{self, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::foreground::Foreground;

/// Quits where all fits, shows colours, cuts long lines, leaves the text where it is.
const DEFAULT_PAGER: &str = "less -SRFX";
/// Lines that are kept free for what is told below the rows.
const LINES_BELOW: usize = 3;

/// Holds back what is written until it is flushed. What is then longer than the screen goes to a
/// pager, and everything else to the terminal, line by line: rows that come slowly are not paged.
pub(super) struct PagedOut {
    height: Option<usize>,
    out: Out,
    /// How long a pager was waited for.
    reading: Duration,
}

enum Out {
    Held { bytes: Vec<u8>, lines: usize },
    Terminal,
    Pager(Foreground),
}

impl PagedOut {
    /// Without `is_wanted`, or without a terminal, everything goes to standard output.
    pub(super) fn new(is_wanted: bool) -> Self {
        let size = terminal_size::terminal_size_of(io::stdout());
        let height = size.map(|(_, height)| usize::from(height.0)).filter(|_| is_wanted);
        Self { height, out: Out::Held { bytes: Vec::new(), lines: 0 }, reading: Duration::ZERO }
    }

    /// Writes what is held, and waits until the user has left the pager. Gives how long a pager was
    /// waited for in all, the writing to it included: it takes no more while a person reads.
    ///
    /// # Errors
    /// When the terminal cannot be written to.
    pub(super) fn finish(mut self) -> io::Result<Duration> {
        self.flush()?;
        if let Out::Pager(pager) = self.out {
            let began = Instant::now();
            pager.wait()?;
            self.reading += began.elapsed();
        }
        Ok(self.reading)
    }

    fn write_held(&mut self) -> io::Result<()> {
        let Out::Held { bytes, lines } = &mut self.out else { return Ok(()) };
        let (bytes, lines) = (std::mem::take(bytes), *lines);
        let is_long = self.height.is_some_and(|height| lines + LINES_BELOW > height);
        self.out = match is_long.then(open).flatten() {
            Some(pager) => Out::Pager(pager),
            None => Out::Terminal,
        };
        self.write_all(&bytes)
    }
}

impl Write for PagedOut {
    fn write(&mut self, written: &[u8]) -> io::Result<usize> {
        match &mut self.out {
            Out::Held { bytes, lines } => {
                bytes.extend_from_slice(written);
                *lines += memchr::memchr_iter(b'\n', written).count();
                if self.height.is_none_or(|height| *lines > height) {
                    self.write_held()?;
                }
                Ok(written.len())
            }
            Out::Terminal => io::stdout().write(written),
            Out::Pager(pager) => {
                let began = Instant::now();
                let taken = match pager.stdin() {
                    Some(stdin) => stdin.write(written),
                    None => Err(io::ErrorKind::BrokenPipe.into()),
                };
                self.reading += began.elapsed();
                taken
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_held()?;
        match &mut self.out {
            Out::Held { .. } | Out::Pager(_) => Ok(()),
            Out::Terminal => io::stdout().flush(),
        }
    }
}

/// The user's pager; none where it is not wanted (`PAGER=`, `PAGER=cat`) or not there.
fn open() -> Option<Foreground> {
    let wanted = std::env::var("PAGER").unwrap_or_else(|_| DEFAULT_PAGER.to_owned());
    let program = wanted.split_whitespace().next().filter(|program| *program != "cat")?;
    let is_there = program.contains('/') || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
    };
    is_there.then(|| Foreground::start(&wanted, &[], Stdio::piped()).ok()).flatten()
}
