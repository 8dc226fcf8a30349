//! `FOLD`.

use datafusion::common::{Column, Result};
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::{Expr, LogicalPlan};
use gleam_sql_executor::exec::FoldSpec;
use gleam_sql_executor::text::StdinTable;
use gleam_sql_parser::{FoldClause, Operator};

use super::bind::{self, visible_columns};
use super::{extension, external, label, refuse};
use crate::nodes::{FoldNode, NodeArguments, is_ordered};
use crate::origin;

/// A text without any line that begins an event must not become one value.
const DEFAULT_MAX_LINES: u64 = 10_000;

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
    let numbers = bind::columns_called("line_no", input.schema());
    let is_ordered = is_ordered(&input);
    let reads_stdin = reads_stdin(&input);
    let (input, origin) = origin::attach(input)?;
    let mut values = vec![line];
    match numbers.as_slice() {
        // Files whose lines are numbered are not cut.
        [line_no] if origin.is_some() => values.push(Expr::Column(Column::clone(line_no))),
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
