use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::record_batch::RecordBatch;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileOpenFuture, FileOpener};
use datafusion::error::Result;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::{GetResultPayload, ObjectStore, ObjectStoreExt};
use tokio::runtime::Handle;

use super::TextError;
use super::input::{Input, read_head};
use super::names::{FileName, FileNames};
use super::reader::{Recipe, TextReader};
use super::remote::RemoteReader;
use super::threaded::read_in_thread;
use crate::policy::Roots;

/// How long a scan, and what works on its rows, may keep a thread for itself.
const LONGEST_TURN: Duration = Duration::from_millis(20);

type BatchStream = BoxStream<'static, Result<RecordBatch>>;

/// Opens the files of one partition of a scan.
pub(crate) struct TextOpener {
    /// `None` for this machine's files, which are opened without a detour: DataFusion's store
    /// refuses some names that are good here.
    pub(crate) store: Option<Arc<dyn ObjectStore>>,
    pub(crate) names: FileNames,
    /// Where the files of this machine may be.
    pub(crate) roots: Roots,
    pub(crate) recipe: Recipe,
}

impl FileOpener for TextOpener {
    fn open(&self, file: PartitionedFile) -> Result<FileOpenFuture> {
        let recipe = self.recipe.clone();
        let location = file.object_meta.location;
        let name = self.names.name(location.as_ref());
        let range = file.range.map(|range| range.start.max(0) as u64..range.end.max(0) as u64);
        let Some(store) = self.store.clone() else {
            let path = PathBuf::from(format!("/{location}"));
            let roots = self.roots.clone();
            let name = FileName { shown: name, path: Some(format!("/{location}")) };
            return Ok(Box::pin(async move { open_local(path, name, &roots, range, recipe) }));
        };
        let name = FileName { shown: name, path: None };
        Ok(Box::pin(async move {
            // An object is read by its first range: it cannot be cut.
            if range.is_some_and(|range| range.start > 0) {
                return Ok(stream::empty().boxed());
            }
            let object = store.get(&location).await;
            let object = object.map_err(|error| TextError::Open {
                file: name.shown.clone(),
                source: io::Error::other(error),
            })?;
            match object.payload {
                GetResultPayload::File(file, _) => read_file(file, name, None, recipe),
                GetResultPayload::Stream(bytes) => {
                    let reader = RemoteReader::new(bytes, Handle::current());
                    open_remote(reader, name, recipe)
                }
            }
        }))
    }
}

/// Reads a regular file in place, as DataFusion reads its own; anything else in a thread.
fn open_local(
    path: PathBuf,
    name: FileName,
    roots: &Roots,
    range: Option<Range<u64>>,
    recipe: Recipe,
) -> Result<BatchStream> {
    let opening = |source| TextError::Open { file: name.shown.clone(), source };
    roots.check(&path)?;
    let metadata = path.metadata().map_err(opening)?;
    if metadata.is_dir() {
        return Err(TextError::Directory { file: name.shown }.into());
    }
    if metadata.is_file() {
        let file = File::open(&path).map_err(opening)?;
        roots.check_open(&file, &path)?;
        return read_file(file, name, range, recipe);
    }
    // As with objects: what can be read only once is read by its first range.
    if range.is_some_and(|range| range.start > 0) {
        return Ok(stream::empty().boxed());
    }
    let roots = roots.clone();
    read_in_thread(name.shown.clone(), move || open_stream(&path, name, &roots, recipe).map(Some))
}

fn open_stream(
    path: &Path,
    name: FileName,
    roots: &Roots,
    recipe: Recipe,
) -> Result<TextReader, TextError> {
    let open = || {
        let file = File::open(path)?;
        roots.check_open(&file, path).map_err(io::Error::other)?;
        Input::of_stream(file, &recipe.scanned)
    };
    let input = open().map_err(|source| TextError::Open { file: name.shown.clone(), source })?;
    Ok(TextReader::new(name, input, recipe))
}

fn read_file(
    file: File,
    name: FileName,
    range: Option<Range<u64>>,
    recipe: Recipe,
) -> Result<BatchStream> {
    let input = Input::of_file(file, range, recipe.columns.need_line_no(), &recipe.scanned)
        .map_err(|source| TextError::Read { file: name.shown.clone(), source })?;
    let reader = input.map(|input| TextReader::new(name, input, recipe));
    Ok(paced(reader.into_iter().flatten()))
}

/// A scan never waits, and DataFusion lets it go on for a hundred batches and more: meanwhile the thread
/// sees no signal and answers no other process. It lets go of the thread every now and then.
fn paced(
    batches: impl Iterator<Item = Result<RecordBatch, TextError>> + Send + 'static,
) -> BatchStream {
    let batches =
        stream::unfold((batches, Instant::now()), |(mut batches, mut since)| async move {
            if since.elapsed() >= LONGEST_TURN {
                tokio::task::yield_now().await;
                since = Instant::now();
            }
            let batch = batches.next()?;
            Some((batch.map_err(Into::into), (batches, since)))
        });
    batches.boxed()
}

fn open_remote(mut reader: RemoteReader, name: FileName, recipe: Recipe) -> Result<BatchStream> {
    read_in_thread(name.shown.clone(), move || {
        let reading = |source| TextError::Read { file: name.shown.clone(), source };
        let head = read_head(&mut reader).map_err(reading)?;
        let input = Input::of_reader(head, Box::new(reader), &recipe.scanned).map_err(reading)?;
        Ok(Some(TextReader::new(name, input, recipe)))
    })
}
