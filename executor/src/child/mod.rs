//! Child processes: how they are started, watched and ended.
//!
//! **Invariant:** a child is never detached. Dropping its [`ChildProcess`] kills the process group
//! and reaps it.

mod environment;
mod exit_watch;
mod groups;
mod guardian;
mod lua_child;
mod process;
mod progress;
mod reaper;
mod spawner;
mod stderr;

pub use environment::ALLOWED_VARIABLES;
pub use groups::{count, kill_all};
pub use lua_child::{lua_child_arguments, lua_status_arguments, run_if_requested};
pub use process::{ChildCommand, ChildProcess, ChildStatus};
pub use progress::Progress;
pub use stderr::STDERR_TAIL_BYTES;
