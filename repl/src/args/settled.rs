//! Where the value of an option comes from: the command line, before the environment, before the
//! configuration file, before the default.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use crate::config::ConfigFile;

/// Subcommands that take the options of the file which they have.
const CONFIGURED: [&str; 3] = ["agents", "config", "doctor"];

/// Options that make no sense, or harm, where they stand in a file for every run.
const NOT_IN_FILES: [&str; 7] =
    ["file", "command", "output", "variable", "explain", "help", "version"];

/// The options that a configuration file may have: long names and the identifiers of clap.
pub(crate) fn configurable(command: &Command) -> Vec<(String, String)> {
    let options = command.get_arguments().filter_map(|argument| {
        let long = argument.get_long()?;
        let may_stand = !NOT_IN_FILES.contains(&long) && !argument.is_hide_set();
        may_stand.then(|| (long.to_owned(), argument.get_id().to_string()))
    });
    options.collect()
}

/// `command` with the values of `file` as its defaults.
pub(crate) fn with_defaults(command: Command, file: &ConfigFile) -> Command {
    if !file.is_there() {
        return command;
    }
    let command = CONFIGURED.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |subcommand| defaults_of(subcommand, file))
    });
    defaults_of(command, file)
}

fn defaults_of(command: Command, file: &ConfigFile) -> Command {
    let options = configurable(&command);
    options.into_iter().fold(command, |command, (long, id)| match file.option(&long) {
        Some(entry) => {
            let value = entry.value.clone();
            command.mut_arg(id, |argument| argument.default_value(value))
        }
        None => command,
    })
}

/// Of two options that exclude each other, the one that yields, as it stands further away. Those of
/// one level cannot both stand.
///
/// # Errors
/// When both stand on one level.
pub(crate) fn yielding<'a>(
    matches: &ArgMatches,
    one: &'a str,
    other: &'a str,
) -> Result<Option<&'a str>, BothStand> {
    match (level(matches, one), level(matches, other)) {
        (0, _) | (_, 0) => Ok(None),
        (one, other) if one == other => Err(BothStand),
        (near, far) => Ok(Some(if near < far { one } else { other })),
    }
}

/// Two options that exclude each other.
#[derive(Debug)]
pub(crate) struct BothStand;

/// How near to the user a value stands; 0 where there is none.
fn level(matches: &ArgMatches, id: &str) -> u8 {
    match matches.value_source(id) {
        Some(ValueSource::CommandLine) => 3,
        Some(ValueSource::EnvVariable) => 2,
        Some(_) => 1,
        None => 0,
    }
}
