//! What all operators share: their name and place in the statement, and the origin of a row.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in the script: line and column, both counted from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Place {
    /// Line, from 1; 0 where the place is not known.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// How an operator is named to the user.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OperatorLabel {
    /// Its keywords, `MAP LUA` or `PIPE`.
    pub keyword: String,
    /// Where they stand in the script.
    pub place: Place,
}

/// The line of an input file that a row came from, or the range of lines of several rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowOrigin {
    /// The file, as the user named it.
    pub file: String,
    /// Its line, from 1, where it could be found.
    pub line_number: Option<u64>,
    /// The last line, where the row is one of several.
    pub last_line_number: Option<u64>,
}

impl RowOrigin {
    /// From this row to a later one, as far as they are of one file.
    pub fn through(self, last: &Self) -> Self {
        if self.file != last.file || self.line_number == last.line_number {
            return self;
        }
        Self { last_line_number: last.line_number, ..self }
    }
}

impl fmt::Display for RowOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        match (self.line_number, self.last_line_number) {
            (Some(first), Some(last)) => write!(f, ":{first}-{last}"),
            (Some(line), None) => write!(f, ":{line}"),
            (None, _) => Ok(()),
        }
    }
}

/// The first line of a program, for displays of the plan; `…` stands for the rest.
pub fn first_line(code: &str) -> String {
    const LIMIT_CHARACTERS: usize = 60;
    let code = code.trim();
    let line = code.lines().next().unwrap_or_default().trim_end();
    let mut shown: String = line.chars().take(LIMIT_CHARACTERS).collect();
    shown = shown.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if shown.chars().count() < code.chars().count() {
        shown.push_str(" …");
    }
    shown
}

/// What an error in one row does, `ON ERROR …`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OnError {
    /// Ends the query.
    #[default]
    Fail,
    /// A value that does not fit becomes NULL; a call that fails gives one row of NULLs, and that of
    /// a FILTER, a NULL predicate, drops the row.
    Null,
    /// Drops the row. Rows that a FLATMAP call gave before it failed stay.
    Skip,
}

impl fmt::Display for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Fail => "FAIL",
            Self::Null => "NULL",
            Self::Skip => "SKIP",
        })
    }
}
