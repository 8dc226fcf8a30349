//! The configuration file: `$XDG_CONFIG_HOME/gleam-sql/config.toml`.
//!
//! Its keys are the long names of options; `[settings]` has what SET would set, `[variables]` what
//! `-v` would give. What it says is the weakest: the environment and the command line come before it.

mod parse;

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use gleam_sql_parser::{Diagnostic, Location, Span};

use crate::report::Failure;

/// What a configuration file says; nothing where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ConfigFile {
    /// Its path, as messages name it.
    name: String,
    text: String,
    options: Vec<Entry>,
    /// What SET would set, in the order of the names.
    pub(crate) settings: Vec<Entry>,
    /// What `-v` would give.
    pub(crate) variables: Vec<Entry>,
}

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) value: String,
    /// The bytes of its name.
    place: Range<usize>,
}

impl ConfigFile {
    /// The file of this user.
    ///
    /// # Errors
    /// When it cannot be read, or says what is not understood.
    pub(crate) fn of_user() -> Result<Self, Failure> {
        let Some(path) = user_path() else { return Ok(Self::default()) };
        let name = path.display().to_string();
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &name),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Failure::usage(format!("cannot read {name}: {error}"))),
        }
    }

    /// Whether there is a file.
    pub(crate) fn is_there(&self) -> bool {
        !self.name.is_empty()
    }

    /// What an option is set to.
    pub(crate) fn option(&self, long: &str) -> Option<&Entry> {
        self.options.iter().find(|entry| entry.name == long)
    }

    /// `path:line`, where an entry stands.
    pub(crate) fn origin(&self, entry: &Entry) -> String {
        format!("{}:{}", self.name, location(&self.text, entry.place.start).line)
    }

    /// A failure at the place of an entry.
    pub(crate) fn failure(&self, entry: &Entry, message: &str, hint: Option<String>) -> Failure {
        failure_at(&self.text, &self.name, &entry.place, message, hint)
    }
}

/// The path of the file, whether it is there or not; none where nobody says where the user's files
/// are.
pub(crate) fn user_path() -> Option<PathBuf> {
    let directory = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let config = directory("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| Some(PathBuf::from(directory("HOME")?).join(".config")))?;
    Some(config.join("gleam-sql").join("config.toml"))
}

fn failure_at(
    text: &str,
    name: &str,
    place: &Range<usize>,
    message: &str,
    hint: Option<String>,
) -> Failure {
    let span = Span::new(location(text, place.start), location(text, place.end));
    let mut diagnostic = Diagnostic::new(message).at(span);
    diagnostic.hint = hint;
    Failure::configuration(diagnostic.render(text, Some(name)))
}

fn location(text: &str, byte: usize) -> Location {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let column = before[start..].chars().count() + 1;
    Location::new(line as u64, column as u64)
}
