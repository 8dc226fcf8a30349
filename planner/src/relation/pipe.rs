//! `PIPE`.

use std::collections::HashSet;

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, SortExpr};
use datafusion::sql::sqlparser::ast::{OrderByExpr, Spanned};
use datafusion::sql::sqlparser::tokenizer::Span;
use gleam_sql_executor::exec::{PipeCommand, PipeScope, PipeSpec};
use gleam_sql_executor::wire::WireFormat;
use gleam_sql_parser::{Operator, PipeClause, Scope, TextFormat};

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
    let values = values(clause, &input, span, context)?;
    let (input_format, output_format) = formats(clause, values.len(), span)?;
    let input_names = names(&values, input_format, span)?;
    let partition_by = partition_by(clause, input.schema(), context)?;
    let mut order_by = order_by(&clause.order_by, input.schema(), context)?;
    if order_by.is_empty() && !partition_by.is_empty() {
        order_by = order_of_input(&input, span)?;
    }
    let fields = fields(clause, context)?;
    let scope = match &clause.scope {
        Scope::PartitionBy(_) => PipeScope::Partitioned,
        Scope::PerRow => PipeScope::PerRow,
        Scope::Single => PipeScope::Single,
        // One order over all rows takes one child.
        Scope::Split if order_by.is_empty() => PipeScope::Split,
        Scope::Split => PipeScope::Single,
    };
    // An order of its own replaces that of the input, and partitions have none but that.
    let is_ordered = order_by.is_empty() && scope != PipeScope::Partitioned && is_ordered(&input);
    let (input, origin) = origin::attach(input)?;
    let label = label("PIPE", span);
    let schema = types::schema_of(fields, &label)?;
    let command = PipeCommand { label, code: clause.code.text.clone() };
    Ok(extension(PipeNode {
        input: input.into(),
        arguments: NodeArguments { values, origin },
        spec: PipeSpec {
            input_format,
            input_names,
            output_format,
            scope,
            ok_exit: clause.ok_exit.iter().map(|status| i32::from(*status)).collect(),
            timeout: clause.timeout,
            on_error: super::on_error(clause.on_error),
            ..PipeSpec::new(command)
        },
        partition_by,
        order_by,
        schema,
        is_ordered,
    }))
}

fn values(
    clause: &PipeClause,
    input: &LogicalPlan,
    span: Span,
    context: &mut dyn RelationPlannerContext,
) -> Result<Vec<Expr>> {
    let values = match &clause.using {
        Some(using) => bind::using(using, input.schema(), context, "USING")?,
        None => bind::default_values(input.schema(), span)?,
    };
    if values.is_empty() {
        return Err(external(refuse("PIPE has no columns to send", span)));
    }
    for value in &values {
        let data_type = value.get_type(input.schema())?;
        let is_nested = data_type.is_nested() && clause.format == Some(TextFormat::Json);
        if !is_nested && !can_cast_types(&data_type, &DataType::Utf8View) {
            let message = format!("`{value}` of type {data_type} cannot be written as text");
            return Err(external(
                refuse(message, span).with_hint("convert it with CAST (… AS TEXT)"),
            ));
        }
    }
    Ok(values)
}

/// How the values are written, and how the output is read.
fn formats(clause: &PipeClause, values: usize, span: Span) -> Result<(WireFormat, WireFormat)> {
    let is_per_row = matches!(clause.scope, Scope::PerRow);
    if clause.format == Some(TextFormat::Raw) && values > 1 && !is_per_row {
        let message = format!("FORMAT RAW is for one column, and there are {values}");
        let hint = "use FORMAT TSV, or USING (column)";
        return Err(external(refuse(message, span).with_hint(hint)));
    }
    let format = match clause.format {
        Some(TextFormat::Raw) => WireFormat::Raw,
        Some(TextFormat::Tsv) => WireFormat::Tsv,
        Some(TextFormat::Csv) => WireFormat::Csv,
        Some(TextFormat::Json) => WireFormat::Json,
        // A program that is given arguments knows nothing of escapes.
        None if values == 1 || is_per_row => WireFormat::Raw,
        None => WireFormat::Tsv,
    };
    Ok((format, if clause.columns.is_some() { format } else { WireFormat::Raw }))
}

/// The names of the values, which are the keys of JSON.
fn names(values: &[Expr], format: WireFormat, span: Span) -> Result<Vec<String>> {
    let names: Vec<String> = values.iter().map(bind::name_of).collect();
    let mut seen = HashSet::new();
    if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str()))
        && format == WireFormat::Json
    {
        let message = format!("two values that PIPE sends are called `{twice}`");
        let hint = "FORMAT JSON needs a name for each: SELECT … AS name before";
        return Err(external(refuse(message, span).with_hint(hint)));
    }
    Ok(names)
}

fn partition_by(
    clause: &PipeClause,
    schema: &DFSchema,
    context: &mut dyn RelationPlannerContext,
) -> Result<Vec<Expr>> {
    match &clause.scope {
        Scope::PartitionBy(keys) => bind::using(keys, schema, context, "PARTITION BY"),
        Scope::Split | Scope::Single | Scope::PerRow => Ok(Vec::new()),
    }
}

fn order_by(
    keys: &[OrderByExpr],
    schema: &DFSchema,
    context: &mut dyn RelationPlannerContext,
) -> Result<Vec<SortExpr>> {
    let key = |key: &OrderByExpr| {
        let planned =
            bind::using(std::slice::from_ref(&key.expr), schema, context, "ORDER BY of PIPE")?;
        let Some(expr) =
            planned.into_iter().next().filter(|expr| !matches!(expr, Expr::Literal(..)))
        else {
            let message = "ORDER BY of PIPE takes columns or expressions of them";
            let hint = "there are no positions here: write ORDER BY name";
            return Err(external(refuse(message, key.expr.span()).with_hint(hint)));
        };
        let ascending = key.options.asc.unwrap_or(true);
        // As everywhere: NULL is the greatest value.
        let nulls_first = key.options.nulls_first.unwrap_or(!ascending);
        Ok(SortExpr::new(expr, ascending, nulls_first))
    };
    keys.iter().map(key).collect()
}

/// The order that was asked for before PARTITION BY, which each child shall see.
fn order_of_input(input: &LogicalPlan, span: Span) -> Result<Vec<SortExpr>> {
    match input {
        // What a limit has taken is a set.
        LogicalPlan::Limit(_) => Ok(Vec::new()),
        LogicalPlan::Sort(sort) if sort.fetch.is_some() => Ok(Vec::new()),
        LogicalPlan::Sort(sort) => Ok(sort.expr.clone()),
        _ if is_ordered(input) => {
            let message = "the order of ORDER BY is lost before PARTITION BY";
            let hint = "write it in the PIPE: PARTITION BY (…) ORDER BY …";
            Err(external(refuse(message, span).with_hint(hint)))
        }
        _ => Ok(Vec::new()),
    }
}

fn fields(clause: &PipeClause, context: &mut dyn RelationPlannerContext) -> Result<Vec<Field>> {
    let Some(columns) = &clause.columns else {
        return Ok(vec![Field::new("line", DataType::Utf8View, true)]);
    };
    let fields = types::declared(columns, context)?;
    for (field, column) in fields.iter().zip(columns) {
        let is_readable = can_cast_types(&DataType::Utf8View, field.data_type());
        if field.data_type().is_nested() || !is_readable {
            let message = format!("text cannot be read as type {}", types::shown(column));
            let hint = "declare it TEXT: a value that is nested comes as its JSON";
            return Err(external(refuse(message, column.span).with_hint(hint)));
        }
    }
    Ok(fields)
}
