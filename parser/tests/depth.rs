//! Nesting and repetition end in an error, never in an overflow of the stack or in a search that
//! takes for ever.

#![expect(clippy::unwrap_used, reason = "a test stops at its first failure")]

use datafusion_sql::sqlparser::keywords::ALL_KEYWORDS;
use gleam_sql_parser::parse_script;

/// A level, how many of it are still parsed, and what closes it.
struct Nesting {
    open: &'static str,
    core: &'static str,
    close: &'static str,
    parsed: usize,
}

const fn nesting(
    open: &'static str,
    core: &'static str,
    close: &'static str,
    parsed: usize,
) -> Nesting {
    Nesting { open, core, close, parsed }
}

const NESTINGS: &[Nesting] = &[
    nesting("SELECT (", "1", ")", 20),
    nesting("(", "SELECT 1", ")", 40),
    nesting("SELECT * FROM (", "SELECT * FROM a", ")", 20),
    nesting("FROM (", "FROM a", " |> WHERE x)", 20),
    nesting("FROM (", "FROM a", " |> PIPE 'x')", 15),
    nesting("FROM t |> WHERE x IN (", "FROM u |> SELECT y", ")", 40),
    nesting("SELECT CASE WHEN a THEN (", "1", ") END", 10),
    nesting("FROM (", "a", " PIPE 'x')", 10),
    nesting("FROM t |> PIPE 'x' ORDER BY (", "FROM u |> SELECT y", ")", 40),
    nesting("FROM t |> PIPE 'x' PARTITION BY ((", "FROM u |> SELECT y", "))", 15),
    nesting("FROM t PIPE 'x' ORDER BY CASE WHEN a THEN (", "1", ") END", 10),
];

const CHAINS: &[(&str, &str, usize)] = &[
    ("SELECT 1", " + 1", 900),
    ("SELECT 1 FROM t WHERE a", " OR a", 900),
    ("SELECT a", ".a", 40),
    ("SELECT a", "::int", 900),
    ("SELECT a", "[1]", 400),
    ("SELECT a", " IS NULL", 400),
    ("SELECT 1", " UNION ALL SELECT 1", 900),
    ("FROM t", " |> WHERE x", 200),
    ("FROM t", " PIPE 'x'", 200),
    ("FROM t", " JOIN t ON true", 900),
    ("SELECT 1", ", 1", 20_000),
    ("VALUES (1)", ", (1)", 20_000),
    ("FROM t |> SELECT 1", ", 1", 20_000),
    ("FROM t |> PIPE 'x' ORDER BY a", ", a", 20_000),
    ("FROM t |> PIPE 'x' ORDER BY a", " + 1", 900),
    ("FROM t PIPE 'x' ORDER BY a", " PIPE 'x' ORDER BY a", 150),
    ("FROM t |> PIPE 'x' OK EXIT (0", ", 0", 0),
    ("FROM t |> PIPE 'x'", " ON ERROR SKIP", 1),
    ("FROM t PIPE 'x' ORDER BY", " CASE", 0),
    ("CREATE FUNCTION f(a INT", ", a INT", 0),
    ("CREATE FUNCTION f() RETURNS INT", "[]", 0),
    ("CREATE FUNCTION f() RETURNS ", "ARRAY<", 0),
    ("CREATE FUNCTION f(a ", "STRUCT<a ", 0),
    ("SELECT CAST(a AS INT", "[]", 0),
    ("SELECT CAST(a AS ", "ARRAY<", 0),
    ("SELECT ", "[", 0),
    ("SELECT ", "NOT ", 0),
    ("SELECT ", "- ", 0),
    ("SELECT ", "CASE WHEN a THEN 1 ELSE ", 0),
    ("SELECT ", "INTERVAL ", 0),
    ("", "EXPLAIN ", 0),
    ("", "PREPARE p AS ", 0),
    ("SELECT * FROM ", "(", 0),
];

/// Words that sqlparser reads in a second way where the first one fails, each on a level.
#[test]
fn errors_are_found_in_time() {
    let words = ["NOT", "CASE", "CAST", "POSITION", "SUBSTRING", "CEIL", "ARRAY", "a.b", "f"];
    for (word, (open, close)) in
        words.iter().flat_map(|word| [(word, ("(", ")")), (word, ("[", "]"))])
    {
        for depth in [8, 12, 30, 45] {
            let level = format!("{word} {open} ").repeat(depth);
            for start in ["SELECT ", "FROM t |> WHERE ", "FROM t PIPE 'x' ORDER BY "] {
                assert!(!parses(format!("{start}{level}1 1{}", close.repeat(depth))));
                assert!(!parses(format!("{start}{level}")));
            }
        }
    }
}

/// Whether the only statement parses, on a thread with as little stack as those of tokio. What was
/// parsed is printed and dropped there as well.
fn parses(script: String) -> bool {
    let small = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let work = move || {
        let parsed = parse_script(&script).next().unwrap();
        if let Err(error) = &parsed {
            assert!(error.span.is_some(), "{error}");
        }
        parsed.is_ok_and(|statement| !statement.body.to_string().is_empty())
    };
    small.spawn(work).unwrap().join().unwrap()
}

#[test]
fn nesting_is_bounded() {
    for Nesting { open, core, close, parsed } in NESTINGS {
        let script = |depth: usize| format!("{}{core}{}", open.repeat(depth), close.repeat(depth));
        assert!(parses(script(*parsed)), "{open} {parsed}");
        for depth in [parsed + 1, 45, 60, 1_000, 10_000] {
            let outcome = parses(script(depth));
            assert!(!outcome || depth < 60, "{open} {depth}");
        }
    }
}

#[test]
fn chains_are_bounded() {
    for (start, link, parsed) in CHAINS {
        let script = |length: usize| format!("{start}{}", link.repeat(length));
        if *parsed > 0 {
            assert!(parses(script(*parsed)), "{link} {parsed}");
        }
        for length in [60, 990, 3_000, 20_000] {
            let outcome = parses(script(length));
            assert!(!outcome || length < 3_000 || link.starts_with(','), "{link} {length}");
        }
    }
}

#[test]
fn no_keyword_is_costly_when_repeated() {
    for word in ALL_KEYWORDS {
        for start in ["", "SELECT ", "FROM t |> SELECT CAST(a AS "] {
            parses(format!("{start}{}", format!("{word} ").repeat(200)));
        }
    }
}
