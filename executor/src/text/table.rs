use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

use super::resolve::{Resolved, resolve};
use super::{StdinTable, TextFormat, TextSource, schema, schema_with_origin};

/// The text behind a path, a glob or a URL.
///
/// # Errors
/// [`TextError`](super::TextError) when there is no file, or one that cannot be text.
pub async fn text_table(state: &dyn Session, location: &str) -> Result<Arc<dyn TableProvider>> {
    let resolved = Arc::new(resolve(state, location).await?);
    let location = location.to_owned();
    Ok(Arc::new(TextTable { location, resolved, has_origin: false }))
}

/// The same table with the columns of [`schema_with_origin`], if it is one of text.
pub fn with_origin(table: &dyn TableProvider) -> Option<Arc<dyn TableProvider>> {
    if let Some(table) = table.downcast_ref::<TextTable>() {
        return Some(table.with_origin());
    }
    table.downcast_ref::<StdinTable>().map(StdinTable::with_origin)
}

/// Text files as a table. They are looked for when the table is made, so that errors come early, and
/// again for each scan: a view sees the files that are there when it is used.
#[derive(Debug, Clone)]
pub struct TextTable {
    location: String,
    resolved: Arc<Resolved>,
    has_origin: bool,
}

impl TextTable {
    /// The same files, with two more columns that tell where a row comes from.
    pub fn with_origin(&self) -> Arc<dyn TableProvider> {
        Arc::new(Self { has_origin: true, ..self.clone() })
    }

    /// The absolute paths of local files.
    pub fn paths(&self) -> Vec<String> {
        let locations = self.resolved.files.iter().map(|file| file.object_meta.location.as_ref());
        locations.map(|location| format!("/{location}")).collect()
    }

    /// What there is to read, in bytes as they are stored.
    pub fn bytes(&self) -> u64 {
        self.resolved.bytes()
    }
}

#[async_trait]
impl TableProvider for TextTable {
    fn schema(&self) -> SchemaRef {
        if self.has_origin { schema_with_origin() } else { schema() }
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let resolved = resolve(state, &self.location).await?;
        let Resolved { store, names, files } = &resolved;
        let bytes = resolved.bytes();
        let small = state.config_options().optimizer.repartition_file_min_size as u64;
        let partitions = if bytes < small { 1 } else { state.config().target_partitions() };
        let groups = FileGroup::new(files.clone()).split_files(partitions);
        let source = TextSource::new(names.clone(), self.has_origin);
        let config = FileScanConfigBuilder::new(store.clone(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(Statistics {
                total_byte_size: Precision::Inexact(bytes as usize),
                ..Statistics::new_unknown(&self.schema())
            })
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        TextFormat.create_physical_plan(state, config).await
    }
}
