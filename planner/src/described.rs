//! What is known of files before a query reads them.

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::prelude::SessionContext;
use gleam_sql_executor::text::{Compression, SourceKind};

use crate::plain_message;
use crate::sources;

/// Files, as a table.
#[derive(Debug, Clone)]
pub struct DescribedSource {
    /// What they are read as: `text`, `csv`.
    pub format: &'static str,
    /// The compression that the name tells of.
    pub compression: Option<&'static str>,
    /// How many files there are.
    pub files: usize,
    /// Their columns.
    pub columns: SchemaRef,
}

/// Describes what `FROM 'name'` would read. It looks at directories and headers, as planning does.
///
/// # Errors
/// Why it cannot be read, in one line or more.
pub async fn describe_source(
    context: &SessionContext,
    name: &str,
) -> Result<DescribedSource, String> {
    let opened = sources::open(&context.state(), name).await;
    let opened = opened.map_err(|error| plain_message(&error))?;
    let format = match opened.kind {
        SourceKind::Csv => "csv",
        SourceKind::Tsv => "tsv",
        SourceKind::Json => "json",
        SourceKind::Parquet => "parquet",
        SourceKind::Arrow => "arrow",
        SourceKind::Text => "text",
    };
    let compression = Compression::of_name(name).map(|compression| match compression {
        Compression::Gzip => "gzip",
        Compression::Bzip2 => "bzip2",
        Compression::Xz => "xz",
        Compression::Zstd => "zstd",
    });
    Ok(DescribedSource { format, compression, files: opened.files, columns: opened.table.schema() })
}
