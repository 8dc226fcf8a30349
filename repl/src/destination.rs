//! Where rows go: standard output, or a file that has its name when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The file that is not whole yet; a process writes one at the most.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Where the rows of a run go.
pub(crate) enum Destination {
    /// Standard output.
    Stdout(io::Stdout),
    /// A new file.
    File(NewFile),
    /// Something that is there and no regular file: a pipe, a device.
    Device(File),
}

/// A file under another name, until it is whole. Dropping it removes it.
pub(crate) struct NewFile {
    file: BufWriter<File>,
    written: PathBuf,
    wanted: PathBuf,
}

impl Destination {
    /// Standard output where there is no path, or it is `-`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(crate) fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Stdout(io::stdout()));
        };
        // What a link leads to is written, and the link stays.
        let wanted = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match wanted.metadata() {
            Ok(found) if !found.is_file() => {
                OpenOptions::new().write(true).open(&wanted).map(Self::Device)
            }
            found => {
                let file = NewFile::create(wanted)?;
                if let Ok(found) = found {
                    file.file.get_ref().set_permissions(found.permissions())?;
                }
                Ok(Self::File(file))
            }
        }
    }

    /// Whether a person reads along.
    pub(crate) fn is_terminal(&self) -> bool {
        match self {
            Self::Stdout(stdout) => stdout.is_terminal(),
            Self::Device(device) => device.is_terminal(),
            Self::File(_) => false,
        }
    }

    /// All rows are there: a file gets its name.
    ///
    /// # Errors
    /// When it cannot be written to its end, or not be renamed.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Stdout(mut stdout) => stdout.flush(),
            Self::Device(mut device) => device.flush(),
            Self::File(file) => file.finish(),
        }
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            Self::Device(device) => device.write(bytes),
            Self::File(file) => file.file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::Device(device) => device.flush(),
            Self::File(file) => file.file.flush(),
        }
    }
}

impl NewFile {
    fn create(wanted: PathBuf) -> io::Result<Self> {
        let no_name = || io::Error::new(io::ErrorKind::InvalidInput, "it has no file name");
        let mut name = std::ffi::OsString::from(format!(".gleam-sql-{}-", std::process::id()));
        name.push(wanted.file_name().ok_or_else(no_name)?);
        let written = wanted.with_file_name(name);
        let file = OpenOptions::new().write(true).create_new(true).open(&written)?;
        *unfinished() = Some(written.clone());
        Ok(Self { file: BufWriter::new(file), written, wanted })
    }

    fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        let mut unfinished = unfinished();
        fs::rename(&self.written, &self.wanted)?;
        *unfinished = None;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        remove_unfinished();
    }
}

/// Removes the file that is not whole, if there is one: for a process that is about to exit and
/// cannot wait until each owner has let go.
pub(crate) fn remove_unfinished() {
    if let Some(path) = unfinished().take() {
        // Somebody may have been faster.
        let _ = fs::remove_file(path);
    }
}

fn unfinished() -> MutexGuard<'static, Option<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One test: a process writes one such file at a time.
    #[test]
    fn a_file_is_whole_or_not_there() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out.csv");
        let names = || fs::read_dir(directory.path()).unwrap().count();

        let mut file = Destination::open(Some(&path)).unwrap();
        file.write_all(b"a\n").unwrap();
        assert!(!path.exists());
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"a\n");
        assert_eq!(names(), 1);

        let mut file = Destination::open(Some(&path)).unwrap();
        file.write_all(b"b\n").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"a\n");
        assert_eq!(names(), 1);

        let link = directory.path().join("link.csv");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let mut file = Destination::open(Some(&link)).unwrap();
        file.write_all(b"c\n").unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"c\n");
        assert!(link.is_symlink());

        assert!(Destination::open(Some(&directory.path().join("nosuch/out.csv"))).is_err());
        assert!(matches!(Destination::open(Some(Path::new("-"))), Ok(Destination::Stdout(_))));
        assert!(matches!(
            Destination::open(Some(Path::new("/dev/null"))),
            Ok(Destination::Device(_))
        ));
    }
}
