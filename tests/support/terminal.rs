//! A pseudo-terminal with `gleam-sql` in it, and what a person would see on it.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::gleam::Place;
use super::processes::{self, PATIENCE, nap, wait_until};

/// The prompt, when nothing is entered yet.
const PROMPT: &str = "gleam>";
/// As wide as the tests want, and so tall that little leaves it.
const COLUMNS: u16 = 100;

/// `gleam-sql` at a terminal of its own. Dropping it kills it.
pub(crate) struct Terminal {
    process: Child,
    keyboard: File,
    seen: Arc<Mutex<Seen>>,
}

/// What has come out so far.
struct Seen {
    screen: vt100::Parser,
    bytes: Vec<u8>,
}

impl Terminal {
    /// Starts it in a place, with a history there, and waits for the first prompt.
    #[track_caller]
    pub(crate) fn start(place: &Place, rows: u16, environment: &[(&str, &str)]) -> Self {
        Self::start_with(place, rows, environment, &[])
    }

    /// The same with arguments.
    #[track_caller]
    pub(crate) fn start_with(
        place: &Place,
        rows: u16,
        environment: &[(&str, &str)],
        arguments: &[&str],
    ) -> Self {
        let (keyboard, inside) = open(rows);
        let copy = || inside.try_clone().expect("descriptors can be doubled");
        let mut command = Command::new(env!("CARGO_BIN_EXE_gleam-sql"));
        command
            .args(arguments)
            .env("TERM", "xterm")
            .env("NO_COLOR", "1")
            .env("PAGER", "cat")
            .env("XDG_STATE_HOME", place.path("state"))
            .envs(environment.iter().copied())
            .current_dir(place.path(""))
            .stdin(copy())
            .stdout(copy())
            .stderr(copy());
        // SAFETY: setsid(2) and ioctl(2) are safe between fork and exec.
        unsafe {
            command.pre_exec(|| {
                if libc::setsid() == -1 || libc::ioctl(0, libc::TIOCSCTTY, 0) == -1 {
                    return Err(std::io::Error::last_os_error());
                }
                Ok(())
            });
        }
        let process = command.spawn().expect("gleam-sql can be started");
        drop((command, inside));
        let size = |count| NonZeroU16::new(count).expect("a terminal has a size");
        let screen = vt100::Parser::new(size(rows), size(COLUMNS), 10_000);
        let seen = Arc::new(Mutex::new(Seen { screen, bytes: Vec::new() }));
        let mut output = keyboard.try_clone().expect("descriptors can be doubled");
        let reader = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // At the end reading fails: nobody has the other side.
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                let mut seen = lock(&reader);
                seen.screen.process(&buffer[..read]);
                seen.bytes.extend_from_slice(&buffer[..read]);
            }
        });
        let terminal = Self { process, keyboard, seen };
        terminal.waits_for_entry();
        terminal
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Presses keys.
    pub(crate) fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Pastes, as a terminal does it that tells what is pasted.
    pub(crate) fn pastes(&mut self, text: &str) {
        self.types(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Enters a line, waits for the next prompt, and gives what came in between.
    #[track_caller]
    pub(crate) fn enter(&mut self, line: &str) -> String {
        let before = self.prompts();
        self.types(line);
        self.shows_typed(line);
        self.types("\r");
        self.next_prompt(before)
    }

    /// Presses keys that end an entry; gives what came until the next prompt.
    #[track_caller]
    pub(crate) fn answers(&mut self, keys: &str) -> String {
        let before = self.prompts();
        self.types(keys);
        self.next_prompt(before)
    }

    #[track_caller]
    fn next_prompt(&self, before: usize) -> String {
        let has_come = || self.prompts() > before && self.is_waiting();
        wait_for("the next prompt", has_come, || self.text());
        let text = self.text();
        let mut parts: Vec<&str> =
            text.rsplit(PROMPT).skip(1).take(self.prompts() - before).collect();
        parts.reverse();
        parts.join(PROMPT)
    }

    /// Waits until the end of what was typed is on the screen.
    #[track_caller]
    fn shows_typed(&self, line: &str) {
        let tail = line.char_indices().rev().nth(9).map_or(line, |(at, _)| &line[at..]).trim_end();
        // A long line goes on in the next one of the screen.
        let text = || self.text().replace('\n', "");
        wait_for(&format!("`{tail}`"), || text().contains(tail), || self.text());
    }

    /// Waits until the screen shows this.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) {
        wait_for(&format!("`{text}`"), || self.text().contains(text), || self.text());
    }

    #[track_caller]
    pub(crate) fn waits_for_entry(&self) {
        wait_for("a prompt", || self.is_waiting(), || self.text());
    }

    fn is_waiting(&self) -> bool {
        self.text().trim_end().ends_with(PROMPT)
    }

    fn prompts(&self) -> usize {
        self.text().matches(PROMPT).count()
    }

    /// All lines that were shown and not cleared, those that have scrolled away too.
    pub(crate) fn text(&self) -> String {
        let mut seen = lock(&self.seen);
        let screen = seen.screen.screen_mut();
        screen.set_scrollback(usize::MAX);
        let above = screen.scrollback();
        let (rows, columns) = screen.size();
        let (rows, columns) = (rows.get(), columns.get());
        let mut lines = Vec::new();
        for back in (1..=above).rev() {
            screen.set_scrollback(back);
            lines.extend(screen.rows(0, columns).next());
        }
        screen.set_scrollback(0);
        lines.extend(screen.rows(0, columns).take(rows.into()));
        let text: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
        text.join("\n").trim_end().to_owned()
    }

    /// The bytes as they came.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        lock(&self.seen).bytes.clone()
    }

    /// The child processes of its queries.
    pub(crate) fn children(&self) -> Vec<processes::Process> {
        let children = processes::children_of(self.id()).into_iter();
        children.filter(|one| !one.is_guardian() && !one.is_zombie()).collect()
    }

    /// Tells, also after the end, whether the terminal itself edits lines and shows what is typed.
    pub(crate) fn attributes(&self) -> impl Fn() -> bool + use<> {
        let keyboard = self.keyboard.try_clone().expect("descriptors can be doubled");
        move || {
            // SAFETY: all bits are valid, and tcgetattr(3) writes this one struct.
            let attributes = unsafe {
                let mut attributes: libc::termios = std::mem::zeroed();
                libc::tcgetattr(keyboard.as_raw_fd(), &raw mut attributes);
                attributes
            };
            let wanted = libc::ICANON | libc::ECHO;
            attributes.c_lflag & wanted == wanted
        }
    }

    /// Waits for its end, after which no process of it may be left.
    #[track_caller]
    pub(crate) fn ends(mut self) -> ExitStatus {
        let mut status = None;
        wait_until("the end of gleam-sql", || {
            status = self.process.try_wait().expect("its status can be asked");
            status.is_some()
        });
        let left = processes::left_of_session(self.process.id(), PATIENCE);
        assert!(left.is_empty(), "processes are left: {left:#?}");
        status.expect("it has ended")
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        for process in processes::of_session(self.process.id()) {
            processes::signal(process.id, libc::SIGKILL);
        }
        let _ = self.process.wait();
    }
}

/// Like [`wait_until`], and shows the terminal when it was in vain.
#[track_caller]
fn wait_for(event: &str, mut has_come: impl FnMut() -> bool, shown: impl Fn() -> String) {
    let deadline = Instant::now() + PATIENCE;
    while !has_come() {
        assert!(
            Instant::now() < deadline,
            "waited in vain for {event}; the terminal shows\n{}",
            shown()
        );
        nap();
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Both sides of a pseudo-terminal: the one that a person has, and the one that programs have.
fn open(rows: u16) -> (File, OwnedFd) {
    let (mut person, mut program) = (-1, -1);
    let mut size = libc::winsize { ws_row: rows, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: openpty(3) writes two descriptors and reads the size; it takes no name and no attributes.
    let opened = unsafe {
        libc::openpty(
            &raw mut person,
            &raw mut program,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            &raw mut size,
        )
    };
    assert_eq!(opened, 0, "a pseudo-terminal can be opened");
    for descriptor in [person, program] {
        // SAFETY: fcntl(2) with these arguments has no memory effects.
        unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    // SAFETY: both were just opened, and nobody else owns them.
    unsafe { (File::from_raw_fd(person), OwnedFd::from_raw_fd(program)) }
}
