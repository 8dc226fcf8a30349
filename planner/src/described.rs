//! What is known of files before a query reads them.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{LogicalPlanBuilder, col};
use datafusion::prelude::SessionContext;
use gleam_sql_executor::text::{Compression, SourceKind};
use gleam_sql_formats::{Guess, choose};

use crate::formats::Sample;
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

/// A format that most lines of a text have.
#[derive(Debug, Clone)]
pub struct GuessedFormat {
    /// What follows PARSE.
    pub keyword: String,
    /// The lines that have it.
    pub matched: usize,
    /// The lines that were looked at.
    pub lines: usize,
    /// The columns that it adds.
    pub columns: SchemaRef,
}

/// The format that most of the first lines of `FROM 'name'` have; none where that is no text, cannot be
/// read, or has none.
pub async fn guess_format(context: &SessionContext, name: &str) -> Option<GuessedFormat> {
    let state = context.state();
    let opened = sources::open(&state, name).await.ok()?;
    if !matches!(opened.kind, SourceKind::Text) {
        return None;
    }
    let source = provider_as_source(opened.table);
    let rows = LogicalPlanBuilder::scan("lines", source, None).ok()?;
    let rows = rows.project([col("line")]).ok()?.build().ok()?;
    let sample = Sample::of(&rows, &state).await.ok()??;
    let Guess { format, matched, lines } = choose(&sample.lines)?;
    let columns = match format.columns().ok()? {
        Some(columns) => columns,
        None => format.discover(&sample.lines),
    };
    let fields = columns.into_iter().map(|c| Field::new(c.name, c.data_type, true));
    let columns = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    Some(GuessedFormat { keyword: format.keyword().to_owned(), matched, lines, columns })
}
