//! `\o [FILE]`

use std::fs::File;
use std::path::PathBuf;

use crate::prompt::console::Console;
use crate::report::{Failure, visible};

/// Where results go from now on. Those that went to a file are there.
pub(super) fn run(console: &mut Console, arguments: &str) -> Result<(), Failure> {
    if arguments.is_empty() {
        if let Some((path, _)) = console.display.file.take() {
            let path = visible(&path.display().to_string());
            console.display.say(&format!("results are in {path}\n"));
        }
        return Ok(());
    }
    if arguments.starts_with('|') {
        let message =
            "\\o writes to a file, not to a program; a query can have one: … |> PIPE 'program'";
        return Err(Failure::usage(message.to_owned()));
    }
    let path = PathBuf::from(super::path(arguments));
    let file = File::create(&path).map_err(|error| {
        Failure::usage(format!("cannot write {}: {error}", visible(&path.display().to_string())))
    })?;
    console.display.file = Some((path, file));
    Ok(())
}
