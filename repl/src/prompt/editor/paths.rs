//! Paths inside quotes.

use std::fs;
use std::path::Path;

use rustyline::completion::Pair;

/// Entries of a directory that are looked at.
const MOST_ENTRIES: usize = 10_000;
/// What makes a path a glob, which is left alone.
const GLOB: [char; 4] = ['*', '?', '[', '{'];

/// What may follow a path that ends in the middle of a name. Directories end with `/`; a file ends
/// with `behind`, such as a closing quote. A quote in a name is doubled where `doubles_quotes`.
pub(super) fn candidates(path: &str, behind: &str, doubles_quotes: bool) -> Vec<Pair> {
    let path = if doubles_quotes { path.replace("''", "'") } else { path.to_owned() };
    if path.contains(GLOB) || path.contains("://") {
        return Vec::new();
    }
    let (directory, prefix) = match path.rfind('/') {
        Some(at) => path.split_at(at + 1),
        None => ("", path.as_str()),
    };
    let searched = if directory.is_empty() { Path::new(".") } else { Path::new(directory) };
    let Ok(entries) = fs::read_dir(searched) else { return Vec::new() };
    let mut found: Vec<(String, bool)> = entries
        .take(MOST_ENTRIES)
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let is_wanted = name.starts_with(prefix)
                && (prefix.starts_with('.') || !name.starts_with('.'))
                && !name.contains(char::is_control);
            // Behind a link there may be a directory.
            is_wanted.then(|| (name, entry.path().is_dir()))
        })
        .collect();
    found.sort();
    let pair = |(name, is_directory): (String, bool)| {
        let display = if is_directory { format!("{name}/") } else { name.clone() };
        let written = format!("{directory}{name}");
        let written = if doubles_quotes { written.replace('\'', "''") } else { written };
        let end = if is_directory { "/" } else { behind };
        Pair { display, replacement: written + end }
    };
    found.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_directories() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["access.log", "it's.log", ".hidden"] {
            fs::write(directory.path().join(name), "").unwrap();
        }
        fs::create_dir(directory.path().join("archive")).unwrap();
        let root = directory.path().to_str().unwrap();
        let check = |path: &str, expected: &[&str]| {
            let found = candidates(&format!("{root}/{path}"), "'", true);
            let found: Vec<&str> =
                found.iter().map(|pair| &pair.replacement[root.len() + 1..]).collect();
            assert_eq!(found, expected, "{path}");
        };
        check("a", &["access.log'", "archive/"]);
        check("", &["access.log'", "archive/", "it''s.log'"]);
        check("it''", &["it''s.log'"]);
        check(".h", &[".hidden'"]);
        check("*.l", &[]);
        check("nosuch/", &[]);
    }
}
