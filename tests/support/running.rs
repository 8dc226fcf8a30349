//! A `gleam-sql` that runs, and the end of it.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::gleam::{Finished, Gleam, Input};
use super::processes::{self, PATIENCE, wait_until};

/// How long what is left of a run may take to go away after it.
const AFTERLIFE: Duration = Duration::from_secs(5);

/// The process, in a session of its own, so that whatever it leaves behind can be found.
#[derive(Debug)]
pub(crate) struct Running {
    process: Child,
    arguments: Vec<String>,
    started: Instant,
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    ended: bool,
}

impl Running {
    pub(super) fn start(gleam: Gleam, stdout: Stdio) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gleam-sql"));
        command
            .args(&gleam.arguments)
            // Whoever runs the tests has settings of their own.
            .env("XDG_CONFIG_HOME", gleam.directory.join(".config"))
            .envs(gleam.environment)
            .current_dir(&gleam.directory)
            .stdin(match &gleam.input {
                Input::Null | Input::Closed => Stdio::null(),
                Input::Bytes(_) | Input::Held => Stdio::piped(),
                Input::File(path) => File::open(path).expect("the input can be opened").into(),
            })
            .stdout(stdout)
            .stderr(match &gleam.errors {
                None => Stdio::piped(),
                Some(path) => {
                    File::options().write(true).open(path).expect("it can be opened").into()
                }
            });
        let close_input = matches!(gleam.input, Input::Closed);
        // SAFETY: setsid(2) and close(2) are safe between fork and exec.
        unsafe {
            command.pre_exec(move || {
                if libc::setsid() == -1 {
                    return Err(io::Error::last_os_error());
                }
                if close_input {
                    libc::close(0);
                }
                Ok(())
            });
        }
        let mut process = command.spawn().expect("gleam-sql can be started");
        let mut stdin = process.stdin.take();
        if let Input::Bytes(bytes) = gleam.input {
            let mut pipe = stdin.take().expect("stdin is a pipe");
            // It may end without reading everything, which is its business.
            std::thread::spawn(move || drop(pipe.write_all(&bytes)));
        }
        let stdout = process.stdout.take().map(BufReader::new);
        let stderr = process.stderr.take().map(read_in_thread);
        let shown = |one: std::ffi::OsString| one.to_string_lossy().into_owned();
        let arguments = gleam.arguments.into_iter().map(shown).collect();
        Self { process, arguments, started: Instant::now(), stdin, stdout, stderr, ended: false }
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The children that it has now, zombies included. A fork that has not become its program yet
    /// is none.
    pub(crate) fn children(&self) -> Vec<processes::Process> {
        let is_program = |one: &processes::Process| {
            let is_forked_only =
                !one.is_zombie() && (one.arguments.is_empty() || self.looks_like(one));
            !one.is_guardian() && !is_forked_only
        };
        processes::children_of(self.id()).into_iter().filter(is_program).collect()
    }

    fn looks_like(&self, process: &processes::Process) -> bool {
        process.arguments.iter().skip(1).eq(&self.arguments)
    }

    /// Its Lua children.
    pub(crate) fn lua_children(&self) -> Vec<processes::Process> {
        self.children().into_iter().filter(processes::Process::is_lua_child).collect()
    }

    /// What is there beside it, zombies included, after time enough to go away.
    pub(crate) fn left_while_it_lives(&self) -> Vec<processes::Process> {
        let deadline = Instant::now() + AFTERLIFE;
        loop {
            let mut left = processes::of_session(self.id());
            left.retain(|process| process.id != self.id());
            left.extend(self.children().into_iter().filter(processes::Process::is_zombie));
            if left.is_empty() || Instant::now() > deadline {
                return left;
            }
            processes::nap();
        }
    }

    /// Waits until it has at least so many children, and gives them.
    #[track_caller]
    pub(crate) fn wait_for_children(&self, count: usize) -> Vec<processes::Process> {
        let mut children = Vec::new();
        wait_until(&format!("{count} children"), || {
            children = self.children();
            children.len() >= count
        });
        children
    }

    /// Waits until some process of it runs this command.
    #[track_caller]
    pub(crate) fn wait_for_program(&self, name: &str) -> processes::Process {
        let find = || processes::of_session(self.id()).into_iter().find(|one| one.name == name);
        wait_until(&format!("a process called {name}"), || find().is_some());
        find().expect("it was there a moment ago")
    }

    /// Writes to its standard input.
    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let stdin = self.stdin.as_mut().expect("stdin is held");
        stdin.write_all(bytes.as_ref()).expect("it reads its input");
        stdin.flush().expect("it reads its input");
    }

    /// Ends its standard input.
    pub(crate) fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Reads one line of output; it must come soon. Empty at the end.
    #[track_caller]
    pub(crate) fn read_line(&mut self) -> String {
        let mut line = Vec::new();
        let stdout = self.stdout.as_mut().expect("stdout is a pipe");
        while !line.ends_with(b"\n") {
            if stdout.buffer().is_empty() {
                wait_for_data(stdout.get_ref());
            }
            let buffer = stdout.fill_buf().expect("output can be read");
            if buffer.is_empty() {
                break;
            }
            let end =
                buffer.iter().position(|byte| *byte == b'\n').map_or(buffer.len(), |at| at + 1);
            line.extend_from_slice(&buffer[..end]);
            stdout.consume(end);
        }
        String::from_utf8(line).expect("output is UTF-8")
    }

    /// Stops reading output: `| head`.
    pub(crate) fn close_output(&mut self) {
        self.stdout = None;
    }

    pub(crate) fn signal(&self, signal: i32) {
        processes::signal(self.id(), signal);
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.process.try_wait().expect("its status can be asked").is_some()
    }

    /// Reads all output and waits for the end, after which no process of it may be left.
    #[track_caller]
    pub(crate) fn finish(mut self, limit: Duration) -> Finished {
        let stdout = self.stdout.take().map(read_in_thread);
        let deadline = Instant::now() + limit;
        let status = loop {
            if let Some(status) = self.process.try_wait().expect("its status can be asked") {
                break status;
            }
            if Instant::now() > deadline {
                let alive = processes::of_session(self.id());
                self.end_all();
                let stderr = self.stderr.take().map(joined).unwrap_or_default();
                let stderr = String::from_utf8_lossy(&stderr);
                panic!("still running after {limit:?}, as {alive:#?}\n--- stderr\n{stderr}");
            }
            processes::nap();
        };
        let took = self.started.elapsed();
        let left = processes::left_of_session(self.id(), AFTERLIFE);
        self.end_all();
        assert!(left.is_empty(), "processes are left: {left:#?}\n--- status {status:?}");
        Finished {
            code: status.code(),
            signal: status.signal(),
            stdout: stdout.map(joined).unwrap_or_default(),
            stderr: self
                .stderr
                .take()
                .map(|thread| String::from_utf8_lossy(&joined(thread)).into_owned())
                .unwrap_or_default(),
            took,
        }
    }

    fn end_all(&mut self) {
        self.ended = true;
        // More than once: what was forked during one look is seen by the next.
        let kill_all = || {
            let living = processes::of_session(self.process.id());
            living.iter().for_each(|process| processes::signal(process.id, libc::SIGKILL));
            living.is_empty()
        };
        while !kill_all() {
            processes::nap();
        }
        let _ = self.process.wait();
    }
}

impl Drop for Running {
    /// A failed test leaves nothing behind either.
    fn drop(&mut self) {
        if !self.ended {
            self.end_all();
        }
    }
}

/// Waits until there is something to read, or the end.
#[track_caller]
fn wait_for_data(stdout: &ChildStdout) {
    let mut polled = libc::pollfd { fd: stdout.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let limit = i32::try_from(PATIENCE.as_millis()).expect("it is short");
    // SAFETY: poll(2) reads and writes the one struct that it is given.
    let ready = unsafe { libc::poll(&raw mut polled, 1, limit) };
    assert!(ready == 1, "no output came within {PATIENCE:?}");
}

fn read_in_thread(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        bytes
    })
}

fn joined(thread: JoinHandle<Vec<u8>>) -> Vec<u8> {
    thread.join().expect("reading does not panic")
}
