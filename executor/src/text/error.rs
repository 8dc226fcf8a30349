use std::{fmt, io};

use datafusion::error::DataFusionError;

use super::Compression;

/// Why text could not be read. Files are named as the user named them.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// No such file.
    #[error("no such file: {location}")]
    NotFound {
        /// As it stands in the query.
        location: String,
        /// Files and directories beside it, spelled as they would stand in the query.
        candidates: Vec<String>,
    },
    /// The directory that should hold the files does not exist.
    #[error("no such directory: {directory} (looked for {location})")]
    NoDirectory {
        /// As it stands in the query.
        location: String,
        /// The absolute directory.
        directory: String,
    },
    /// A glob that no file matches.
    #[error("no file matches {glob} in {directory}")]
    NoMatch {
        /// As it stands in the query.
        glob: String,
        /// The absolute directory that was searched.
        directory: String,
    },
    /// A glob that cannot be understood.
    #[error("{glob} is not a valid glob: {reason}")]
    BadGlob {
        /// As it stands in the query.
        glob: String,
        /// What is wrong, and at which character.
        reason: String,
    },
    /// A directory where a file is needed.
    #[error("{file} is a directory")]
    Directory {
        /// The directory.
        file: String,
    },
    /// A name that cannot be addressed: not UTF-8, or with control characters.
    #[error("the name {file} cannot be used: {reason}")]
    BadName {
        /// The name, made printable.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that cannot be opened.
    #[error("cannot open {file}: {source}")]
    Open {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file that was opened and then cannot be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file.
        file: String,
        /// What the system said.
        source: io::Error,
    },
    /// A compressed file that ends too early.
    #[error("{file} is truncated: the {compression} data ends in the middle")]
    Truncated {
        /// The file.
        file: String,
        /// Its compression.
        compression: Compression,
    },
    /// A compressed file that does not decompress.
    #[error("{file} is corrupt {compression} data: {reason}")]
    Corrupt {
        /// The file.
        file: String,
        /// Its compression.
        compression: Compression,
        /// What the decoder said.
        reason: String,
    },
    /// A line that does not fit into a string view.
    #[error("{place} of {file} is longer than {max_bytes} bytes")]
    LineTooLong {
        /// The file.
        file: String,
        /// Which line.
        place: LinePlace,
        /// The longest possible line.
        max_bytes: usize,
    },
    /// Standard input has been read before.
    #[error("stdin can be read only once")]
    StdinTaken,
    /// The thread that reads a stream ended without saying why.
    #[error("the thread that reads {file} ended early")]
    ReaderLost {
        /// The file.
        file: String,
    },
}

/// How a line is told apart in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinePlace {
    /// Its number, from 1.
    Number(u64),
    /// Its first byte, where a part of a file is read and lines before it were not counted.
    Offset(u64),
}

impl fmt::Display for LinePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "line {number}"),
            Self::Offset(offset) => write!(f, "the line at byte {offset}"),
        }
    }
}

impl TextError {
    /// What the user can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Directory { file } => {
                Some(format!("its files are '{}/*'", file.trim_end_matches('/')))
            }
            Self::NotFound { location, .. } | Self::NoDirectory { location, .. }
                if location.starts_with("~/") =>
            {
                Some("write the home directory out: ~ is the shell's".to_owned())
            }
            Self::StdinTaken => Some("save it to a file first, and query the file".to_owned()),
            Self::BadGlob { .. } => Some("a literal [ is written [[]".to_owned()),
            _ => None,
        }
    }

    /// Sorts out what a failed read means: the system's error, or bad compressed data.
    pub(crate) fn reading(file: &str, compression: Option<Compression>, error: io::Error) -> Self {
        let file = file.to_owned();
        match compression {
            Some(compression) if error.raw_os_error().is_none() => match error.kind() {
                io::ErrorKind::UnexpectedEof => Self::Truncated { file, compression },
                _ => Self::Corrupt { file, compression, reason: error.to_string() },
            },
            _ => Self::Read { file, source: error },
        }
    }
}

impl From<TextError> for DataFusionError {
    fn from(error: TextError) -> Self {
        Self::External(Box::new(error))
    }
}
