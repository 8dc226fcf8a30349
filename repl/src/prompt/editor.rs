//! The line editor.

mod helper;

mod completer;
mod context;
mod paths;
mod scope;
mod words;

mod highlighter;
mod hinter;
mod history;

use crate::paint::PLAIN;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::runtime::SpawnedTask;
use rustyline::config::BellStyle;
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{ColorMode, CompletionType, Config};

use self::helper::PromptHelper;
use super::vocabulary::Vocabulary;

const PROMPT: &str = "gleam> ";
const PROMPT_COLOUR: &str = "\x1b[1;32m";
/// Candidates that are listed without asking first.
const LISTED: usize = 200;

/// What the user has entered.
#[derive(Debug)]
pub(super) enum Entry {
    /// Statements, or a command.
    Text(String),
    /// Ctrl-C: nothing.
    Cleared,
    /// Ctrl-D.
    End,
    /// The terminal cannot be read.
    Failed(ReadlineError),
}

/// Reads entries and keeps their history.
pub(super) struct Editor {
    inner: Option<rustyline::Editor<PromptHelper, DefaultHistory>>,
    history: Option<PathBuf>,
    has_colours: bool,
}

impl Editor {
    /// Calls `finished` when an entry is, while the terminal is still the editor's.
    ///
    /// # Errors
    /// When the terminal cannot be used.
    pub(super) fn new(
        vocabulary: Arc<Vocabulary>,
        has_colours: bool,
        finished: impl Fn() + Send + Sync + 'static,
    ) -> Result<Self, ReadlineError> {
        let colours = if has_colours { ColorMode::Enabled } else { ColorMode::Disabled };
        let config = Config::builder()
            .max_history_size(history::MOST_ENTRIES)?
            .history_ignore_dups(true)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .completion_show_all_if_ambiguous(true)
            .completion_prompt_limit(LISTED)
            .bell_style(BellStyle::None)
            .color_mode(colours)
            .bracketed_paste(true)
            .build();
        let mut inner = rustyline::Editor::with_config(config)?;
        inner.set_helper(Some(PromptHelper::new(vocabulary, has_colours, finished)));
        let history = history::open();
        if let Some(path) = &history {
            // A history that cannot be read is an empty one.
            let _ = inner.load_history(path);
        }
        Ok(Self { inner: Some(inner), history, has_colours })
    }

    /// Reads the next entry, which `initial` is the beginning of.
    pub(super) async fn read(&mut self, initial: String) -> Entry {
        let Some(mut inner) = self.inner.take() else { return Entry::End };
        let styled = match self.has_colours {
            true => format!("{PROMPT_COLOUR}{PROMPT}{PLAIN}"),
            false => PROMPT.to_owned(),
        };
        let read = SpawnedTask::spawn_blocking(move || {
            let entered = inner.readline_with_initial(&(PROMPT, styled), (&initial, ""));
            (inner, entered)
        });
        let Ok((mut inner, entered)) = read.join().await else { return Entry::End };
        let entry = match entered {
            Ok(text) => {
                self.remember(&mut inner, &text);
                Entry::Text(text)
            }
            Err(ReadlineError::Interrupted) => Entry::Cleared,
            Err(ReadlineError::Eof) => Entry::End,
            Err(error) => Entry::Failed(error),
        };
        self.inner = Some(inner);
        entry
    }

    /// At once, so that a lost terminal loses nothing.
    fn remember(&self, inner: &mut rustyline::Editor<PromptHelper, DefaultHistory>, text: &str) {
        let text = text.trim_end();
        let is_new = !text.is_empty() && inner.add_history_entry(text).unwrap_or(false);
        if let Some(path) = self.history.as_ref().filter(|_| is_new) {
            // A full disk does not keep anybody from asking.
            let _ = inner.append_history(path);
        }
    }
}
