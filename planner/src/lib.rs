//! Statements to physical plans.
//!
//! **Invariant:** the planner never opens a connection and never starts a child. It looks at
//! directories and file headers, and reads rows only where DataFusion infers the columns of a typed
//! file.

mod session;
mod sources;
mod statement;
mod relation;
mod origin;
pub mod nodes;
mod volatile;
mod predicates;
mod fuse;
mod physical;
mod streaming;
mod diagnose;
mod hint;

pub use diagnose::plain_message;
pub use session::{Session, SessionOptions};
pub use statement::Planned;
