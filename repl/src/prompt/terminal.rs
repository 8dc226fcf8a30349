//! The terminal as it was found.

use std::io::{self, IsTerminal, Write};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// Ends the mode in which a terminal marks what is pasted.
const END_BRACKETED_PASTE: &str = "\x1b[?2004l";

/// Whether a terminal is to show colours: <https://no-color.org>.
pub(super) fn wants_colours() -> bool {
    let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !is_refused && !is_dumb()
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty())
}

/// The attributes that the terminal had when the prompt began.
pub(super) struct Terminal {
    attributes: Option<Termios>,
    is_dumb: bool,
}

impl Terminal {
    pub(super) fn of_process() -> Self {
        Self { attributes: tcgetattr(io::stdin()).ok(), is_dumb: is_dumb() }
    }

    /// Whether colours are shown, and wanted.
    pub(super) fn has_colours(&self) -> bool {
        wants_colours() && io::stdout().is_terminal()
    }

    /// Puts the attributes back.
    pub(super) fn restore(&self) {
        let Some(attributes) = &self.attributes else { return };
        // Where the terminal has gone there is nothing to restore.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, attributes);
        if !self.is_dumb {
            let _ = io::stdout().write_all(END_BRACKETED_PASTE.as_bytes());
            let _ = io::stdout().flush();
        }
    }
}
