//! The Lua child is this very program, started again with one argument.

use std::ffi::OsString;
use std::process::ExitCode;

const REQUEST: &str = "__lua-child";

/// The arguments that make this program a Lua child.
pub fn lua_child_arguments() -> Vec<OsString> {
    vec![REQUEST.into()]
}

/// Runs the Lua child, if this process was started to be one. Call it first in `main`, before any
/// thread or runtime exists, in every binary that executes Lua operators.
pub fn run_if_requested() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let requested = arguments.next().is_some_and(|argument| argument == REQUEST);
    (requested && arguments.next().is_none()).then(crate::lua::run)
}
