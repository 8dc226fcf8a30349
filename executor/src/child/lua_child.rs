//! The Lua child and the guardian are this very program, started again with one argument.

use std::ffi::{CStr, OsString};
use std::process::ExitCode;

use super::guardian;

const REQUEST: &str = "__lua-child";
const STATUS_REQUEST: &str = "__lua-status";

/// The arguments that make this program a Lua child.
pub fn lua_child_arguments() -> Vec<OsString> {
    vec![REQUEST.into()]
}

/// The arguments that make this program say in one line what its Lua is.
pub fn lua_status_arguments() -> Vec<OsString> {
    vec![STATUS_REQUEST.into()]
}

/// Runs the Lua child or the guardian, if this process was started to be one. Call it first in
/// `main`, before any thread or runtime exists, in every binary that executes operators.
pub fn run_if_requested() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next()?.to_str()?, arguments.next()) {
        (REQUEST, None) => {
            call_it(c"gleam-lua");
            Some(crate::lua::run())
        }
        (STATUS_REQUEST, None) => Some(crate::lua::status::tell()),
        (guardian::REQUEST, None) => {
            call_it(c"gleam-guardian");
            Some(guardian::run())
        }
        _ => None,
    }
}

/// What the process is called in listings.
fn call_it(name: &CStr) {
    // SAFETY: prctl(2) with PR_SET_NAME reads the string, which ends with a zero byte.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}
