//! `\?`

use super::ALL;
use crate::prompt::console::{Console, unshown};
use crate::report::Failure;

const KEYS: &str = "\n\
    Enter runs a statement that ends with ; and goes on with one that does not.\n\
    Tab completes: files in quotes, columns, tables, functions, settings behind SET.\n\
    Ctrl-R searches the history, Ctrl-C clears the line or ends what runs, Ctrl-D leaves.\n\
    SHOW ALL lists the settings; what begins with a blank is not kept in the history.\n";

/// Lists the commands.
pub(super) fn run(console: &Console) -> Result<(), Failure> {
    let usage = |command: &super::Command| format!("{} {}", command.name, command.arguments);
    let width = ALL.iter().map(|command| usage(command).len()).max().unwrap_or(0);
    let lines =
        ALL.iter().map(|command| format!("  {:width$}  {}\n", usage(command), command.does));
    console.display.show_text(&(lines.collect::<String>() + KEYS)).map_err(unshown)
}
