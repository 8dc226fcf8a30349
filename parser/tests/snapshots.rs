//! What scripts become: plain SQL with markers, and errors with their place.

#![expect(clippy::unwrap_used, reason = "a test stops at its first failure")]

use std::fmt::Write as _;

use gleam_sql_parser::{OperatorKind, Statement, parse_script, split};

/// Each statement of a script, and below it what it is parsed into.
fn check(script: &str) -> String {
    let mut report = String::new();
    for (range, parsed) in split(script).into_iter().zip(parse_script(script)) {
        writeln!(report, "{}", &script[range]).unwrap();
        match parsed {
            Ok(statement) => describe(&mut report, &statement),
            Err(diagnostic) => report.push_str(&diagnostic.render(script, Some("query.sql"))),
        }
        report.push('\n');
    }
    report
}

fn describe(report: &mut String, statement: &Statement) {
    writeln!(report, "    {}", statement.body).unwrap();
    for (index, operator) in statement.operators.iter().enumerate() {
        let place = operator.span.start;
        write!(report, "    {index} at {}:{} ", place.line, place.column).unwrap();
        match &operator.kind {
            OperatorKind::Lua(clause) => {
                let start = clause.code.start;
                write!(
                    report,
                    "{} LUA {:?} from {}:{}",
                    clause.verb, clause.code.text, start.line, start.column
                )
                .unwrap();
                arguments(report, &clause.using, &clause.columns);
            }
            OperatorKind::Pipe(clause) => {
                write!(report, "PIPE {:?}", clause.code.text).unwrap();
                if let Some(format) = clause.format {
                    write!(report, " format {format}").unwrap();
                }
                arguments(report, &clause.using, &clause.columns);
            }
            OperatorKind::Rename(names) => {
                let names: Vec<_> =
                    names.iter().map(|(old, new)| format!("{old} to {new}")).collect();
                write!(report, "RENAME {}", names.join(", ")).unwrap();
            }
            OperatorKind::Require(names) => {
                let names: Vec<_> = names.iter().map(ToString::to_string).collect();
                write!(report, "REQUIRE {}", names.join(", ")).unwrap();
            }
        }
        report.push('\n');
    }
}

fn arguments(
    report: &mut String,
    using: &Option<Vec<datafusion_sql::sqlparser::ast::Expr>>,
    columns: &Option<Vec<gleam_sql_parser::ColumnDecl>>,
) {
    if let Some(using) = using {
        let using: Vec<_> = using.iter().map(ToString::to_string).collect();
        write!(report, " using {}", using.join(" & ")).unwrap();
    }
    if let Some(columns) = columns {
        let columns: Vec<_> = columns
            .iter()
            .map(|column| match &column.data_type {
                Some(data_type) => format!("{}: {data_type}", column.name),
                None => column.name.to_string(),
            })
            .collect();
        write!(report, " as {}", columns.join(" & ")).unwrap();
    }
}

#[test]
fn pipe_queries_become_nested_queries() {
    insta::assert_snapshot!("pipe", check(include_str!("cases/pipe.sql")));
}

#[test]
fn operators_become_markers() {
    insta::assert_snapshot!("operators", check(include_str!("cases/operators.sql")));
}

#[test]
fn errors_show_their_place() {
    insta::assert_snapshot!("errors", check(include_str!("cases/errors.sql")));
}
