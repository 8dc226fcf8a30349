//! The files of this machine as DataFusion opens them, below the roots only.

use std::fmt;
use std::path::Path as FilePath;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use super::{PolicyError, Roots};

/// Reads files below the roots. Lists and writes nothing: tasks of an agent do neither.
#[derive(Debug)]
pub struct RootedStore {
    files: LocalFileSystem,
    roots: Roots,
}

impl RootedStore {
    /// The files below `roots`.
    pub fn new(roots: Roots) -> Self {
        Self { files: LocalFileSystem::new(), roots }
    }
}

impl fmt::Display for RootedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "files below {}", self.roots)
    }
}

fn refused(error: PolicyError) -> Error {
    Error::Generic { store: "files", source: Box::new(error) }
}

fn does_not(operation: &str) -> Error {
    refused(PolicyError::Writes { node: operation.to_owned() })
}

#[async_trait]
impl ObjectStore for RootedStore {
    /// Checks before, so that nothing else is opened, and after, when no link can change any more what
    /// was opened. All reading comes through here: `get_ranges` does too.
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let path = FilePath::new("/").join(location.as_ref());
        match self.roots.check(&path) {
            // The store says it as its readers know it.
            Ok(()) | Err(PolicyError::Unresolved { .. }) => {}
            Err(error) => return Err(refused(error)),
        }
        let result = self.files.get_opts(location, options).await?;
        match &result.payload {
            GetResultPayload::File(file, _) => {
                self.roots.check_open(file, &path).map_err(refused)?
            }
            GetResultPayload::Stream(_) => return Err(does_not("a stream")),
        }
        Ok(result)
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(does_not("put"))
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(does_not("put"))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        locations.map(|_| Err(does_not("delete"))).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::iter([Err(does_not("list"))]).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(does_not("list"))
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(does_not("copy"))
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;

    use super::*;

    #[tokio::test]
    async fn reads_below_the_roots_only() {
        let place = tempfile::tempdir().unwrap();
        let place = place.path().canonicalize().unwrap();
        for directory in ["in", "out"] {
            std::fs::create_dir(place.join(directory)).unwrap();
            std::fs::write(place.join(directory).join("a b"), directory).unwrap();
        }
        std::os::unix::fs::symlink("../out/a b", place.join("in/link")).unwrap();
        let store = RootedStore::new(Roots::new(&[place.join("in")]).unwrap());
        let at = |name: &str| Path::parse(place.join(name).to_str().unwrap()).unwrap();
        let read = store.get(&at("in/a b")).await.unwrap().bytes().await.unwrap();
        assert_eq!(&read[..], b"in");
        assert_eq!(store.get_ranges(&at("in/a b"), &[0..1, 1..2]).await.unwrap().len(), 2);
        for name in ["out/a b", "in/link"] {
            let refusals = [
                store.get(&at(name)).await.err(),
                store.head(&at(name)).await.err(),
                store.get_ranges(&at(name), std::slice::from_ref(&(0..1))).await.err(),
            ];
            for refusal in refusals {
                let error = refusal.expect("it is outside").to_string();
                assert!(error.contains("out/a b is not below"), "{error}");
            }
        }
        let missing = store.get(&at("in/missing")).await;
        assert!(matches!(missing, Err(Error::NotFound { .. })));
        assert!(store.put(&at("in/new"), "x".into()).await.is_err());
        assert!(store.delete(&at("in/a b")).await.is_err());
        assert!(store.list(None).next().await.unwrap().is_err());
    }
}
