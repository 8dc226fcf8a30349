//! The directories below which files may be read.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use super::PolicyError;

/// Directories, symbolic links and `..` resolved. None are all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roots(Arc<[PathBuf]>);

/// A root that cannot be one.
#[derive(Debug, Error)]
#[error("{} cannot be a directory to read from: {source}", path.display())]
pub struct BadRoot {
    /// As it was given.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

impl Roots {
    /// # Errors
    /// When one of them is no directory that can be found.
    pub fn new(directories: &[PathBuf]) -> Result<Self, BadRoot> {
        let root = |path: &PathBuf| {
            canonical_directory(path).map_err(|source| BadRoot { path: path.clone(), source })
        };
        directories.iter().map(root).collect::<Result<_, _>>().map(Self)
    }

    /// Whether every file may be read.
    pub fn are_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Finds out where `path` really is, and whether that is allowed.
    ///
    /// # Errors
    /// When it is not, or cannot be found out.
    pub fn check(&self, path: &Path) -> Result<(), PolicyError> {
        if self.are_all() {
            return Ok(());
        }
        let unresolved = |source| PolicyError::Unresolved { path: path.to_owned(), source };
        self.contain(path.canonicalize().map_err(unresolved)?)
    }

    /// The same for a file that is open: no change of links or names moves it any more. `path` is for
    /// errors.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn check_open(&self, file: &File, path: &Path) -> Result<(), PolicyError> {
        if self.are_all() {
            return Ok(());
        }
        let unresolved = |source| PolicyError::Unresolved { path: path.to_owned(), source };
        let opened = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()));
        self.contain(opened.map_err(unresolved)?)
    }

    fn contain(&self, path: PathBuf) -> Result<(), PolicyError> {
        // By components: /data2 is not below /data.
        if self.0.iter().any(|root| path.starts_with(root)) {
            return Ok(());
        }
        Err(PolicyError::PathNotAllowed { path, roots: self.clone() })
    }
}

fn canonical_directory(path: &Path) -> io::Result<PathBuf> {
    let canonical = path.canonicalize()?;
    if canonical.is_dir() { Ok(canonical) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

impl fmt::Display for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let roots: Vec<String> = self.0.iter().map(|root| root.display().to_string()).collect();
        f.write_str(&roots.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn files_are_where_they_really_are() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        for directory in ["root/deep", "rootX", "elsewhere"] {
            fs::create_dir_all(at(directory)).unwrap();
        }
        for file in ["root/a", "root/deep/b", "rootX/c", "elsewhere/d", "root/..e"] {
            fs::write(at(file), "x").unwrap();
        }
        symlink(at("elsewhere/d"), at("root/out")).unwrap();
        symlink(at("elsewhere"), at("root/away")).unwrap();
        symlink(at("root/a"), at("elsewhere/in")).unwrap();
        symlink("loop", at("root/loop")).unwrap();
        // A root may be given through links and `..` itself.
        let roots = Roots::new(&[at("elsewhere/../root")]).unwrap();
        let check = |name: &str, expected: Result<(), &str>| {
            let found = roots.check(&at(name)).map_err(|error| error.to_string());
            match expected {
                Ok(()) => assert_eq!(found, Ok(()), "{name}"),
                Err(part) => assert!(found.clone().is_err_and(|e| e.contains(part)), "{found:?}"),
            }
            if let Ok(file) = File::open(at(name)) {
                assert_eq!(roots.check_open(&file, &at(name)).is_ok(), expected.is_ok(), "{name}");
            }
        };
        check("root/a", Ok(()));
        check("root/deep/b", Ok(()));
        check("root/deep/../a", Ok(()));
        check("root/..e", Ok(()));
        check("elsewhere/in", Ok(()));
        check("rootX/c", Err("rootX/c is not below "));
        check("elsewhere/d", Err("elsewhere/d is not below "));
        check("root/../elsewhere/d", Err("elsewhere/d is not below "));
        check("root/out", Err("elsewhere/d is not below "));
        check("root/away/d", Err("elsewhere/d is not below "));
        check("root/away/../rootX/c", Err("rootX/c is not below "));
        check("root/missing", Err("cannot tell where "));
        check("root/loop", Err("cannot tell where "));
    }

    #[test]
    fn a_root_is_a_directory() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(Roots::new(&[place.path().to_owned()]).is_ok());
        assert!(Roots::new(&[file]).is_err());
        assert!(Roots::new(&[place.path().join("missing")]).is_err());
        assert!(Roots::default().check(Path::new("/etc/passwd")).is_ok());
    }
}
