//! `\! [COMMAND]`

use std::process::Stdio;

use crate::prompt::console::Console;
use crate::prompt::foreground::Foreground;
use crate::report::Failure;

/// Gives the terminal to a command, or to the user's shell.
pub(super) fn run(console: &Console, arguments: &str) -> Result<(), Failure> {
    let command = match arguments {
        "" | ";" => r#"exec "${SHELL:-/bin/sh}""#,
        command => command,
    };
    let failure = |error| Failure::usage(format!("cannot run a shell: {error}"));
    let ended = Foreground::start(command, &[], Stdio::inherit()).and_then(Foreground::wait);
    let status = ended.map_err(failure)?;
    if !status.success() {
        console.display.say(&format!("the command ended with {status}\n"));
    }
    Ok(())
}
