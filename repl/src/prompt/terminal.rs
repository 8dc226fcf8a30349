//! The terminal as it was found.

use std::io::{self, IsTerminal, Write};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::paint;

/// Ends the mode in which a terminal marks what is pasted.
const END_BRACKETED_PASTE: &str = "\x1b[?2004l";

/// The attributes that the terminal had when the prompt began.
pub(super) struct Terminal {
    attributes: Option<Termios>,
    is_dumb: bool,
}

impl Terminal {
    pub(super) fn of_process() -> Self {
        Self { attributes: tcgetattr(io::stdin()).ok(), is_dumb: paint::is_dumb() }
    }

    /// Whether colours are shown, and wanted.
    pub(super) fn has_colours(&self) -> bool {
        paint::wants_colours() && io::stdout().is_terminal()
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
