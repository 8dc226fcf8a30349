//! Files that nobody but their owner may read.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Longer than any secret.
const MAX_BYTES: u64 = 64 * 1024;
const OTHERS: u32 = 0o077;

/// Why a secret cannot be read or kept.
#[derive(Debug, Error)]
pub enum SecretFileError {
    /// The system says no.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is no secret.
    #[error("{} can be read by others; `chmod 600` makes it a secret", path.display())]
    Readable {
        /// The file.
        path: PathBuf,
    },
}

/// The text of a file of mode 0600 or stricter.
pub(super) fn read(path: &Path) -> Result<String, SecretFileError> {
    let failed = |source| SecretFileError::Io { path: path.to_owned(), source };
    let file = fs::File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & OTHERS != 0 {
        return Err(SecretFileError::Readable { path: path.to_owned() });
    }
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Makes the file whole, under its name, with mode 0600, and its directories. A file that is there
/// stays, and is an error of kind `AlreadyExists`.
pub(super) fn create(path: &Path, contents: &[u8]) -> Result<(), SecretFileError> {
    let failed = |source| SecretFileError::Io { path: path.to_owned(), source };
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed)?;
    }
    // Whoever looks for the file meanwhile sees all of it or none.
    let draft = path.with_added_extension(format!("{:08x}.new", getrandom::u32().unwrap_or(0)));
    write_new(&draft, contents).map_err(failed)?;
    let linked = fs::hard_link(&draft, path);
    let _ = fs::remove_file(&draft);
    linked.map_err(failed)
}

/// As [`create`]; where somebody else was first, theirs stays.
pub(super) fn create_once(path: &Path, contents: &[u8]) -> Result<(), SecretFileError> {
    match create(path, contents) {
        Err(SecretFileError::Io { source, .. })
            if source.kind() == io::ErrorKind::AlreadyExists && path.exists() =>
        {
            Ok(())
        }
        created => created,
    }
}

fn write_new(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_made_once_and_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/token");
        create_once(&path, b"first").unwrap();
        create_once(&path, b"second").unwrap();
        create(&path, b"third").unwrap_err();
        assert_eq!(read(&path).unwrap(), "first");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_others_can_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(read(&path), Err(SecretFileError::Readable { .. })));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
        assert_eq!(read(&path).unwrap(), "x");
    }
}
