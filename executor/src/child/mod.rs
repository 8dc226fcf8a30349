//! Child processes: how they are started, watched and ended.
//!
//! **Invariant:** a child is never detached. Dropping its [`ChildProcess`] kills the process group
//! and reaps it.

mod environment;
mod process;
mod progress;
mod spawner;
mod stderr;

pub use environment::ALLOWED_VARIABLES;
pub use process::{ChildCommand, ChildProcess, ChildStatus};
pub use progress::Progress;
pub use stderr::STDERR_TAIL_BYTES;
