//! `PIPE`.

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::Result;
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{ExprSchemable, LogicalPlan};
use gleam_sql_executor::exec::{PipeCommand, PipeSpec};
use gleam_sql_executor::wire::WireFormat;
use gleam_sql_parser::{Operator, PipeClause, TextFormat};

use super::{bind, extension, external, label, refuse, types};
use crate::nodes::{NodeArguments, PipeNode, is_ordered};
use crate::origin;

/// The node of one operator over `input`.
pub(super) fn plan(
    operator: &Operator,
    clause: &PipeClause,
    input: LogicalPlan,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let span = operator.keyword;
    if clause.code.text.trim().is_empty() {
        return Err(external(refuse("PIPE has no program to run", clause.code.span)));
    }
    let values = match &clause.using {
        Some(using) => bind::using(using, input.schema(), context, "USING")?,
        None => bind::default_values(input.schema(), span)?,
    };
    for value in &values {
        let data_type = value.get_type(input.schema())?;
        if !can_cast_types(&data_type, &DataType::Utf8View) {
            let message = format!("`{value}` of type {data_type} cannot be written as text");
            return Err(external(
                refuse(message, span).with_hint("convert it with CAST (… AS TEXT)"),
            ));
        }
    }
    let format = match (clause.format, values.len()) {
        (Some(TextFormat::Raw), 2..) => {
            let message = format!("FORMAT RAW is for one column, and there are {}", values.len());
            return Err(external(
                refuse(message, span).with_hint("use FORMAT TSV, or USING (column)"),
            ));
        }
        (_, 0) => return Err(external(refuse("PIPE has no columns to send", span))),
        (Some(TextFormat::Raw), _) | (None, 1) => WireFormat::Raw,
        (Some(_), _) | (None, _) => WireFormat::Tsv,
    };
    let (fields, output_format) = match &clause.columns {
        Some(columns) => (types::declared(columns, context)?, format),
        None => (vec![Field::new("line", DataType::Utf8View, true)], WireFormat::Raw),
    };
    for (field, column) in fields.iter().zip(clause.columns.iter().flatten()) {
        if !can_cast_types(&DataType::Utf8View, field.data_type()) {
            let message = format!("text cannot be read as type {}", field.data_type());
            return Err(external(refuse(message, column.span)));
        }
    }
    let is_ordered = is_ordered(&input);
    let (input, origin) = origin::attach(input)?;
    let label = label("PIPE", span);
    let schema = types::schema_of(fields, &label)?;
    let command = PipeCommand { label, code: clause.code.text.clone() };
    Ok(extension(PipeNode {
        input: input.into(),
        arguments: NodeArguments { values, origin },
        spec: PipeSpec { input_format: format, output_format, ..PipeSpec::new(command) },
        schema,
        is_ordered,
    }))
}
