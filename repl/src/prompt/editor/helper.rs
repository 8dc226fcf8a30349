//! What the line editor asks while the user types.

use std::borrow::Cow;
use std::sync::Arc;

use gleam_sql_parser::is_complete;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper, Result};

use crate::paint::PLAIN;
use crate::prompt::commands;
use crate::prompt::vocabulary::Vocabulary;

use super::{completer, highlighter, hinter, scope};

const HINT: &str = "\x1b[90m";

/// Completion, colours and hints; and whether an entry is finished.
pub(super) struct PromptHelper {
    vocabulary: Arc<Vocabulary>,
    has_colours: bool,
    /// Is told when an entry is, while the terminal still belongs to the editor.
    finished: Box<dyn Fn() + Send + Sync>,
}

impl PromptHelper {
    pub(super) fn new(
        vocabulary: Arc<Vocabulary>,
        has_colours: bool,
        finished: impl Fn() + Send + Sync + 'static,
    ) -> Self {
        Self { vocabulary, has_colours, finished: Box::new(finished) }
    }
}

impl Helper for PromptHelper {}

impl Completer for PromptHelper {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> Result<(usize, Vec<Pair>)> {
        Ok(completer::complete(&self.vocabulary, line, at))
    }
}

impl Hinter for PromptHelper {
    type Hint = String;

    /// Also the moment to look at the files that have just been named.
    fn hint(&self, line: &str, at: usize, context: &Context<'_>) -> Option<String> {
        for name in scope::files(line) {
            self.vocabulary.look_at(&name);
        }
        // Without colours a hint could not be told from what was typed.
        let shows = self.has_colours && at == line.len();
        shows.then(|| hinter::hint(&self.vocabulary, line, at, context)).flatten()
    }
}

impl Highlighter for PromptHelper {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if self.has_colours { Cow::Owned(highlighter::highlight(line)) } else { line.into() }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("{HINT}{hint}{PLAIN}"))
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        self.has_colours && kind != CmdKind::MoveCursor
    }
}

impl Validator for PromptHelper {
    fn validate(&self, context: &mut ValidationContext<'_>) -> Result<ValidationResult> {
        Ok(if is_finished(context.input()) {
            (self.finished)();
            ValidationResult::Valid(None)
        } else {
            ValidationResult::Incomplete
        })
    }
}

/// Whether Enter ends the entry.
fn is_finished(entry: &str) -> bool {
    commands::of_entry(entry).is_some() || is_complete(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_end_at_a_semicolon_outside_quotes() {
        let check = |entry, expected| assert_eq!(is_finished(entry), expected, "{entry}");
        check("", true);
        check("SELECT 1;", true);
        check("SELECT 1; -- done", true);
        check("SELECT 1", false);
        check("SELECT ';", false);
        check("FROM 'x' |> MAP LUA $$ a; b;", false);
        check("FROM 'x' |> MAP LUA $$ a; b; $$ AS (n);", true);
        check("\\d", true);
        check("exit", true);
    }
}
