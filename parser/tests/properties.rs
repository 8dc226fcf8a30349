//! Whatever the text: no panic, places inside the script, no pipe step left over, every operator
//! at exactly one marker.

use std::ops::ControlFlow;

use datafusion_sql::parser::{CopyToSource, Statement as DfStatement};
use datafusion_sql::sqlparser::ast::{Query, TableFactor, Visit, Visitor};
use gleam_sql_parser::{
    OperatorKind, Scope, Statement, highlight, highlight_code, is_complete, lua, marker_index,
    parse_script, split,
};
use proptest::prelude::*;

/// Everything this crate does to a text.
fn check(script: &str) {
    is_complete(script);
    check_highlight(script);
    let ranges = split(script);
    for range in &ranges {
        assert!(!script[range.clone()].trim().is_empty());
    }
    let mut parsed = 0;
    for statement in parse_script(script) {
        parsed += 1;
        match statement {
            Ok(statement) => check_statement(&statement),
            Err(diagnostic) => {
                let rendered = diagnostic.render(script, Some("script.sql"));
                assert!(rendered.starts_with("error: "), "{rendered}");
                assert!(!rendered.contains('\u{1b}'), "{rendered:?}");
                let span = diagnostic.span.expect("every error has a place");
                assert!(span.start.line >= 1 && span.start <= span.end, "{span:?} {rendered}");
                assert!(span.start.line as usize <= script.split('\n').count());
            }
        }
    }
    assert_eq!(parsed, ranges.len());
}

fn check_highlight(script: &str) {
    let mut end = 0;
    for (range, _) in highlight(script) {
        assert!(range.start >= end && range.end > range.start);
        assert!(script[end..range.start].chars().all(|c| c.is_whitespace() || c == '\u{FEFF}'));
        end = range.end;
    }
    let mut end = 0;
    for (range, _) in highlight_code(script) {
        assert!(range.start >= end && range.end > range.start);
        assert!(script.get(range.clone()).is_some());
        end = range.end;
    }
}

#[derive(Default)]
struct Inspector {
    markers: Vec<usize>,
}

impl Visitor for Inspector {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        assert!(query.pipe_operators.is_empty(), "{query}");
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.markers.extend(marker_index(factor));
        ControlFlow::Continue(())
    }
}

fn check_statement(statement: &Statement) {
    let mut inspector = Inspector::default();
    inspect(&statement.body, &mut inspector);
    for operator in &statement.operators {
        inspect_operator(&operator.kind, &mut inspector);
    }
    inspector.markers.sort_unstable();
    let expected: Vec<usize> = (0..statement.operators.len()).collect();
    assert_eq!(inspector.markers, expected, "{}", statement.body);
}

/// The expressions of an operator.
fn inspect_operator(kind: &OperatorKind, inspector: &mut Inspector) {
    let _ = match kind {
        OperatorKind::Lua(clause) => clause.using.visit(inspector),
        OperatorKind::Reduce(clause) => {
            for key in &clause.keys {
                let _ = key.value.visit(inspector);
            }
            clause.using.visit(inspector)
        }
        OperatorKind::Pipe(clause) => {
            if let Scope::PartitionBy(keys) = &clause.scope {
                let _ = keys.visit(inspector);
            }
            let _ = clause.order_by.visit(inspector);
            clause.using.visit(inspector)
        }
        OperatorKind::Parse(clause) => clause.value.visit(inspector),
        OperatorKind::Gapfill(clause) => {
            let _ = clause.column.visit(inspector);
            let _ = clause.step.visit(inspector);
            clause.partition_by.visit(inspector)
        }
        OperatorKind::Fold(_) | OperatorKind::Rename(_) | OperatorKind::Require(_) => {
            ControlFlow::Continue(())
        }
    };
}

fn inspect(body: &DfStatement, inspector: &mut Inspector) {
    match body {
        DfStatement::Statement(statement) => {
            let _ = statement.visit(inspector);
        }
        DfStatement::Explain(explain) => inspect(&explain.statement, inspector),
        DfStatement::CopyTo(copy) => {
            if let CopyToSource::Query(query) = &copy.source {
                let _ = query.visit(inspector);
            }
        }
        _ => {}
    }
}

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "t",
    "a",
    "b",
    "'x'",
    "|>",
    "PIPE",
    "PARSE",
    "JSON",
    "PATTERN",
    "FOLD",
    "START",
    "GAPFILL",
    "MAP",
    "LUA",
    "FLATMAP",
    "FILTER",
    "USING",
    "AS",
    "(",
    ")",
    ",",
    ".",
    "*",
    "=",
    "1",
    "$$",
    "$x$",
    "'",
    "\"",
    "`",
    ";",
    "--",
    "/*",
    "*/",
    "\n",
    "JOIN",
    "LEFT",
    "ON",
    "AGGREGATE",
    "count(*)",
    "GROUP",
    "BY",
    "ORDER",
    "AND",
    "LIMIT",
    "OFFSET",
    "UNION",
    "ALL",
    "DISTINCT",
    "EXCEPT",
    "TABLESAMPLE",
    "PERCENT",
    "ROWS",
    "WITH",
    "EXPLAIN",
    "COPY",
    "TO",
    "CREATE",
    "VIEW",
    "EXTEND",
    "SET",
    "DROP",
    "RENAME",
    "text",
    "('g')",
    "(a)",
    "(FROM t |> WHERE a)",
    "PARSE",
    "COMBINED",
    "FORMAT",
    "TSV",
    "CASE",
    "WHEN",
    "END",
    "é",
    "日本",
    "\u{202e}",
    "\t",
    "\r\n",
    "E'",
    "q'[",
    "U&'",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "ARRAY",
    "CAST",
    "INTERVAL",
    "NOT",
    "IN",
    "EXISTS",
    "OVER",
    "VALUES",
    "#",
    "@",
    "#!",
    "\u{feff}",
    "0x",
    "1e",
    "..",
    ":",
    "?",
    "||",
    "->",
    "NULL",
    "IS",
    "BETWEEN",
    "stdin",
    "LATERAL",
    "TABLE",
    "INSERT",
    "INTO",
    "\u{1b}[31m",
    "\0",
    "REDUCE",
    "(a, b AS c)",
    "PARTITION",
    "SINGLE",
    "PER",
    "ROW",
    "OK",
    "EXIT",
    "(0, 3)",
    "TIMEOUT",
    "'10s'",
    "SECOND",
    "ERROR",
    "SKIP",
    "DESC",
    "NULLS",
    "FUNCTION",
    "RETURNS",
    "LANGUAGE",
    "STRICT",
    "f(a INT)",
    "REPLACE",
    "OR",
    "INT",
    "PIVOT",
    "ROLLUP",
];

fn soup() -> impl Strategy<Value = String> {
    let word = prop::sample::select(WORDS);
    let glue = prop_oneof![4 => Just(" "), 1 => Just("")];
    prop::collection::vec((word, glue), 0..40)
        .prop_map(|words| words.into_iter().flat_map(|(word, glue)| [word, glue]).collect())
}

/// A valid script with pieces moved, repeated or taken away.
fn mutated() -> impl Strategy<Value = String> {
    let valid: Vec<&'static str> = [
        include_str!("cases/pipe.sql"),
        include_str!("cases/operators.sql"),
        include_str!("cases/clauses.sql"),
        include_str!("cases/functions.sql"),
    ]
    .iter()
    .flat_map(|script| split(script).into_iter().map(|range| &script[range]))
    .collect();
    let edit = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        0..4_u8,
        prop::sample::select(WORDS),
    );
    (prop::sample::select(valid), prop::collection::vec(edit, 1..4)).prop_map(|(query, edits)| {
        let mut words: Vec<String> = query.split_inclusive(' ').map(str::to_string).collect();
        for (left, right, kind, word) in edits {
            if words.is_empty() {
                break;
            }
            let (left, right) = (left.index(words.len()), right.index(words.len()));
            match kind {
                0 => words.swap(left, right),
                1 => drop(words.remove(left)),
                2 => words.insert(left, words[right].clone()),
                _ => words.insert(left, format!("{word} ")),
            }
        }
        words.concat()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn token_soup(script in soup()) {
        check(&script);
    }

    #[test]
    fn pipe_soup(script in soup()) {
        check(&format!("FROM t |> {script}"));
    }

    #[test]
    fn clause_soup(script in soup(), form in prop::sample::select(&["|> ", "", "JOIN u "][..])) {
        check(&format!("FROM t {form}PIPE 'x' {script}"));
        check(&format!("FROM t {form}REDUCE LUA 'x' {script}"));
        check(&format!("CREATE FUNCTION f(a INT) {script}"));
    }

    #[test]
    fn mutated_queries(script in mutated()) {
        check(&script);
    }

    #[test]
    fn repeated_soup(
        words in prop::collection::vec(prop::sample::select(WORDS), 1..5),
        start in prop::sample::select(
            &[
                "",
                "SELECT ",
                "FROM t |> SELECT ",
                "SELECT * FROM ",
                "FROM t |> PIPE 'x' ",
                "FROM t PIPE 'x' ORDER BY ",
                "CREATE FUNCTION f(",
                "CREATE FUNCTION f() ",
            ][..],
        ),
        times in 1..120_usize,
    ) {
        check(&format!("{start}{}", format!("{} ", words.join(" ")).repeat(times)));
    }

    #[test]
    fn random_text(script in "\\PC{0,60}") {
        check(&script);
    }

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        check(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn prefixes_of_a_query(length in 0..400_usize) {
        let script = include_str!("cases/operators.sql");
        let end = (0..=length.min(script.len())).rev().find(|at| script.is_char_boundary(*at)).unwrap_or(0);
        check(&script[..end]);
    }

    #[test]
    fn random_lua(code in "(function|return|end|do|if|then|while|for|repeat|until|local|a|\\(|\\)|,|\\.\\.\\.|'|\"|\\[\\[|\\]\\]|--|=|1| |\n|é){0,30}") {
        if let Err(error) = lua::parameters(&code) {
            prop_assert!(error.offset <= code.len());
        }
    }
}
