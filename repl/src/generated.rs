//! What is made from the definition of the command line: completions and the manual page.

use std::io::{self, Write};

use clap_complete::{Shell as Completed, generate};
use clap_mangen::Man;

use crate::args::{self, Shell};
use crate::output::OutputError;
use crate::report::{self, Failure};

/// Prints the completions of a shell; gives the exit status.
pub(crate) fn completions(shell: Shell) -> i32 {
    let shell = match shell {
        Shell::Bash => Completed::Bash,
        Shell::Zsh => Completed::Zsh,
        Shell::Fish => Completed::Fish,
    };
    let mut text = Vec::new();
    generate(shell, &mut args::command(), "gleam-sql", &mut text);
    print(&text)
}

/// Prints the manual page; gives the exit status.
pub(crate) fn manual() -> i32 {
    let mut text = Vec::new();
    match Man::new(args::command()).render(&mut text) {
        Ok(()) => print(&text),
        Err(error) => told(&Failure::writing("standard output", &error)),
    }
}

/// Prints a text; gives the exit status.
pub(crate) fn print(text: &[u8]) -> i32 {
    let mut stdout = io::stdout();
    let printed = stdout.write_all(text).and_then(|()| stdout.flush());
    match printed.map_err(OutputError::from_io) {
        Ok(()) | Err(OutputError::ReaderClosed) => 0,
        Err(OutputError::Io(error)) => told(&Failure::writing("standard output", &error)),
        Err(error) => told(&Failure::usage(error.to_string())),
    }
}

fn told(failure: &Failure) -> i32 {
    report::say(&failure.message);
    failure.status
}
