//! Splitting, completeness and highlighting: one lexer, three readers.

use gleam_sql_parser::{highlight, is_complete, parse_script, split};

fn check_split(script: &str, expected: &[&str]) {
    let statements: Vec<&str> = split(script).into_iter().map(|range| &script[range]).collect();
    assert_eq!(statements, expected, "{script}");
}

#[test]
fn statements_end_at_unquoted_semicolons() {
    check_split("", &[]);
    check_split(" ; ;-- nothing;\n/* ; */ ;", &[]);
    check_split("SELECT 1", &["SELECT 1"]);
    check_split(" SELECT 1 ; -- one\nSELECT 2 -- two;\n;", &["SELECT 1", "SELECT 2"]);
    check_split("SELECT ';', \";\", `;`; FROM t", &["SELECT ';', \";\", `;`", "FROM t"]);
    check_split(
        "FROM t |> MAP LUA $$ a; b $$ AS (x); FROM u",
        &["FROM t |> MAP LUA $$ a; b $$ AS (x)", "FROM u"],
    );
    check_split(
        "SELECT $a$ ; $$ ; $a$;SELECT 'it''s;'",
        &["SELECT $a$ ; $$ ; $a$", "SELECT 'it''s;'"],
    );
    check_split("/* a /* ; */ ; */ SELECT 1", &["SELECT 1"]);
    check_split("SELECT 'a; SELECT 2;", &["SELECT 'a; SELECT 2;"]);
    check_split("SELECT 1; /* never", &["SELECT 1", "/* never"]);
    check_split("#!/usr/bin/gleam-sql -f; x\nSELECT 1;", &["SELECT 1"]);
    check_split("\u{feff}#! x;\r\n\u{feff}SELECT 1;\r\n", &["SELECT 1"]);
    check_split("\u{feff}SELECT 1", &["SELECT 1"]);
    check_split("SELECT é;日本", &["SELECT é", "日本"]);
}

#[test]
fn a_complete_text_ends_with_a_semicolon() {
    let cases = [
        ("", true),
        ("  -- only a comment", true),
        ("SELECT 1", false),
        ("SELECT 1;", true),
        ("SELECT 1; -- tail", true),
        ("SELECT 1; SELECT", false),
        ("SELECT ';", false),
        ("SELECT 1; /* open", false),
        ("FROM t |> MAP LUA $$ x;", false),
        ("FROM t |> MAP LUA $$ x; $$ AS (a);", true),
        ("FROM t |> MAP LUA $x$ $$;", false),
        ("SELECT \"a;", false),
    ];
    for (text, expected) in cases {
        assert_eq!(is_complete(text), expected, "{text}");
    }
}

#[test]
fn an_error_does_not_keep_its_neighbours_back() {
    let outcomes: Vec<bool> =
        parse_script("SELECT 1; SELEC 2; SELECT 3; 'open").map(|parsed| parsed.is_ok()).collect();
    assert_eq!(outcomes, [true, false, true, false]);
}

#[test]
fn words_are_keywords_where_they_act_as_such() {
    let text = "SELECT map, t.pipe FROM 'a' |> PIPE 'x' MAP LUA $$ f $$ AS (line) -- end\n|> FILTER LUA 'g' |> EXTEND 1 + $1 AS extend;";
    let classes: Vec<String> = highlight(text)
        .into_iter()
        .map(|(range, class)| format!("{:?} {}", class, &text[range]))
        .collect();
    insta::assert_snapshot!("highlight", classes.join("\n"));
    let text = "SELECT ok, timeout, error, single, per.row, raw, format FROM 'a' |> PIPE 'x' USING (k) SINGLE FORMAT TSV OK EXIT (0) TIMEOUT '5s' ON ERROR SKIP |> PIPE 'y' PER ROW |> REDUCE LUA $$f$$ BY (k) AS (n) ON ERROR FAIL; CREATE FUNCTION IF NOT EXISTS f(strict TEXT, language INT) RETURNS TEXT STRICT LANGUAGE LUA AS 'f'; DROP FUNCTION f; SHOW FUNCTIONS; SELECT strict, returns FROM language;";
    let classes: Vec<String> = highlight(text)
        .into_iter()
        .map(|(range, class)| format!("{:?} {}", class, &text[range]))
        .collect();
    insta::assert_snapshot!("highlight_clauses", classes.join("\n"));
}
