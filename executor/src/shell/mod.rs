//! Shell programs as children: one `bash` per task, fed and read as text.

mod pipeline;
mod script;
mod verdict;

pub use pipeline::last_pipeline;
pub use script::{StatusPipe, script};
pub use verdict::{ShellFailure, verdict};
