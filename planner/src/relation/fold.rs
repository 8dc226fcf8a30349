//! `FOLD`.

use datafusion::common::{Column, Result};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan};
use gleam_sql_executor::exec::FoldSpec;
use gleam_sql_executor::text::{self, StdinTable};
use gleam_sql_parser::{FoldClause, Operator};

use super::bind::{self, visible_columns};
use super::{extension, external, label, refuse};
use crate::nodes::{FoldNode, LuaNode, NodeArguments, ParseNode, is_ordered};
use crate::origin;

/// A text without any line that begins an event must not become one value.
const DEFAULT_MAX_LINES: u64 = 10_000;
const LINE_NO: &str = "line_no";

/// The node of one operator over `input`.
pub(super) fn plan(
    operator: &Operator,
    clause: &FoldClause,
    input: LogicalPlan,
) -> Result<LogicalPlan> {
    let span = operator.keyword;
    let spec = FoldSpec {
        label: label("FOLD", span),
        start: clause.start.text.clone(),
        max_lines: clause.max_lines.unwrap_or(DEFAULT_MAX_LINES),
    };
    if let Err(error) = spec.regex() {
        let reason = error.to_string();
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ");
        let message = format!("not a regular expression: {reason}");
        return Err(external(refuse(message, clause.start.span)));
    }
    let line = bind::line(input.schema(), span)?;
    let Expr::Column(line_column) = line.clone() else {
        return Err(external(refuse("FOLD joins the column `line`", span)));
    };
    let columns = visible_columns(input.schema());
    let line_no = own_line_no(&input);
    let is_ordered = is_ordered(&input);
    let reads_stdin = reads_stdin(&input);
    let (input, origin) = origin::attach(input)?;
    let mut values = vec![line];
    match line_no {
        // Files whose lines are numbered are not cut.
        Some(line_no) if origin.is_some() => values.push(Expr::Column(line_no)),
        _ if is_ordered || reads_stdin => {}
        _ => {
            let message = "FOLD needs the lines of files as they stand there";
            return Err(external(refuse(message, span).with_hint(
                "put it directly behind the source: FROM 'app.log' |> FOLD START '…'; \
                 what comes in any order is sorted before, with |> ORDER BY",
            )));
        }
    }
    let arguments = NodeArguments { values, origin };
    Ok(extension(FoldNode::try_new(input, arguments, spec, columns, line_column)?))
}

/// The column `line_no` of a text that is read below, where it is still that.
fn own_line_no(input: &LogicalPlan) -> Option<Column> {
    match bind::columns_called(LINE_NO, input.schema()).as_slice() {
        [column] if is_line_no(input, column) => Some(column.clone()),
        _ => None,
    }
}

/// Whether a column of `plan` is the number of the line in a text that it reads.
fn is_line_no(plan: &LogicalPlan, column: &Column) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let provider = source_as_provider(&scan.source);
            column.name == LINE_NO
                && provider.is_ok_and(|provider| text::with_origin(provider.as_ref()).is_some())
        }
        LogicalPlan::Filter(filter) => is_line_no(&filter.input, column),
        LogicalPlan::Sort(sort) => is_line_no(&sort.input, column),
        LogicalPlan::Limit(limit) => is_line_no(&limit.input, column),
        LogicalPlan::SubqueryAlias(alias) => {
            let below = alias.schema.maybe_index_of_column(column);
            below.is_some_and(|index| is_line_no(&alias.input, &column_at(&alias.input, index)))
        }
        LogicalPlan::Projection(projection) => {
            let index = projection.schema.maybe_index_of_column(column);
            match index.and_then(|index| projection.expr.get(index)) {
                Some(Expr::Column(below)) => is_line_no(&projection.input, below),
                _ => false,
            }
        }
        LogicalPlan::Extension(extension) => {
            let node = extension.node.as_any();
            let kept = match (node.downcast_ref::<ParseNode>(), node.downcast_ref::<LuaNode>()) {
                (Some(parse), _) => Some((&parse.input, parse.kept.as_slice())),
                (None, Some(lua)) => lua.kept().map(|kept| (&lua.input, kept)),
                (None, None) => None,
            };
            kept.is_some_and(|(input, kept)| kept.contains(column) && is_line_no(input, column))
        }
        _ => false,
    }
}

fn column_at(plan: &LogicalPlan, index: usize) -> Column {
    Column::from(plan.schema().qualified_field(index))
}

/// Whether the rows are those of standard input, as they come.
fn reads_stdin(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::TableScan(scan) => source_as_provider(&scan.source)
            .is_ok_and(|provider| provider.downcast_ref::<StdinTable>().is_some()),
        LogicalPlan::Filter(filter) => reads_stdin(&filter.input),
        LogicalPlan::Projection(projection) => reads_stdin(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => reads_stdin(&alias.input),
        _ => false,
    }
}
