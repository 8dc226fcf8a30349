//! `PARSE` in a logical plan.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::Field;
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, TableReference};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use gleam_sql_executor::exec::{ParseSource, ParseSpec};
use gleam_sql_executor::operator::{OnError, first_line};

use super::{NodeArguments, is_ordered, only_input, sorted};

/// Adds the fields of a line to its row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ParseNode {
    pub(crate) input: Arc<LogicalPlan>,
    /// The line, and the origin of the row.
    pub(crate) arguments: NodeArguments,
    pub(crate) spec: ParseSpec,
    /// The input columns that the output has, in front of the fields.
    pub(crate) kept: Vec<Column>,
    /// What the fields are qualified with.
    qualifier: TableReference,
    /// Whether the order of its input was asked for.
    pub(crate) is_ordered: bool,
    schema: DFSchemaRef,
}

impl ParseNode {
    /// Fields with the name of an input column take its place.
    ///
    /// # Errors
    /// When a kept column is not in the input.
    pub fn try_new(
        input: LogicalPlan,
        arguments: NodeArguments,
        spec: ParseSpec,
        kept: Vec<Column>,
        qualifier: TableReference,
    ) -> Result<Self> {
        let is_replaced = |column: &Column| spec.names.contains(&column.name);
        let kept: Vec<Column> = kept.into_iter().filter(|column| !is_replaced(column)).collect();
        let kept_field = |column: &Column| {
            let (qualifier, field) = input.schema().qualified_field_from_column(column)?;
            Ok((qualifier.cloned(), Arc::clone(field)))
        };
        let mut fields = kept.iter().map(kept_field).collect::<Result<Vec<_>>>()?;
        for (name, column) in spec.names.iter().zip(&spec.columns) {
            let field = Field::new(name, column.data_type.clone(), true);
            fields.push((Some(qualifier.clone()), Arc::new(field)));
        }
        let metadata = input.schema().metadata().clone();
        let schema = Arc::new(DFSchema::new_with_metadata(fields, metadata)?);
        let is_ordered = is_ordered(&input);
        let input = Arc::new(input);
        Ok(Self { input, arguments, spec, kept, qualifier, is_ordered, schema })
    }

    /// Where each column of the output comes from.
    ///
    /// # Errors
    /// When a kept column is not in the input.
    pub(crate) fn sources(&self) -> Result<Arc<[ParseSource]>> {
        let input = self.input.schema();
        let kept =
            self.kept.iter().map(|column| Ok(ParseSource::Input(input.index_of_column(column)?)));
        let fields = (0..self.spec.columns.len()).map(|field| Ok(ParseSource::Field(field)));
        kept.chain(fields).collect()
    }

    /// The same operator, which keeps these columns of another input.
    pub(crate) fn over(&self, input: LogicalPlan, kept: Vec<Column>) -> Result<Self> {
        let (arguments, spec) = (self.arguments.clone(), self.spec.clone());
        let node = Self::try_new(input, arguments, spec, kept, self.qualifier.clone())?;
        // What the optimiser makes of the input does not change what was asked for.
        Ok(Self { is_ordered: self.is_ordered, ..node })
    }
}

impl PartialOrd for ParseNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for ParseNode {
    fn name(&self) -> &str {
        "Parse"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.arguments.expressions()
    }

    /// A predicate on columns of the input holds below as well, unless that kept a line from being
    /// looked at whose error must be told.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        let all = self.schema.fields().iter().map(|field| field.name().clone());
        match self.spec.on_error {
            OnError::Null => self.spec.names.iter().cloned().collect(),
            OnError::Skip | OnError::Fail => all.collect(),
        }
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parse: {}", self.spec.label.keyword)?;
        if let Some(text) = self.spec.format.text() {
            write!(f, " `{}`", first_line(text))?;
        }
        let values: Vec<String> = self.arguments.values.iter().map(ToString::to_string).collect();
        write!(f, ", line={} -> ({})", values.join(", "), self.spec.names.join(", "))
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = only_input(inputs)?;
        let is_there = |column: &&Column| input.schema().has_column(column);
        let kept = self.kept.iter().filter(is_there).cloned().collect();
        let arguments = self.arguments.with_expressions(exprs)?;
        Self { arguments, ..self.clone() }.over(input, kept)
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let input = self.input.schema();
        let mut indexes = self.arguments.columns_in(input);
        for column in output_columns.iter().filter_map(|output| self.kept.get(*output)) {
            indexes.push(input.maybe_index_of_column(column)?);
        }
        Some(vec![sorted(indexes)])
    }
}
