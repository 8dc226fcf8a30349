//! From what stands in `FROM` to files.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::Path;

use datafusion::catalog::Session;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use futures::TryStreamExt;
use glob::Pattern;
use object_store::path::Path as Location;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::TextError;
use super::names::FileNames;
use super::walk::{SHELL, steps, walk};

/// How many neighbours of a missing file are looked at.
const MAX_CANDIDATES: usize = 1_000;

/// The files behind a location, of which there is at least one.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) store: ObjectStoreUrl,
    pub(crate) names: FileNames,
    pub(crate) files: Vec<PartitionedFile>,
}

impl Resolved {
    /// What there is to read, in bytes as they are stored.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(PartitionedFile::effective_size).sum()
    }
}

/// Finds the files of a path, a glob or a URL. What exists literally is no glob.
pub(crate) async fn resolve(state: &dyn Session, location: &str) -> Result<Resolved> {
    match location.split_once("://") {
        Some(("file", path)) => Ok(resolve_local(&decoded(location, path)?)?),
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            resolve_remote(state, location, scheme, rest).await
        }
        _ => Ok(resolve_local(location)?),
    }
}

fn decoded(location: &str, url_path: &str) -> Result<String, TextError> {
    let path = Location::from_url_path(url_path).map_err(|error| bad_name(location, &error))?;
    Ok(format!("/{path}"))
}

fn resolve_local(location: &str) -> Result<Resolved, TextError> {
    match fs::metadata(location) {
        Ok(metadata) if metadata.is_dir() => {
            Err(TextError::Directory { file: location.to_owned() })
        }
        Ok(metadata) => one_file(location, &metadata),
        Err(error) => match glob_start(location) {
            Some(start) => matching_files(location, start),
            None if error.kind() == ErrorKind::NotFound => Err(missing(location)),
            None => Err(TextError::Open { file: location.to_owned(), source: error }),
        },
    }
}

fn one_file(location: &str, metadata: &Metadata) -> Result<Resolved, TextError> {
    let (shown, name) = split_after_slash(location, location.len());
    let directory =
        absolute(shown).map_err(|source| TextError::Open { file: location.to_owned(), source })?;
    let names = FileNames { base: base_of(&directory), shown: shown.to_owned() };
    let file = file_at(location, &format!("{}{name}", names.base), metadata.len())?;
    Ok(Resolved { store: ObjectStoreUrl::local_filesystem(), names, files: vec![file] })
}

/// `start` is the place of the first glob character.
fn matching_files(location: &str, start: usize) -> Result<Resolved, TextError> {
    let (shown, pattern) = split_after_slash(location, start);
    let directory = absolute(shown).map_err(|_| TextError::NoDirectory {
        location: location.to_owned(),
        directory: std::path::absolute(shown)
            .map_or_else(|_| shown.to_owned(), |path| path.display().to_string()),
    })?;
    let names = FileNames { base: base_of(&directory), shown: shown.to_owned() };
    let steps = steps(pattern).map_err(|error| bad_glob(location, &error))?;
    let paths = walk(Path::new(&directory), &steps).map_err(|error| TextError::Open {
        file: error.directory.display().to_string(),
        source: error.source,
    })?;
    let mut files = Vec::new();
    for path in paths {
        files.extend(matched_file(&path, &names)?);
    }
    if files.is_empty() {
        return Err(TextError::NoMatch { glob: location.to_owned(), directory });
    }
    Ok(Resolved { store: ObjectStoreUrl::local_filesystem(), names, files })
}

/// `None` for a directory: a glob is after the files in it.
fn matched_file(path: &Path, names: &FileNames) -> Result<Option<PartitionedFile>, TextError> {
    let Some(location) = path.to_str() else {
        return Err(bad_name(&path.display().to_string(), &"it is not UTF-8"));
    };
    let location = location.trim_start_matches('/');
    let name = || names.name(location);
    let metadata = fs::metadata(path).map_err(|source| TextError::Open { file: name(), source })?;
    if metadata.is_dir() {
        return Ok(None);
    }
    file_at(&name(), location, metadata.len()).map(Some)
}

async fn resolve_remote(
    state: &dyn Session,
    location: &str,
    scheme: &str,
    rest: &str,
) -> Result<Resolved> {
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    let shown = format!("{scheme}://{bucket}/");
    let url = ObjectStoreUrl::parse(&shown)?;
    let store = state.runtime_env().object_store(&url)?;
    let objects = match glob_start(key) {
        None => {
            let key = Location::parse(key).map_err(|error| bad_name(location, &error))?;
            vec![store.head(&key).await.map_err(|error| not_opened(location, error))?]
        }
        Some(start) => matching_objects(store.as_ref(), location, key, start).await?,
    };
    let files = objects.into_iter().map(PartitionedFile::new_from_meta).collect();
    Ok(Resolved { store: url, names: FileNames { base: String::new(), shown }, files })
}

/// `start` is the place of the first glob character in `key`.
async fn matching_objects(
    store: &dyn ObjectStore,
    location: &str,
    key: &str,
    start: usize,
) -> Result<Vec<ObjectMeta>, TextError> {
    let pattern = Pattern::new(key).map_err(|error| bad_glob(location, &error))?;
    let (prefix, _) = split_after_slash(key, start);
    let prefix = Location::parse(prefix).map_err(|error| bad_name(location, &error))?;
    let objects = store.list(Some(&prefix)).try_collect::<Vec<_>>().await;
    let mut objects = objects.map_err(|error| not_opened(location, error))?;
    objects.retain(|object| pattern.matches_with(object.location.as_ref(), SHELL));
    objects.sort_by(|a, b| a.location.cmp(&b.location));
    if objects.is_empty() {
        let directory = location[..location.len() - key.len()].to_owned() + prefix.as_ref();
        return Err(TextError::NoMatch { glob: location.to_owned(), directory });
    }
    Ok(objects)
}

fn not_opened(location: &str, error: object_store::Error) -> TextError {
    TextError::Open { file: location.to_owned(), source: io::Error::other(error) }
}

fn glob_start(location: &str) -> Option<usize> {
    location.find(['*', '?', '['])
}

/// Cuts after the last `/` before `end`.
fn split_after_slash(location: &str, end: usize) -> (&str, &str) {
    let cut = location[..end].rfind('/').map_or(0, |slash| slash + 1);
    location.split_at(cut)
}

/// Without symbolic links: `..` after one is not where it looks.
fn absolute(directory: &str) -> io::Result<String> {
    let directory = if directory.is_empty() { "." } else { directory };
    let path = fs::canonicalize(directory)?.into_os_string();
    path.into_string().map_err(|_| io::Error::new(ErrorKind::InvalidData, "its path is not UTF-8"))
}

fn base_of(directory: &str) -> String {
    let base = directory.trim_matches('/');
    if base.is_empty() { String::new() } else { format!("{base}/") }
}

fn file_at(name: &str, location: &str, bytes: u64) -> Result<PartitionedFile, TextError> {
    let location = Location::parse(location).map_err(|error| bad_name(name, &error))?;
    // `new` would percent-encode the name, and the file would be looked for under that.
    let mut file = PartitionedFile::new("", bytes);
    file.object_meta.location = location;
    Ok(file)
}

fn missing(location: &str) -> TextError {
    let location = location.to_owned();
    let (shown, _) = split_after_slash(&location, location.len());
    let directory = if shown.is_empty() { "." } else { shown };
    match fs::read_dir(directory) {
        Err(_) => TextError::NoDirectory { directory: directory.to_owned(), location },
        Ok(entries) => {
            let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
            let candidates = names.take(MAX_CANDIDATES).map(|name| format!("{shown}{name}"));
            TextError::NotFound { candidates: candidates.collect(), location }
        }
    }
}

fn bad_name(name: &str, reason: &dyn std::fmt::Display) -> TextError {
    TextError::BadName { file: name.escape_debug().to_string(), reason: reason.to_string() }
}

fn bad_glob(glob: &str, error: &glob::PatternError) -> TextError {
    TextError::BadGlob { glob: glob.to_owned(), reason: error.msg.to_owned() }
}
