//! Runs operators: child processes, text files, and the plan nodes around them.
//!
//! **Invariant:** this crate knows no SQL text and opens no socket.

pub mod child;
pub mod codec;
pub mod error;
pub mod exec;
pub mod functions;
pub mod lua;
pub mod operator;
pub mod options;
pub mod policy;
pub mod settings;
pub mod shell;
pub mod text;
pub mod wire;
