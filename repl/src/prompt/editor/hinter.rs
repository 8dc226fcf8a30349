//! What is shown behind the cursor.

use rustyline::Context;
use rustyline::history::SearchDirection;

use crate::prompt::commands;
use crate::prompt::vocabulary::Vocabulary;

/// Fewer characters than these fit too many entries of the history.
const LEAST_CHARS: usize = 3;

/// The arguments of a command, what a setting does, or how an entry of the history goes on. Only the
/// last can be taken over.
pub(super) fn hint(
    vocabulary: &Vocabulary,
    line: &str,
    at: usize,
    context: &Context<'_>,
) -> Option<String> {
    from_history(line, at, context)
        .or_else(|| of_command(line))
        .or_else(|| of_setting(vocabulary, line))
}

fn from_history(line: &str, at: usize, context: &Context<'_>) -> Option<String> {
    if line.trim().chars().count() < LEAST_CHARS || context.history_index() == 0 {
        return None;
    }
    let newest = context.history().len().checked_sub(1)?;
    let found = context.history().starts_with(line, newest, SearchDirection::Reverse).ok()??;
    let rest = found.entry.get(at..)?.to_owned();
    // One line, so that the screen does not jump.
    (!rest.is_empty() && !rest.contains('\n')).then_some(rest)
}

fn of_command(line: &str) -> Option<String> {
    let name = line.strip_suffix(' ')?;
    let command = commands::ALL.iter().find(|command| command.name == name)?;
    (!command.arguments.is_empty()).then(|| command.arguments.to_owned())
}

fn of_setting(vocabulary: &Vocabulary, line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let verb = words.next()?;
    if !["SET", "SHOW", "RESET"].iter().any(|known| verb.eq_ignore_ascii_case(known)) {
        return None;
    }
    let name = words.next()?;
    if words.next().is_some_and(|word| word != "=") || !line.ends_with(' ') {
        return None;
    }
    let known = vocabulary.words();
    let setting = known.settings.iter().find(|setting| setting.name == name)?;
    let value = setting.value.as_deref().unwrap_or("not set");
    Some(format!("  -- now {value}; {}", setting.description.lines().next().unwrap_or_default()))
}
