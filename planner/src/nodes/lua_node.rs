//! `MAP LUA`, `FLATMAP LUA` and `FILTER LUA` in a logical plan: one operator, or several fused.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::FieldRef;
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, UserDefinedLogicalNodeCore};
use gleam_sql_executor::lua::LuaStep;
use gleam_sql_executor::operator::{OperatorLabel, first_line};

use super::{NodeArguments, is_ordered, only_input, sorted};

/// Runs a chain of Lua functions over the rows of its input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LuaNode {
    pub(crate) input: Arc<LogicalPlan>,
    pub(crate) arguments: NodeArguments,
    pub(crate) steps: Vec<LuaStep>,
    pub(crate) labels: Vec<OperatorLabel>,
    pub(crate) output: LuaOutput,
    /// Whether the order of its input was asked for.
    pub(crate) is_ordered: bool,
    schema: DFSchemaRef,
}

/// What the rows of the output are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LuaOutput {
    /// Rows that the last mapping step made, of this schema.
    Made(DFSchemaRef),
    /// Input rows that all steps kept, with these of their columns.
    Kept(Vec<Column>),
    /// All input rows, with these of their columns and one more for each step, a call.
    Beside(Vec<Column>, Vec<FieldRef>),
}

impl LuaNode {
    /// A chain of `steps`, of which there is at least one, each with its label.
    ///
    /// # Errors
    /// When a kept column is not in the input.
    pub fn try_new(
        input: LogicalPlan,
        arguments: NodeArguments,
        steps: Vec<LuaStep>,
        labels: Vec<OperatorLabel>,
        output: LuaOutput,
    ) -> Result<Self> {
        let schema = match &output {
            LuaOutput::Made(schema) => Arc::clone(schema),
            LuaOutput::Kept(columns) => kept_schema(input.schema(), columns, &[])?,
            LuaOutput::Beside(columns, made) => kept_schema(input.schema(), columns, made)?,
        };
        let is_ordered = is_ordered(&input);
        Ok(Self { input: Arc::new(input), arguments, steps, labels, output, is_ordered, schema })
    }

    /// The columns of kept rows, when it does nothing but keep or drop rows.
    pub fn kept(&self) -> Option<&[Column]> {
        match &self.output {
            LuaOutput::Made(_) | LuaOutput::Beside(..) => None,
            LuaOutput::Kept(columns) => Some(columns),
        }
    }

    /// The input columns of the output, or none when the rows are made.
    pub fn input_columns(&self) -> Option<&[Column]> {
        match &self.output {
            LuaOutput::Made(_) => None,
            LuaOutput::Kept(columns) | LuaOutput::Beside(columns, _) => Some(columns),
        }
    }

    /// The chain with its input replaced.
    pub(crate) fn with_input(&self, input: LogicalPlan) -> Result<Self> {
        self.with_exprs_and_inputs(self.arguments.expressions(), vec![input])
    }
}

fn kept_schema(input: &DFSchema, columns: &[Column], made: &[FieldRef]) -> Result<DFSchemaRef> {
    let fields = columns.iter().map(|column| {
        let (qualifier, field) = input.qualified_field_from_column(column)?;
        Ok((qualifier.cloned(), Arc::clone(field)))
    });
    let mut fields = fields.collect::<Result<Vec<_>>>()?;
    fields.extend(made.iter().map(|field| (None, Arc::clone(field))));
    Ok(Arc::new(DFSchema::new_with_metadata(fields, input.metadata().clone())?))
}

impl PartialOrd for LuaNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for LuaNode {
    fn name(&self) -> &str {
        "Lua"
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

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lua: ")?;
        for (position, (step, label)) in self.steps.iter().zip(&self.labels).enumerate() {
            let arrow = if position > 0 { " | " } else { "" };
            write!(f, "{arrow}{} `{}`", label.keyword, first_line(&step.code))?;
        }
        let values: Vec<String> = self.arguments.values.iter().map(ToString::to_string).collect();
        write!(f, ", using=[{}]", values.join(", "))
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = only_input(inputs)?;
        let arguments = self.arguments.with_expressions(exprs)?;
        let still_there = |columns: &[Column]| {
            columns.iter().filter(|column| input.schema().has_column(column)).cloned().collect()
        };
        let output = match &self.output {
            LuaOutput::Kept(columns) => LuaOutput::Kept(still_there(columns)),
            LuaOutput::Beside(columns, made) => {
                LuaOutput::Beside(still_there(columns), made.clone())
            }
            made @ LuaOutput::Made(_) => made.clone(),
        };
        let (steps, labels) = (self.steps.clone(), self.labels.clone());
        // What the optimiser makes of the input does not change what was asked for.
        let is_ordered = self.is_ordered;
        Ok(Self { is_ordered, ..Self::try_new(input, arguments, steps, labels, output)? })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let input = self.input.schema();
        let mut indexes = self.arguments.columns_in(input);
        if let Some(columns) = self.input_columns() {
            for column in output_columns.iter().filter_map(|output| columns.get(*output)) {
                indexes.push(input.maybe_index_of_column(column)?);
            }
        }
        Some(vec![sorted(indexes)])
    }
}
