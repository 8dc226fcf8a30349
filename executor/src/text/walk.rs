//! The files that a glob matches, as a shell finds them.

use std::fs::{self, DirEntry};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern, PatternError};

/// As a shell matches: `*` stays within a directory and leaves hidden files alone.
pub(crate) const SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// One step of a glob, between two `/`.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// A name without glob characters.
    Name(String),
    Pattern(Pattern),
    /// `**`: any number of directories, without following symbolic links, which may go round
    /// in circles.
    AnyDepth,
}

/// Reads a glob that is relative to a directory.
pub(crate) fn steps(glob: &str) -> Result<Vec<Step>, PatternError> {
    let names = glob.split('/').filter(|name| !name.is_empty());
    let mut steps = names
        .map(|name| match name {
            "**" => Ok(Step::AnyDepth),
            _ if name.contains(['*', '?', '[']) => Pattern::new(name).map(Step::Pattern),
            _ => Ok(Step::Name(name.to_owned())),
        })
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(Step::AnyDepth) = steps.last() {
        steps.push(Step::Pattern(Pattern::new("*")?));
    }
    Ok(steps)
}

/// A directory that could not be searched.
#[derive(Debug)]
pub(crate) struct WalkError {
    pub(crate) directory: PathBuf,
    pub(crate) source: io::Error,
}

/// All that is at the end of the steps, directories included, in order and each once.
pub(crate) fn walk(directory: &Path, steps: &[Step]) -> Result<Vec<PathBuf>, WalkError> {
    let mut found = Vec::new();
    descend(directory, steps, &mut found)?;
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

fn descend(path: &Path, steps: &[Step], found: &mut Vec<PathBuf>) -> Result<(), WalkError> {
    let Some((step, rest)) = steps.split_first() else {
        found.push(path.to_owned());
        return Ok(());
    };
    match step {
        Step::Name(name) => {
            let path = path.join(name);
            if path.symlink_metadata().is_ok() {
                descend(&path, rest, found)?;
            }
        }
        Step::Pattern(pattern) => {
            for entry in entries(path)? {
                if pattern.matches_with(&entry.file_name().to_string_lossy(), SHELL) {
                    descend(&entry.path(), rest, found)?;
                }
            }
        }
        Step::AnyDepth => {
            descend(path, rest, found)?;
            for entry in entries(path)? {
                let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                if is_directory && !is_hidden {
                    descend(&entry.path(), steps, found)?;
                }
            }
        }
    }
    Ok(())
}

/// What is in a directory; nothing in what is none.
fn entries(path: &Path) -> Result<Vec<DirEntry>, WalkError> {
    match fs::read_dir(path).and_then(Iterator::collect) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(vec![])
        }
        result => result.map_err(|source| WalkError { directory: path.to_owned(), source }),
    }
}
