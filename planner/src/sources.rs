//! What stands in FROM: files, globs, and standard input.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::catalog::{TableProvider, UrlTableFactory};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use gleam_sql_executor::text::{self, Compression, SourceKind, TextTable};
use gleam_sql_parser::text_source;
use thiserror::Error;
use url::Url;

use crate::schemas::{ColumnOrder, common_schema};

/// The name of standard input in FROM.
pub(crate) const STDIN: &str = "stdin";

/// Makes tables of the paths and globs that a statement quotes.
#[derive(Debug)]
pub(crate) struct FileTables {
    stdin_is_taken: bool,
    current: Mutex<Option<Current>>,
}

/// The statement that is being planned.
#[derive(Debug, Clone)]
struct Current {
    state: SessionState,
    /// The names that it has in quotes: only they can be files.
    quoted: Arc<HashSet<String>>,
}

/// A table that cannot be made of what stands in FROM.
#[derive(Debug, Error)]
#[error("{reason}")]
pub(crate) struct SourceError {
    /// The name as it stands in the statement, without its quotes.
    pub(crate) name: String,
    /// Why not.
    #[source]
    pub(crate) reason: DataFusionError,
}

/// Standard input is read for the statements themselves.
#[derive(Debug, Error)]
#[error("standard input is where the SQL comes from, so FROM stdin has nothing to read")]
pub(crate) struct StdinIsTaken;

impl FileTables {
    pub(crate) fn new(stdin_is_taken: bool) -> Self {
        Self { stdin_is_taken, current: Mutex::default() }
    }

    /// A statement that has `quoted` names begins to be planned with `state`.
    pub(crate) fn begin(&self, state: SessionState, quoted: HashSet<String>) {
        self.set(Some(Current { state, quoted: Arc::new(quoted) }));
    }

    /// It has been planned.
    pub(crate) fn end(&self) {
        self.set(None);
    }

    fn set(&self, current: Option<Current>) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = current;
    }

    fn stdin(&self) -> Result<Arc<dyn TableProvider>> {
        if self.stdin_is_taken {
            return Err(DataFusionError::External(Box::new(StdinIsTaken)));
        }
        Ok(text::stdin_table())
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(Current { state, .. }) = current.filter(|current| current.quoted.contains(name))
        else {
            return if name == STDIN { self.stdin().map(Some) } else { Ok(None) };
        };
        open(&state, name).await.map(|opened| Some(opened.table))
    }
}

/// Files that are a table.
pub(crate) struct Opened {
    /// What they are read as.
    pub(crate) kind: SourceKind,
    /// How many there are.
    pub(crate) files: usize,
    pub(crate) table: Arc<dyn TableProvider>,
}

/// The files that a name in quotes means.
pub(crate) async fn open(state: &SessionState, name: &str) -> Result<Opened> {
    let location = text_source(name).unwrap_or(name);
    refuse_unknown_store(state, location)?;
    let text = text::text_table(state, location).await?;
    let files = text.downcast_ref::<TextTable>().map_or(1, |table| table.paths().len());
    let kind = match text_source(name) {
        Some(_) => SourceKind::Text,
        None => text::kind_of(location),
    };
    let table = match kind {
        SourceKind::Text => text,
        kind => typed_table(state, kind, location, text).await?,
    };
    Ok(Opened { kind, files, table })
}

#[async_trait]
impl UrlTableFactory for FileTables {
    async fn try_new(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        self.table(name).await.map_err(|reason| {
            let name = text_source(name).unwrap_or(name).to_owned();
            DataFusionError::External(Box::new(SourceError { name, reason }))
        })
    }
}

/// A quoted value may hold newlines, so that these files are not cut.
fn csv(compression: FileCompressionType) -> CsvFormat {
    CsvFormat::default().with_newlines_in_values(true).with_file_compression_type(compression)
}

/// Only stores that the session knows can be read.
fn refuse_unknown_store(state: &SessionState, location: &str) -> Result<()> {
    let Ok(url) = Url::parse(location) else { return Ok(()) };
    let is_local = url.scheme() == "file" || !location.contains("://");
    if is_local || state.runtime_env().object_store_registry.get_store(&url).is_ok() {
        return Ok(());
    }
    Err(DataFusionError::Plan(format!("not supported yet: sources at {}://", url.scheme())))
}

/// The files of `text`, read as what their names say.
async fn typed_table(
    state: &SessionState,
    kind: SourceKind,
    location: &str,
    text: Arc<dyn TableProvider>,
) -> Result<Arc<dyn TableProvider>> {
    let compression = match Compression::of_name(location) {
        None => FileCompressionType::UNCOMPRESSED,
        Some(Compression::Gzip) => FileCompressionType::GZIP,
        Some(Compression::Bzip2) => FileCompressionType::BZIP2,
        Some(Compression::Xz) => FileCompressionType::XZ,
        Some(Compression::Zstd) => FileCompressionType::ZSTD,
    };
    let format: Arc<dyn FileFormat> = match kind {
        SourceKind::Tsv => Arc::new(csv(compression).with_delimiter(b'\t')),
        SourceKind::Json => Arc::new(JsonFormat::default().with_file_compression_type(compression)),
        SourceKind::Parquet => Arc::new(ParquetFormat::default()),
        SourceKind::Arrow => Arc::new(ArrowFormat),
        SourceKind::Csv | SourceKind::Text => Arc::new(csv(compression)),
    };
    let paths = text.downcast_ref::<TextTable>().map(TextTable::paths).unwrap_or_default();
    let urls = paths.into_iter().map(|path| {
        let url = Url::from_file_path(&path)
            .map_err(|()| DataFusionError::Plan(format!("{path} cannot be addressed")))?;
        ListingTableUrl::try_new(url, None)
    });
    let urls = urls.collect::<Result<Vec<_>>>()?;
    let options = ListingOptions::new(format).with_file_extension("");
    let order = match kind {
        SourceKind::Csv | SourceKind::Tsv | SourceKind::Text => ColumnOrder::Position,
        SourceKind::Json | SourceKind::Parquet | SourceKind::Arrow => ColumnOrder::Name,
    };
    let schema = common_schema(&urls, &options, order, state).await?;
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .with_schema(schema);
    Ok(Arc::new(ListingTable::try_new(config)?))
}
