//! Directories that agents spill to, and what is left of those whose process was killed.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::report::Failure;

/// The directory of one agent is this and the number of its process.
const OF_AN_AGENT: &str = "gleam-sql-agent-";
/// The directory below which the agents of `--local-agents` have theirs is this and the number of
/// the driver's process.
const OF_LOCAL_AGENTS: &str = "gleam-sql-agents-";
/// How many directories may have the number of this process.
const MOST_TURNS: usize = 100;
/// How long an agent that was killed may take to be dead: until then it may still make a file.
const PATIENCE: Duration = Duration::from_secs(2);
const NAP: Duration = Duration::from_millis(1);

/// A directory of this process, which goes with it.
///
/// A process that is killed leaves its directory behind. So each holds a lock on its own, which ends
/// with the process however that comes about, and removes those of the same user without one.
#[derive(Debug)]
pub(crate) struct SpillDirectory {
    path: PathBuf,
    _lock: File,
}

impl SpillDirectory {
    /// For this process as an agent, in `parent`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn of_agent(parent: &Path) -> Result<Self, Failure> {
        Self::make(parent, OF_AN_AGENT)
    }

    /// For the agents that this process starts, in the temporary directory.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn of_local_agents() -> Result<Self, Failure> {
        Self::make(&std::env::temp_dir(), OF_LOCAL_AGENTS)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn make(parent: &Path, prefix: &str) -> Result<Self, Failure> {
        let made = fs::create_dir_all(parent).and_then(|()| create_any(parent, prefix));
        let (own, user) = made.map_err(|error| {
            Failure::usage(format!("cannot spill to {}: {error}", parent.display()))
        })?;
        remove_abandoned(parent, user);
        Ok(own)
    }
}

impl Drop for SpillDirectory {
    fn drop(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = fs::remove_dir_all(&self.path) {
            if error.kind() == io::ErrorKind::NotFound || Instant::now() > deadline {
                return;
            }
            std::thread::sleep(NAP);
        }
    }
}

/// Makes a directory with the number of this process in its name, and tells its user. The same number
/// may be in use elsewhere, where several systems share `parent`.
fn create_any(parent: &Path, prefix: &str) -> io::Result<(SpillDirectory, u32)> {
    let number = std::process::id();
    let mut path = parent.join(format!("{prefix}{number}"));
    for turn in 1..=MOST_TURNS {
        match create_locked(&path) {
            Ok(Some(lock)) => {
                let user = lock.metadata()?.uid();
                return Ok((SpillDirectory { path, _lock: lock }, user));
            }
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(None) | Err(_) => path = parent.join(format!("{prefix}{number}-{turn}")),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// `None` when another process took the new directory for abandoned before it was locked.
fn create_locked(path: &Path) -> io::Result<Option<File>> {
    // Others may write to the temporary directory: theirs is no place for rows.
    fs::DirBuilder::new().mode(0o700).create(path)?;
    let Ok(lock) = File::open(path) else { return Ok(None) };
    // Where a file system knows no locks, nothing is found abandoned either.
    let _ = lock.lock();
    Ok(is_at(&lock, path).then_some(lock))
}

/// Removes the directories of `user` whose processes are gone. What cannot be removed stays.
fn remove_abandoned(parent: &Path, user: u32) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if !is_spill_name(&entry.file_name().to_string_lossy()) {
            continue;
        }
        if let Some(_lock) = abandoned(&path, user) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

/// The lock on a directory of `user` that nobody else holds.
fn abandoned(path: &Path, user: u32) -> Option<File> {
    let metadata = fs::symlink_metadata(path).ok()?;
    if !metadata.is_dir() || metadata.uid() != user {
        return None;
    }
    let directory = File::open(path).ok()?;
    match directory.try_lock() {
        Ok(()) => is_at(&directory, path).then_some(directory),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
    }
}

/// Whether what is open is still what has this name, without links.
fn is_at(open: &File, path: &Path) -> bool {
    let place = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let named = fs::symlink_metadata(path).map(place);
    open.metadata().map(place).ok() == named.ok()
}

fn is_spill_name(name: &str) -> bool {
    let number = name.strip_prefix(OF_AN_AGENT).or_else(|| name.strip_prefix(OF_LOCAL_AGENTS));
    number.is_some_and(|number| {
        number.starts_with(|first: char| first.is_ascii_digit())
            && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_what_nobody_holds_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        for name in ["gleam-sql-agent-1", "gleam-sql-agents-2", "gleam-sql-agent-x", "mine"] {
            fs::create_dir_all(at(name).join("deep")).unwrap();
            fs::write(at(name).join("deep/rows"), "x").unwrap();
        }
        symlink(at("mine"), at("gleam-sql-agent-3")).unwrap();
        fs::write(at("gleam-sql-agent-4"), "a file").unwrap();
        let held = create_locked(&at("gleam-sql-agent-5")).unwrap().unwrap();
        assert!(create_locked(&at("gleam-sql-agent-5")).is_err(), "it is taken");

        let own = SpillDirectory::of_agent(place.path()).unwrap();
        let there = |name: &str| at(name).symlink_metadata().is_ok();
        assert!(!there("gleam-sql-agent-1") && !there("gleam-sql-agents-2"));
        for kept in ["gleam-sql-agent-x", "mine/deep/rows", "gleam-sql-agent-3"] {
            assert!(there(kept), "{kept}");
        }
        assert!(there("gleam-sql-agent-4") && there("gleam-sql-agent-5"));

        drop(held);
        remove_abandoned(place.path(), own.path().metadata().unwrap().uid() + 1);
        assert!(there("gleam-sql-agent-5"), "that of another user");
        remove_abandoned(place.path(), own.path().metadata().unwrap().uid());
        assert!(!there("gleam-sql-agent-5") && own.path().exists());
        let path = own.path().to_owned();
        drop(own);
        assert!(!path.exists());
    }
}
