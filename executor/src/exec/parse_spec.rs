//! What a `PARSE` does: the format, its columns, and where they stand among those of the input.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::error::{DataFusionError, Result};
use gleam_sql_formats::{ColumnSpec, FormatSpec, LineParser};

use crate::operator::{OnError, OperatorLabel};

/// A `PARSE` without its input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ParseSpec {
    /// How messages name the operator.
    pub label: OperatorLabel,
    /// The format of the lines.
    pub format: FormatSpec,
    /// The fields that become columns.
    pub columns: Vec<ColumnSpec>,
    /// What these columns are called in the output.
    pub names: Vec<String>,
    /// What a line does that does not have the format.
    pub on_error: OnError,
}

/// Where a column of the output comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParseSource {
    /// A column of the input, by its index.
    Input(usize),
    /// A field, by its index among [`ParseSpec::columns`].
    Field(usize),
}

impl ParseSpec {
    /// The parser of the lines.
    ///
    /// # Errors
    /// When the format's text is wrong, which the planner has checked.
    pub fn parser(&self) -> Result<LineParser> {
        LineParser::try_new(&self.format, &self.columns)
            .map_err(|error| DataFusionError::Plan(format!("{}: {error}", self.label.keyword)))
    }

    /// The schema of output columns that come from `sources`.
    pub(super) fn schema(&self, sources: &[ParseSource], input: &Schema) -> SchemaRef {
        let field = |source: &ParseSource| match source {
            ParseSource::Input(index) => Arc::clone(&input.fields()[*index]),
            ParseSource::Field(index) => {
                let data_type = self.columns[*index].data_type.clone();
                Arc::new(Field::new(&self.names[*index], data_type, true))
            }
        };
        let fields: Vec<_> = sources.iter().map(field).collect();
        Arc::new(Schema::new_with_metadata(fields, input.metadata().clone()))
    }
}
