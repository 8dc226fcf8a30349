//! Shell programs as children: one `bash` per task, fed and read as text.

mod pipeline;
mod script;
mod verdict;

pub use pipeline::last_pipeline;
pub use script::{StatusPipe, script, trap};
pub use verdict::{COMMAND_NOT_FOUND, ShellFailure, verdict, verdict_among};
