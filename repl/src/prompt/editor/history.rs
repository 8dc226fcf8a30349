//! Where the history is kept: `$XDG_STATE_HOME/gleam-sql/history`.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::PathBuf;

/// Entries that are kept.
pub(super) const MOST_ENTRIES: usize = 10_000;

/// The file, which only its owner can read; none where it cannot be made.
pub(super) fn open() -> Option<PathBuf> {
    let directory = state_directory()?.join("gleam-sql");
    DirBuilder::new().recursive(true).mode(0o700).create(&directory).ok()?;
    let path = directory.join("history");
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path).ok()?;
    // It may have been made by somebody who was less careful.
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).ok()?;
    Some(path)
}

/// A relative path is to be ignored: <https://specifications.freedesktop.org/basedir-spec/latest/>.
fn state_directory() -> Option<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name).map(PathBuf::from).filter(|directory| directory.is_absolute())
    };
    absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))
}
