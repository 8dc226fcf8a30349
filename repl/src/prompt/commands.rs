//! The commands of the prompt: one file each.

mod agents;
mod catalogs;
mod chart;
mod dag;
mod describe;
mod edit;
mod functions;
mod help;
mod include;
mod output;
pub(super) mod pset;
mod records;
mod shell;
mod timing;
mod watch;

use crate::report::Failure;

use super::console::{Console, Next};

/// A command, for the list of them and for completion.
pub(super) struct Command {
    /// With its backslash.
    pub(super) name: &'static str,
    pub(super) arguments: &'static str,
    pub(super) does: &'static str,
}

const fn command(name: &'static str, arguments: &'static str, does: &'static str) -> Command {
    Command { name, arguments, does }
}

/// All of them, in the order in which they are listed.
pub(super) const ALL: &[Command] = &[
    command("\\?", "", "list the commands"),
    command("\\d", "[NAME | 'FILE']", "list tables; or the columns of a table, or of a file"),
    command("\\df", "[TEXT]", "list functions, or those with TEXT in their names"),
    command("\\l", "", "list catalogs and schemas"),
    command("\\agents", "", "how the agents do"),
    command("\\timing", "[on | off]", "tell how long statements take"),
    command("\\x", "[on | off]", "show a record after the other instead of tables"),
    command("\\o", "[FILE]", "write results to FILE; without it to the terminal again"),
    command("\\i", "FILE", "run the statements in FILE"),
    command("\\pset", "[format | null | limit | pager [VALUE]]", "how results are shown"),
    command("\\watch", "[SECONDS]", "run the last query again and again, until Ctrl-C"),
    command("\\chart", "[bar | line | hist]", "draw the last result"),
    command("\\dag", "", "show the plan of the last query"),
    command("\\e", "", "edit the last query in $EDITOR"),
    command("\\!", "[COMMAND]", "run COMMAND in a shell, or a shell"),
    command("\\q", "", "leave"),
];

/// An entry that is a command: its name and what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Called<'e> {
    name: &'e str,
    arguments: &'e str,
}

/// The command that an entry is, if it is one. The words that people try first are commands too.
pub(super) fn of_entry(entry: &str) -> Option<Called<'_>> {
    let entry = entry.trim();
    let word = entry.trim_end_matches(';').trim_end();
    match word.to_ascii_lowercase().as_str() {
        "quit" | "exit" => return Some(Called { name: "\\q", arguments: "" }),
        "help" => return Some(Called { name: "\\?", arguments: "" }),
        _ => {}
    }
    if !entry.starts_with('\\') {
        return None;
    }
    if let Some(command) = entry.strip_prefix("\\!") {
        return Some(Called { name: "\\!", arguments: command.trim() });
    }
    let end = word.find(char::is_whitespace).unwrap_or(word.len());
    Some(Called { name: &word[..end], arguments: word[end..].trim() })
}

/// Does what a command says.
///
/// # Errors
/// Why it cannot be done.
pub(super) async fn run(console: &mut Console, called: Called<'_>) -> Result<Next, Failure> {
    let Called { name, arguments } = called;
    match name {
        "\\?" => help::run(console)?,
        "\\d" => describe::run(console, arguments).await?,
        "\\df" => functions::run(console, arguments).await?,
        "\\l" => catalogs::run(console).await?,
        "\\agents" => agents::run(console).await?,
        "\\timing" => timing::run(console, arguments)?,
        "\\x" => records::run(console, arguments)?,
        "\\o" => output::run(console, arguments)?,
        "\\i" => include::run(console, arguments).await?,
        "\\pset" => pset::run(console, arguments)?,
        "\\watch" => watch::run(console, arguments).await?,
        "\\chart" => chart::run(console, arguments)?,
        "\\dag" => dag::run(console).await?,
        "\\e" => return edit::run(console),
        "\\!" => shell::run(console, arguments)?,
        "\\q" => return Ok(Next::Leave),
        unknown => return Err(unknown_command(unknown)),
    }
    Ok(Next::Go)
}

fn unknown_command(name: &str) -> Failure {
    let names = ALL.iter().map(|command| command.name);
    let message = format!("there is no command {}", crate::report::visible(name));
    let hint = match nearest(name, names) {
        Some(near) => format!("did you mean {near}? \\? lists the commands"),
        None => "\\? lists the commands".to_owned(),
    };
    Failure::usage(message).with_hint(&hint)
}

/// The candidate that `name` is most likely a misspelling of.
fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(1);
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `on`, `off`, or the other way round where nothing is said.
fn switch(now: bool, arguments: &str) -> Result<bool, Failure> {
    match arguments {
        "" => Ok(!now),
        "on" => Ok(true),
        "off" => Ok(false),
        other => {
            let message = format!("expected on or off, found {}", crate::report::visible(other));
            Err(Failure::usage(message))
        }
    }
}

/// A path as it is written: bare, or in quotes that double theirs.
fn path(arguments: &str) -> String {
    match arguments.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')) {
        Some(inner) => inner.replace("''", "'"),
        None => arguments.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_are_commands() {
        let check = |entry, expected: Option<(&str, &str)>| {
            let found = of_entry(entry);
            assert_eq!(found.map(|called| (called.name, called.arguments)), expected, "{entry}");
        };
        check("\\d 'a b.log'", Some(("\\d", "'a b.log'")));
        check("  \\pset  null  none ; ", Some(("\\pset", "null  none")));
        check("exit", Some(("\\q", "")));
        check("QUIT;", Some(("\\q", "")));
        check("help", Some(("\\?", "")));
        check("\\!ls -l; pwd;", Some(("\\!", "ls -l; pwd;")));
        check("SELECT '\\q';", None);
        check("", None);
    }

    #[test]
    fn misspelled_commands() {
        let check = |name, expected| {
            assert_eq!(nearest(name, ALL.iter().map(|command| command.name)), expected, "{name}");
        };
        check("\\chrat", Some("\\chart"));
        check("\\wacth", Some("\\watch"));
        check("\\timming", Some("\\timing"));
        check("\\nothing", None);
    }

    #[test]
    fn paths_with_and_without_quotes() {
        assert_eq!(path("a b"), "a b");
        assert_eq!(path("'it''s'"), "it's");
    }
}
