//! Runs operators: child processes, text files, and the plan nodes around them.
//!
//! **Invariant:** this crate knows no SQL text and opens no socket.

pub mod operator;
pub mod error;
pub mod options;
pub mod child;
pub mod lua;
pub mod shell;
pub mod text;
pub mod wire;
pub mod exec;
pub mod codec;
