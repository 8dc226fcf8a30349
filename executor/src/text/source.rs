use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::config::ConfigOptions;
use datafusion::datasource::physical_plan::{FileOpener, FileScanConfig, FileSource};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::LexOrdering;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::filter_pushdown::{FilterPushdownPropagation, PushedDown};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, PhysicalExpr, apply_expression_roots};
use object_store::ObjectStore;

use super::columns::{Columns, LINE};
use super::literal::required_literal;
use super::names::FileNames;
use super::opener::TextOpener;
use super::reader::Recipe;
use super::split::split_evenly;
use super::{schema, schema_with_origin};
use crate::policy::Roots;

/// Used where DataFusion does not say how many rows a batch should have.
const DEFAULT_BATCH_ROWS: usize = 8192;

/// Text as DataFusion's scans read it.
#[derive(Debug, Clone)]
pub struct TextSource {
    names: FileNames,
    table_schema: TableSchema,
    projection: SplitProjection,
    batch_rows: usize,
    metrics: ExecutionPlanMetricsSet,
    roots: Roots,
    /// Stands in every line that a predicate above lets through.
    literal: Option<Arc<str>>,
}

impl TextSource {
    pub(crate) fn new(names: FileNames, has_origin: bool) -> Self {
        let schema = if has_origin { schema_with_origin() } else { schema() };
        let table_schema = TableSchema::from(schema);
        Self {
            names,
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            batch_rows: DEFAULT_BATCH_ROWS,
            metrics: ExecutionPlanMetricsSet::new(),
            roots: Roots::default(),
            literal: None,
        }
    }

    /// Opens files below `roots` only.
    pub(crate) fn below(self, roots: Roots) -> Self {
        Self { roots, ..self }
    }

    /// Passes over lines without the literal, most of them at least.
    pub(crate) fn sieving(self, literal: Option<Arc<str>>) -> Self {
        Self { literal, ..self }
    }

    pub(crate) fn literal(&self) -> Option<&str> {
        self.literal.as_deref()
    }

    pub(crate) fn names(&self) -> &FileNames {
        &self.names
    }

    pub(crate) fn has_origin(&self) -> bool {
        self.table_schema.file_schema().fields().len() > schema().fields().len()
    }

    fn columns(&self) -> Columns {
        Columns::new(self.projection.file_indices.clone())
    }
}

impl FileSource for TextSource {
    fn create_file_opener(
        &self,
        object_store: Arc<dyn ObjectStore>,
        config: &FileScanConfig,
        partition: usize,
    ) -> Result<Arc<dyn FileOpener>> {
        let opener = TextOpener {
            store: (!is_local(config)).then_some(object_store),
            names: self.names.clone(),
            roots: self.roots.clone(),
            recipe: Recipe::new(self.columns(), self.batch_rows, &self.metrics, partition)
                .sieving(self.literal.clone()),
        };
        let schema = self.table_schema.file_schema();
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), schema)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_rows: batch_size, ..self.clone() })
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> Result<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.table_schema.file_schema(), &merged);
        Ok(Some(Arc::new(Self { projection, ..self.clone() })))
    }

    /// Evaluates none of them, but keeps lines away from them for which they would be false.
    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn FileSource>>> {
        let found = filters.iter().filter_map(|filter| required_literal(filter, LINE));
        let longest = found.max_by_key(String::len);
        let pushed = FilterPushdownPropagation::with_parent_pushdown_result(vec![
            PushedDown::No;
            filters.len()
        ]);
        Ok(match longest {
            Some(literal) if self.literal().is_none_or(|known| known.len() < literal.len()) => {
                let sieving = self.clone().sieving(Some(literal.into()));
                pushed.with_updated_node(Arc::new(sieving))
            }
            _ => pushed,
        })
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        "text"
    }

    /// A piece of a file does not know the number of its first line.
    fn supports_repartitioning(&self) -> bool {
        !self.columns().need_line_no()
    }

    fn repartitioned(
        &self,
        target_partitions: usize,
        repartition_file_min_size: usize,
        output_ordering: Option<LexOrdering>,
        config: &FileScanConfig,
    ) -> Result<Option<FileScanConfig>> {
        if !self.supports_repartitioning() || output_ordering.is_some() || !is_local(config) {
            return Ok(None);
        }
        let groups =
            split_evenly(&config.file_groups, target_partitions, repartition_file_min_size as u64);
        Ok(groups.map(|groups| {
            let mut config = config.clone();
            config.file_groups = groups;
            config
        }))
    }

    fn fmt_extra(&self, _format: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        match self.literal() {
            Some(literal) => write!(f, ", lines with='{}'", literal.escape_debug()),
            None => Ok(()),
        }
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(self.projection.source.iter(), f)
    }
}

fn is_local(config: &FileScanConfig) -> bool {
    config.object_store_url == ObjectStoreUrl::local_filesystem()
}
