//! `PARSE`.

use std::time::{SystemTime, UNIX_EPOCH};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, TableReference};
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder};
use datafusion::sql::sqlparser::tokenizer::{Location, Span};
use gleam_sql_executor::exec::ParseSpec;
use gleam_sql_executor::operator::OperatorLabel;
use gleam_sql_formats::{ColumnSpec, FormatError, FormatSpec, LineParser, TimestampFormat};
use gleam_sql_parser::{Code, ColumnDecl, Diagnostic, FormatName, Operator, ParseClause};

use super::bind::{self, visible_columns};
use super::{extension, external, label, refuse, types};
use crate::formats::{Formats, NeedsSample, Sample};
use crate::nodes::{NodeArguments, ParseNode};
use crate::origin;

/// The format that looks at the lines first.
const AUTO: &str = "AUTO";
/// A line has at most so many columns.
const MAX_COLUMNS: usize = 4096;

/// How the names of columns begin that users cannot write.
const RESERVED_PREFIX: &str = "__gleam_";

/// What is known beside the statement.
pub(super) struct Known<'a> {
    /// The formats with a name.
    pub(super) formats: &'a Formats,
    /// The lines that the operator will see, as far as they have been looked at.
    pub(super) sample: Option<&'a Sample>,
    /// The operator's index in the statement.
    pub(super) operator: usize,
}

/// The format, the fields, and what they are called.
struct Fields {
    format: FormatSpec,
    columns: Vec<ColumnSpec>,
    names: Vec<String>,
}

/// The node of one operator over `input`.
pub(super) fn plan(
    operator: &Operator,
    clause: &ParseClause,
    input: LogicalPlan,
    known: &Known<'_>,
    context: &mut dyn RelationPlannerContext,
) -> Result<LogicalPlan> {
    let line = line(clause, &input, operator.keyword, context)?;
    let fields = fields(clause, &input, &line, known, context)?;
    if fields.columns.len() > MAX_COLUMNS {
        let message = format!("PARSE makes at most {MAX_COLUMNS} columns");
        return Err(external(refuse(message, operator.keyword)));
    }
    let now = now_seconds();
    let columns = fields.columns.into_iter().map(|column| {
        // Times without a year are of the year in which they are past.
        let time = column.time.clone().before(now);
        column.with_time(time)
    });
    let name = clause.format.name.value.to_uppercase();
    let label = label(format!("PARSE {name}"), operator.keyword);
    let spec = ParseSpec {
        label: OperatorLabel { ..label.clone() },
        format: fields.format,
        columns: columns.collect(),
        names: fields.names,
        on_error: super::on_error(clause.on_error),
    };
    let declared = clause.columns.as_deref().unwrap_or_default();
    LineParser::try_new(&spec.format, &spec.columns)
        .map_err(|error| external(of_format(error, &clause.format, declared)))?;
    let kept = visible_columns(input.schema());
    let (input, origin) = origin::attach(input)?;
    let arguments = NodeArguments { values: vec![line], origin };
    // A name that nobody writes tells the fields from columns of the same name elsewhere.
    let qualifier = format!("parse_{}@{}", name.to_lowercase(), label.place);
    let qualifier = TableReference::bare(qualifier);
    Ok(extension(ParseNode::try_new(input, arguments, spec, kept, qualifier)?))
}

/// What holds the lines.
fn line(
    clause: &ParseClause,
    input: &LogicalPlan,
    keyword: Span,
    context: &mut dyn RelationPlannerContext,
) -> Result<Expr> {
    let line = match &clause.value {
        Some(value) => {
            bind::using(std::slice::from_ref(value), input.schema(), context, "PARSE … FROM")?
                .swap_remove(0)
        }
        None => bind::line(input.schema(), keyword)?,
    };
    let data_type = line.get_type(input.schema())?;
    if matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) {
        return Ok(line);
    }
    let message = format!("`{}` of type {data_type} is not text to parse", line.human_display());
    Err(external(refuse(message, keyword).with_hint("PARSE … FROM CAST(column AS TEXT)")))
}

fn fields(
    clause: &ParseClause,
    input: &LogicalPlan,
    line: &Expr,
    known: &Known<'_>,
    context: &mut dyn RelationPlannerContext,
) -> Result<Fields> {
    let needs_sample = || -> Result<Fields> {
        let rows = LogicalPlanBuilder::from(input.clone()).project(vec![line.clone()])?.build()?;
        let format = &clause.format;
        Err(NeedsSample { operator: known.operator, rows, format: format.clone() }.into())
    };
    let is_auto = is_auto(&clause.format);
    let (format, own_columns) = match (is_auto, known.sample) {
        (true, None) => return needs_sample(),
        (true, Some(sample)) => (sample.guess(clause.format.span).map_err(external)?.format, None),
        (false, _) => known.formats.find(&clause.format).map_err(external)?,
    };
    if let Some(columns) = &clause.columns {
        let declared = types::declared(columns, context)?;
        let names = declared.iter().map(|field| field.name().clone()).collect();
        let columns = declared
            .iter()
            .zip(columns)
            .map(|(field, column)| declared_column(field.data_type().clone(), column, &format));
        let columns = columns.collect::<Result<_>>()?;
        return Ok(Fields { format, columns, names });
    }
    let found = match own_columns {
        Some(columns) => Some(columns),
        None => {
            format.columns().map_err(|error| external(of_format(error, &clause.format, &[])))?
        }
    };
    let columns = match (found, known.sample) {
        (Some(columns), _) => columns,
        (None, None) => return needs_sample(),
        (None, Some(sample)) => format.discover(&sample.lines),
    };
    // Lines must not name the columns that tell where they stand.
    let mut columns = columns;
    columns.retain(|column| !column.name.starts_with(RESERVED_PREFIX));
    let names = columns.iter().map(|column| column.name.clone()).collect();
    Ok(Fields { format, columns, names })
}

/// A column of AS: an unquoted name names the field as it is written, or else in any case of letters.
pub(crate) fn declared_column(
    data_type: DataType,
    column: &ColumnDecl,
    format: &FormatSpec,
) -> Result<ColumnSpec> {
    let written = column.name.value.clone();
    let fields = format.columns().ok().flatten().unwrap_or_default();
    let has = |name: &str| fields.iter().any(|field| field.name == name);
    let in_any_case = fields.iter().find(|field| field.name.eq_ignore_ascii_case(&written));
    let name = match in_any_case {
        Some(field) if column.name.quote_style.is_none() && !has(&written) => field.name.clone(),
        _ => written,
    };
    if data_type.is_nested() {
        let message = format!("PARSE makes no values of type {}", types::shown(column));
        let hint = "declare it TEXT: lists and objects are their JSON";
        return Err(external(refuse(message, column.span).with_hint(hint)));
    }
    let spec = ColumnSpec::new(name, data_type);
    let Some(code) = &column.time_format else { return Ok(spec) };
    let is_time = matches!(spec.data_type, DataType::Timestamp(..) | DataType::Date32);
    if !is_time {
        let message =
            format!("FORMAT is for times, and {} is {}", column.name, types::shown(column));
        return Err(external(refuse(message, code.span)));
    }
    match TimestampFormat::strftime(&code.text) {
        Ok(time) => Ok(spec.with_time(time)),
        Err(error) => Err(external(of_code(error, code))),
    }
}

fn now_seconds() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
}

pub(crate) fn is_auto(format: &FormatName) -> bool {
    format.code.is_none() && format.name.value.eq_ignore_ascii_case(AUTO)
}

/// What is wrong with a format, at its place.
pub(crate) fn of_format(
    error: FormatError,
    format: &FormatName,
    columns: &[ColumnDecl],
) -> Diagnostic {
    let place = match (&format.code, error.offset) {
        (Some(code), Some(offset)) => Some(place_in(code, offset)),
        _ => columns
            .iter()
            .filter(|column| error.message.contains(&format!("`{}`", column.name.value)))
            .map(|column| column.span)
            .next(),
    };
    let diagnostic = refuse(error.message, place.unwrap_or_else(|| format.whole()));
    match error.hint {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    }
}

/// What is wrong with the form of a time, at its place.
fn of_code(error: FormatError, code: &Code) -> Diagnostic {
    let place = error.offset.map_or(code.span, |offset| place_in(code, offset));
    let diagnostic = refuse(error.message, place);
    match error.hint {
        Some(hint) => diagnostic.with_hint(hint),
        None => diagnostic,
    }
}

/// The place in the script of a byte of a quoted text.
fn place_in(code: &Code, offset: usize) -> Span {
    let before = code.text.get(..offset).unwrap_or(&code.text);
    let (line, column) = match before.rsplit_once('\n') {
        None => (code.start.line, code.start.column + before.chars().count() as u64),
        Some((earlier, rest)) => (
            code.start.line + earlier.matches('\n').count() as u64 + 1,
            rest.chars().count() as u64 + 1,
        ),
    };
    Span::new(Location::new(line, column), Location::new(line, column + 1))
}
