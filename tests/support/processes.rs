//! Processes, as /proc shows them.

use std::fs;
use std::time::{Duration, Instant};

/// How long any event may take to come.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// One process.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) id: u32,
    pub(crate) name: String,
    pub(crate) state: char,
    pub(crate) parent: u32,
    pub(crate) group: u32,
    pub(crate) session: u32,
    pub(crate) arguments: Vec<String>,
}

impl Process {
    pub(crate) fn is_zombie(&self) -> bool {
        matches!(self.state, 'Z' | 'X')
    }

    /// The process that outlives the program to end its children; it leaves it as soon as it runs.
    pub(crate) fn is_guardian(&self) -> bool {
        // In the middle of an exec a process has no arguments, as a zombie has none.
        let is_starting = self.name == "exe" && self.arguments.is_empty();
        is_starting
            || self.name == "gleam-guardian"
            || self.arguments.iter().any(|argument| argument == "__guardian")
    }

    pub(crate) fn is_lua_child(&self) -> bool {
        self.arguments.iter().any(|argument| argument == "__lua-child")
    }
}

/// The children of a process, zombies included.
pub(crate) fn children_of(parent: u32) -> Vec<Process> {
    all().into_iter().filter(|process| process.parent == parent).collect()
}

/// The living processes that were given this argument, wherever they are.
pub(crate) fn with_argument(argument: &str) -> Vec<Process> {
    let has_it = |one: &Process| one.arguments.iter().any(|given| given == argument);
    all().into_iter().filter(has_it).collect()
}

/// The processes of a session, without zombies: who has died and waits for somebody else to take
/// notice does no harm.
pub(crate) fn of_session(session: u32) -> Vec<Process> {
    all().into_iter().filter(|one| one.session == session && !one.is_zombie()).collect()
}

/// What is still there of a session after at most `limit`.
pub(crate) fn left_of_session(session: u32, limit: Duration) -> Vec<Process> {
    let deadline = Instant::now() + limit;
    loop {
        let left = of_session(session);
        if left.is_empty() || Instant::now() > deadline {
            return left;
        }
        nap();
    }
}

/// What is still there of a session beside its leader after at most `limit`.
pub(crate) fn left_beside(leader: u32, limit: Duration) -> Vec<Process> {
    let deadline = Instant::now() + limit;
    loop {
        let mut left = of_session(leader);
        left.retain(|process| process.id != leader);
        if left.is_empty() || Instant::now() > deadline {
            return left;
        }
        nap();
    }
}

/// The most memory that a process has had so far, in bytes.
pub(crate) fn peak_memory_bytes(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}

/// The processor time of a process so far, of users and system.
pub(crate) fn cpu_time(id: u32) -> Duration {
    // Linux counts in hundredths of a second, and has said so for ever.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    TICK * ticks.filter_map(|ticks| ticks.parse::<u32>().ok()).sum()
}

pub(crate) fn signal(id: u32, signal: i32) {
    let id = libc::pid_t::try_from(id).expect("process ids are small");
    // SAFETY: kill(2) has no memory effects.
    unsafe { libc::kill(id, signal) };
}

/// Waits for an event, which must come within [`PATIENCE`].
#[track_caller]
pub(crate) fn wait_until(event: &str, mut has_come: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !has_come() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for: {event}");
        nap();
    }
}

/// Between two looks at what nothing announces.
pub(super) fn nap() {
    std::thread::sleep(Duration::from_millis(5));
}

fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").expect("/proc is there");
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(process)
        .collect()
}

/// `None` when it has gone meanwhile.
fn process(id: u32) -> Option<Process> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name stands in parentheses and may hold anything, parentheses too.
    let (start, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let mut number = || fields.next()?.parse().ok();
    let (parent, group, session) = (number()?, number()?, number()?);
    let arguments = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let arguments = arguments.split(|byte| *byte == 0).filter(|argument| !argument.is_empty());
    Some(Process {
        id,
        name: start.split_once('(')?.1.to_owned(),
        state,
        parent,
        group,
        session,
        arguments: arguments.map(|one| String::from_utf8_lossy(one).into_owned()).collect(),
    })
}
