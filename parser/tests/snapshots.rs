//! What scripts become: plain SQL with markers, and errors with their place.

#![expect(clippy::unwrap_used, reason = "a test stops at its first failure")]

use std::fmt::Write as _;

use gleam_sql_parser::{
    Code, ColumnDecl, FunctionClause, OnError, OperatorKind, ParseClause, PipeClause, Scope,
    Statement, parse_script, split,
};

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
    if let Some(function) = &statement.function {
        writeln!(report, "    {}", function_line(function)).unwrap();
    }
    for (index, operator) in statement.operators.iter().enumerate() {
        let place = operator.span.start;
        let line = operator_line(&operator.kind);
        writeln!(report, "    {index} at {}:{} {line}", place.line, place.column).unwrap();
    }
}

fn operator_line(kind: &OperatorKind) -> String {
    match kind {
        OperatorKind::Lua(clause) => [
            format!("{} {}", clause.verb, lua(&clause.code)),
            list(" using ", clause.using.iter().flatten()),
            columns(clause.columns.iter().flatten()),
            on_error(clause.on_error),
        ]
        .concat(),
        OperatorKind::Reduce(clause) => [
            format!("REDUCE {}", lua(&clause.code)),
            list(" using ", clause.using.iter().flatten()),
            list(
                " by ",
                clause.keys.iter().map(|key| match &key.alias {
                    Some(alias) => format!("{} as {alias}", key.value),
                    None => key.value.to_string(),
                }),
            ),
            columns(&clause.columns),
            on_error(clause.on_error),
        ]
        .concat(),
        OperatorKind::Pipe(clause) => pipe_line(clause),
        OperatorKind::Parse(clause) => parse_line(clause),
        OperatorKind::Fold(clause) => {
            [format!("FOLD {:?}", clause.start.text), list(" max lines ", clause.max_lines)]
                .concat()
        }
        OperatorKind::Gapfill(clause) => [
            format!("GAPFILL {} by {}", clause.column, clause.step),
            list(" partition by ", &clause.partition_by),
        ]
        .concat(),
        OperatorKind::Rename(names) => {
            list("RENAME ", names.iter().map(|(old, new)| format!("{old} to {new}")))
        }
        OperatorKind::Require(names) => list("REQUIRE ", names),
    }
}

fn pipe_line(clause: &PipeClause) -> String {
    [
        format!("PIPE {:?}", clause.code.text),
        list(" using ", clause.using.iter().flatten()),
        match &clause.scope {
            Scope::Split => String::new(),
            Scope::PartitionBy(keys) => list(" partition by ", keys),
            Scope::Single => " single".to_string(),
            Scope::PerRow => " per row".to_string(),
        },
        list(" order by ", &clause.order_by),
        list(" format ", clause.format),
        columns(clause.columns.iter().flatten()),
        list(" ok exit ", &clause.ok_exit),
        clause.timeout.map(|timeout| format!(" timeout {timeout:?}")).unwrap_or_default(),
        on_error(clause.on_error),
    ]
    .concat()
}

fn parse_line(clause: &ParseClause) -> String {
    let code = clause.format.code.as_ref();
    [
        format!("PARSE {}", clause.format.name),
        code.map(|code| format!(" {:?}", code.text)).unwrap_or_default(),
        list(" from ", &clause.value),
        columns(clause.columns.iter().flatten()),
        on_error(clause.on_error),
    ]
    .concat()
}

fn function_line(function: &FunctionClause) -> String {
    let place = function.returns_span.start;
    [
        format!("FUNCTION {} {}", function.name, lua(&function.code)),
        columns(&function.parameters),
        format!(" returns {} at {}:{}", function.returns, place.line, place.column),
        if function.or_replace { " or replace" } else { "" }.to_string(),
        if function.if_not_exists { " if not exists" } else { "" }.to_string(),
        if function.is_strict { " strict" } else { "" }.to_string(),
    ]
    .concat()
}

fn lua(code: &Code) -> String {
    format!("LUA {:?} from {}:{}", code.text, code.start.line, code.start.column)
}

fn on_error(policy: OnError) -> String {
    match policy {
        OnError::Fail => String::new(),
        OnError::Null => " on error null".to_string(),
        OnError::Skip => " on error skip".to_string(),
    }
}

fn columns<'c>(columns: impl IntoIterator<Item = &'c ColumnDecl>) -> String {
    list(
        " as ",
        columns.into_iter().map(|column| match &column.data_type {
            Some(data_type) => format!("{}: {data_type}", column.name),
            None => column.name.to_string(),
        }),
    )
}

/// The items behind a word; nothing where there are none.
fn list<T: ToString>(word: &str, items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    if items.is_empty() { String::new() } else { format!("{word}{}", items.join(" & ")) }
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
fn operators_have_clauses() {
    insta::assert_snapshot!("clauses", check(include_str!("cases/clauses.sql")));
}

#[test]
fn clauses_have_their_place() {
    insta::assert_snapshot!("clause_errors", check(include_str!("cases/clause_errors.sql")));
}

#[test]
fn functions_are_read_with_their_code() {
    insta::assert_snapshot!("functions", check(include_str!("cases/functions.sql")));
}

#[test]
fn errors_show_their_place() {
    insta::assert_snapshot!("errors", check(include_str!("cases/errors.sql")));
}
