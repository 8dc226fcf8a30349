//! Plans as text, for reading.

use std::io::Write;

use arrow::array::{AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::format::ExplainStatementOptions;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::sql::parser::{ExplainStatement, Statement as SqlStatement};
use datafusion::sql::sqlparser::ast::Statement as Sql;
use futures::StreamExt;
use gleam_sql_parser::Statement;

use crate::args::Explain;
use crate::output::OutputError;

/// Whether a statement's rows are plans.
pub(crate) fn is_explain(statement: &SqlStatement) -> bool {
    matches!(statement, SqlStatement::Explain(_))
}

/// `statement` as one that shows its plan. Statements that change the session (SET, CREATE VIEW) stay as
/// they are: what follows builds on them.
pub(crate) fn explained(mut statement: Statement, how: Explain) -> Statement {
    let body = &statement.body;
    let has_plan = match body {
        SqlStatement::Statement(sql) => {
            matches!(sql.as_ref(), Sql::Query(_) | Sql::Insert(_))
        }
        SqlStatement::CopyTo(_) => true,
        _ => false,
    };
    if has_plan {
        let options = ExplainStatementOptions {
            analyze: how == Explain::Analyze,
            ..ExplainStatementOptions::default()
        };
        let explained = ExplainStatement { options, statement: Box::new(body.clone()) };
        statement.body = SqlStatement::Explain(explained);
    }
    statement
}

/// Writes each plan under its name, line by line; gives the number of plans.
///
/// # Errors
/// When the statement fails, or the reader has gone.
pub(crate) async fn write_plans(
    mut plans: SendableRecordBatchStream,
    mut out: impl Write,
) -> Result<u64, OutputError> {
    let mut count = 0;
    while let Some(batch) = plans.next().await {
        let batch = batch?;
        let names = text(batch.column(0))?;
        let bodies = text(batch.column(batch.num_columns() - 1))?;
        for (name, body) in names.iter().zip(&bodies) {
            let name = name.unwrap_or_default().replace('_', " ");
            let mut shown = format!("{name}\n");
            for line in body.unwrap_or_default().lines() {
                shown.push_str("  ");
                shown.push_str(&crate::report::visible(line));
                shown.push('\n');
            }
            out.write_all(shown.as_bytes()).map_err(OutputError::from_io)?;
            count += 1;
        }
    }
    Ok(count)
}

fn text(column: &arrow::array::ArrayRef) -> Result<StringArray, OutputError> {
    let column = cast(column, &DataType::Utf8).map_err(|error| {
        OutputError::Query(datafusion::error::DataFusionError::ArrowError(Box::new(error), None))
    })?;
    Ok(column.as_string::<i32>().clone())
}
