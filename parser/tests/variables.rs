//! `:name`, `:'name'` and `:"name"`.

use gleam_sql_parser::{Statement, Variables, parse_script};

fn variables() -> Variables {
    let mut variables = Variables::default();
    let values = [
        ("n", "500"),
        ("cond", "status >= 500 AND (path = '/')"),
        ("who", "O'Brien; -- \"x\""),
        ("column", "two words\""),
        ("empty", ""),
        ("file", "a.log"),
        ("open", "'never"),
        ("two", "1; DROP TABLE t"),
        ("bad", "SELECT FROM"),
        ("paren", "1)"),
        ("steps", "WHERE a > 1 |> LIMIT 3"),
    ];
    for (name, value) in values {
        variables.set(name, value).expect("the names are names");
    }
    variables
}

fn parse(script: &str) -> Result<Statement, String> {
    let variables = variables();
    let mut statements = parse_script(script).with_variables(&variables);
    let first = statements.next().expect("there is a statement");
    first.map_err(|error| error.render(script, Some("s.sql")))
}

/// The script parses as the SQL that it stands for.
#[track_caller]
fn check(script: &str, expected: &str) {
    let body = |parsed: Result<Statement, _>| {
        parsed.unwrap_or_else(|error| panic!("{script}\n{error}")).body.to_string()
    };
    let plain = parse_script(expected).next().expect("there is a statement");
    let plain = plain.map_err(|error| error.render(expected, None));
    assert_eq!(body(parse(script)), body(plain), "{script}");
}

#[track_caller]
fn fails(script: &str, expected: &[&str]) {
    let error = parse(script).expect_err(script);
    for fragment in expected {
        assert!(error.contains(fragment), "{script}\nlacks {fragment}\n{error}");
    }
}

#[test]
fn values_are_tokens() {
    check("SELECT :n", "SELECT 500");
    check("SELECT -:n, a+:n,(:n)", "SELECT -500, a + 500, (500)");
    check("SELECT * FROM t WHERE :cond", "SELECT * FROM t WHERE status >= 500 AND (path = '/')");
    check("SELECT 1 :empty", "SELECT 1");
    check("FROM t |> :steps", "FROM t |> WHERE a > 1 |> LIMIT 3");
    check("SELECT :n::TEXT, 1::INT, x::TEXT", "SELECT 500::TEXT, 1::INT, x::TEXT");
}

#[test]
fn quoted_values_are_texts_and_names() {
    check("SELECT :'who'", "SELECT 'O''Brien; -- \"x\"'");
    check("SELECT :'n'", "SELECT '500'");
    check("SELECT :\"column\" FROM t", "SELECT \"two words\"\"\" FROM t");
    check("SELECT count(*) FROM :'file'", "SELECT count(*) FROM 'a.log'");
    check("SELECT :'open'", "SELECT '''never'");
}

#[test]
fn what_is_no_variable_stays() {
    for script in [
        "SELECT ':n', \":n\", $$:n$$ /* :n */ -- :n",
        "SELECT {'a': n}, {'a':n, 'b' : n}",
        "SELECT list[1:n], list[a:n], list[(1):n]",
        "SELECT n::INT, '1'::INT",
        "FROM t |> MAP LUA 'function(n) return string:n(1) end' AS (x)",
    ] {
        check(script, script);
    }
}

#[test]
fn places_are_those_of_the_script() {
    fails("SELECT 1,\n  :nosuch", &["the variable `nosuch` has no value", "s.sql:2:3", "^^^^^^^"]);
    fails("SELECT 1,\n  :'nosuch'", &["s.sql:2:3", "^^^^^^^^^", "-v nosuch=value"]);
    fails("SELECT :colunm", &["did you mean :column?"]);
    fails("SELECT :N", &["the variable `N` has no value", "did you mean :n?"]);
    fails("SELECT :cond, FROM FROM t", &["s.sql:1:20"]);
    fails("SELECT :paren", &["s.sql:1:8"]);
    fails("SELECT 1 +\n:bad", &["the end of the statement", "s.sql:2:5"]);
}

#[test]
fn values_that_are_no_sql() {
    fails(
        "SELECT :open",
        &["the value `'never` of the variable `open` is no SQL", "write :'open'"],
    );
    fails("SELECT :two", &["it has a `;`", "s.sql:1:8", "^^^^"]);
}

#[test]
fn names() {
    let mut variables = Variables::default();
    for name in ["", "1a", "a-b", "a b", "é", ":a"] {
        assert!(variables.set(name, "1").is_err(), "{name:?}");
    }
    for name in ["a", "_", "A1_b"] {
        assert!(variables.set(name, "1").is_ok(), "{name:?}");
    }
}

#[test]
fn without_variables_nothing_is_replaced() {
    let parsed = parse_script("SELECT :n").next().unwrap().unwrap();
    assert_eq!(parsed.body.to_string(), "SELECT :n");
}
