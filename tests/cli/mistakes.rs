//! What is wrong with a statement is said before it runs: with status 2, at its place, with a hint.

use crate::support::{Place, fails};

fn place() -> Place {
    let place = Place::with("access.log", "a\nb\n");
    place.write("t.csv", "k,n\na,1\n");
    place
}

/// The `^` of the message: the line and column that it names, and how many there are.
#[derive(Debug, PartialEq)]
struct Caret {
    line: usize,
    column: usize,
    width: usize,
}

/// Fails with status 2 and says `message` first; the caret stands under `marked`, which is in the
/// statement once; then comes the help.
#[track_caller]
fn check(sql: &str, message: &str, marked: &str, help: &[&str]) {
    let finished = fails(&place(), sql, 2, &[message]);
    assert_eq!(finished.text(), "", "nothing is printed before it\n{}", finished.shown());
    let at = sql.find(marked).unwrap_or_else(|| panic!("`{marked}` is not in {sql}"));
    let before = &sql[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().expect("there is one").chars().count() + 1;
    finished.says(&[&format!("--> line {line}, column {column}\n")]);
    let found = caret(&finished.stderr);
    assert_eq!(
        (found.line, found.column),
        (line, column),
        "the caret should stand under `{marked}`\n{}",
        finished.shown()
    );
    let shown: String =
        sql.lines().nth(line - 1).expect("a line").chars().skip(column - 1).collect();
    assert!(shown.starts_with(marked.lines().next().expect("a line")), "{shown}");
    assert!(found.width >= 1 && found.width <= shown.chars().count().max(1), "{found:?}");
    if !help.is_empty() {
        finished.says(&["= help: "]).says(help);
    }
}

/// Where the caret stands, counted in the text that is shown above it.
fn caret(message: &str) -> Caret {
    let lines: Vec<&str> = message.lines().collect();
    let at = lines.iter().position(|line| is_caret(line)).expect("there is a caret");
    let (number, _) =
        lines[at - 1].split_once(" | ").expect("a line number stands before the text");
    let (_, after) = lines[at].split_once("| ").expect("the caret is behind the margin");
    Caret {
        line: number.trim().parse().expect("a number"),
        column: after.find('^').expect("there is one") + 1,
        width: after.matches('^').count(),
    }
}

fn is_caret(line: &str) -> bool {
    line.trim_start().strip_prefix('|').is_some_and(|rest| rest.trim().starts_with('^'))
}

#[test]
fn unknown_columns() {
    check("SELECT lin FROM 'access.log'", "column `lin` not found", "lin ", &["`line`"]);
    check("FROM 'access.log'\n|> WHERE lien = 'x'", "lien", "lien", &["`line`"]);
    check("FROM 'access.log' |> ORDER BY fiel", "fiel", "fiel", &["`file`"]);
    check(
        "SELECT nothing_like_it FROM 'access.log'",
        "nothing_like_it",
        "nothing_like_it",
        &["file", "line_no", "line"],
    );
    // Behind an operator the columns are the operator's.
    check(
        "FROM 'access.log' |> PIPE 'cat' AS (status) |> SELECT\n  statsu",
        "statsu",
        "statsu",
        &["`status`"],
    );
    check(
        "FROM 'access.log' |> MAP LUA 'function(line) return 1 end' AS (x) |> WHERE line = ''",
        "column `line` not found",
        "line = ",
        &["x"],
    );
    check(
        "SELECT caf\u{e9}, lien FROM (SELECT 1 AS caf\u{e9}, 2 AS line)",
        "lien",
        "lien",
        &["`line`"],
    );
    check("SELECT a.lin FROM 'access.log' AS a", "lin", "a.lin", &["line"]);
    check("SELECT kk FROM 't.csv'", "kk", "kk", &[]);
}

#[test]
fn unknown_columns_in_using() {
    check("FROM 'access.log' |> PIPE 'cat' USING (lien)", "lien", "lien", &["`line`"]);
    check(
        "FROM 'access.log'\n  |> MAP LUA 'function(x) return x end' USING (upper(lnie)) AS (x)",
        "lnie",
        "lnie",
        &["`line`"],
    );
}

#[test]
fn unknown_tables() {
    check("SELECT * FROM nosuch", "table `nosuch` not found", "nosuch", &["FROM 'nosuch'"]);
    check("SET gleam.operator_timeout = '60s';\nSELECT *\n  FROM nosuch", "nosuch", "nosuch", &[]);
    check("WITH lines AS (SELECT 1 AS a) SELECT * FROM linse", "linse", "linse", &[]);
    check("SELECT * FROM 'acess.log'", "no such file: acess.log", "'acess.log'", &["'access.log'"]);
    check("SELECT * FROM 'nosuchdir/x'", "nosuchdir", "'nosuchdir/x'", &[]);
    check("SELECT * FROM text('acess.log')", "no such file", "'acess.log'", &["'access.log'"]);
    check("SELECT * FROM '~/x.log'", "~/x.log", "'~/x.log'", &["home directory"]);
}

#[test]
fn a_table_that_exists_is_suggested() {
    let sql = "CREATE VIEW requests AS FROM 'access.log'; SELECT * FROM request";
    let finished = place().sql(sql).run();
    finished.code(2).says(&["table `request` not found", "line 1, column 58", "`requests`"]);
}

#[test]
fn a_glob_without_matches_names_the_directory() {
    let place = place();
    let directory = place.path("").canonicalize().expect("it exists").display().to_string();
    fails(&place, "SELECT 1 FROM '*.nosuch'", 2, &["no file matches *.nosuch in", &directory, "^"]);
    place.write("sub/x", "");
    fails(
        &place,
        "SELECT 1 FROM 'sub/**/*.gz'",
        2,
        &["sub/**/*.gz", &format!("{directory}/sub"), "^"],
    );
    fails(&place, "SELECT 1 FROM 'no/*.gz'", 2, &["no such directory", "no/*.gz"]);
    // A directory is no match, and is not read as a file.
    fails(&place, "SELECT 1 FROM 'su*'", 2, &["no file matches su*"]);
    fails(&place, "SELECT 1 FROM 'sub'", 2, &["sub is a directory", "^", "'sub/*'"]);
    fails(&place, "SELECT 1 FROM 'sub/'", 2, &["sub/ is a directory", "'sub/*'"]);
    fails(&place, "SELECT 1 FROM 'x[.log'", 2, &["x[.log is not a valid glob", "^"]);
    fails(&place, "SELECT 1 FROM ''", 2, &["^"]);
}

#[test]
fn unknown_functions() {
    check("SELECT coun(*) FROM 'access.log'", "function `coun` not found", "coun", &["`count`"]);
    check("FROM 'access.log' |> SELECT\n  uper(line)", "uper", "uper", &["`upper`"]);
    check("FROM 'access.log' |> AGGREGATE smu(line_no)", "smu", "smu", &["`sum`"]);
    check("SELECT nothing_like_it(1)", "nothing_like_it", "nothing_like_it", &[]);
}

#[test]
fn unknown_operators_and_steps() {
    check("FROM 'access.log' |> PIEP 'cat'", "", "PIEP", &["PIPE"]);
    check("FROM 'access.log' |> WHER line = ''", "", "WHER ", &["WHERE"]);
    check(
        "FROM 'access.log' |> MAPP LUA 'function(line) return 1 end' AS (x)",
        "",
        "MAPP",
        &["MAP"],
    );
    check("FORM 'access.log'", "", "FORM", &["FROM"]);
    fails(
        &place(),
        "SELECT * FROM 'access.log' WHERE",
        2,
        &["found the end of the statement", "line 1, column 33"],
    );
}

#[test]
fn unknown_lua_parameters() {
    check(
        "FROM 'access.log' |> MAP LUA 'function(fiel, n)\n  return fiel end' AS (x)",
        "parameter `n`",
        "n)",
        &["file", "line_no", "line"],
    );
    check(
        "FROM 't.csv'\n|> MAP LUA 'function(k, m) return k end' AS (x)",
        "Lua parameter `m` names no column of the input",
        "m)",
        &["k", "n"],
    );
    check(
        "FROM 't.csv' |> MAP LUA $$\nfunction(k,\n         nn) return k end $$ AS (x)",
        "parameter `nn`",
        "nn)",
        &["did you mean `n`?"],
    );
    check(
        "FROM 'access.log' |> FILTER LUA 'function(...) return true end'",
        "`...`",
        "'function(",
        &["USING"],
    );
    check(
        "FROM 'access.log' |> MAP LUA 'function(a) return a end' USING (line, file) AS (x)",
        "USING gives 2 values to a Lua function of 1 parameters",
        "'function(",
        &[],
    );
}

#[test]
fn lua_syntax_errors_have_the_line_of_the_script() {
    check(
        "SET gleam.operator_timeout = '60s';\nFROM 'access.log'\n|> MAP LUA $$\n  function(line)\n    return 1 +\n  end\n$$ AS (x)",
        "Lua syntax error in line 4: unexpected symbol near 'end'",
        "  end\n$$",
        &[],
    );
    check(
        "FROM 'access.log' |> FILTER LUA 'function(line) retrun 1 end'",
        "Lua syntax error in line 1",
        "function(line)",
        &[],
    );
    check(
        "FROM 'access.log' |> MAP LUA 'function(line) return 1' AS (x)",
        "'end' expected",
        "function",
        &[],
    );
    check(
        "FROM 'access.log' |> FLATMAP LUA 'local n = 0\nlocal = 1\nreturn function(line) return n end' AS (x)",
        "Lua syntax error in line 2",
        "local = 1",
        &[],
    );
}

#[test]
fn lua_code_that_is_no_function() {
    let place = place();
    for code in ["42", "nil", "\"x\"", "{}", "local x = 1"] {
        let sql = format!("FROM 'access.log' |> MAP LUA '{code}' AS (x)");
        let finished = place.sql(&sql).run();
        assert!(matches!(finished.code, Some(1 | 2)), "{}", finished.shown());
        finished.says(&["error: ", "function", "^"]);
    }
}

#[test]
fn what_comes_later_says_so() {
    check(
        "SELECT * FROM 's3://logs/access.log'",
        "not supported yet: sources at s3://",
        "'s3",
        &[],
    );
}

#[test]
fn unfinished_texts() {
    check("SELECT 'abc", "", "'abc", &[]);
    check("FROM 'access.log' |> MAP LUA $$ function", "", "$$", &[]);
    check("SELECT (1", "", "(1", &[]);
    check("SELECT 1 /* never", "", "/*", &[]);
}

#[test]
fn the_caret_of_a_script_names_the_file() {
    let place = place();
    place.write("dir/q.sql", "SELECT 1 AS a;\n\n  SELECT nosuch\n");
    let finished = place.gleam().arg("-f").arg("dir/q.sql").run();
    finished.code(2).says(&["--> dir/q.sql:3:10\n", "3 |   SELECT nosuch\n", "^^^^^^"]);
}

#[test]
fn a_caret_behind_wide_and_combining_characters_counts_characters() {
    let place = place();
    let sql = "SELECT '\u{65e5}\u{672c}', nosuch";
    fails(&place, sql, 2, &["line 1, column 14", "nosuch"]);
}

#[test]
fn a_very_long_statement_is_shown_around_the_place() {
    let sql = format!("SELECT {} nosuch FROM 'access.log'", "1, ".repeat(2000));
    let finished = fails(&place(), &sql, 2, &["nosuch", "line 1, column 6009"]);
    assert!(finished.stderr.len() < 1000, "{}", finished.shown());
}

#[test]
fn hostile_depth_is_an_error_and_not_a_crash() {
    let place = place();
    for sql in [
        format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000)),
        format!("SELECT {}1", "NOT ".repeat(20_000)),
        "SELECT * FROM (".repeat(3000),
        format!("SELECT 1{}", " + 1".repeat(20_000)),
    ] {
        let place_of_sql = place.write("deep.sql", &sql);
        let finished = place.gleam().arg("-f").arg(place_of_sql).run();
        assert!(matches!(finished.code, Some(0..=2)), "{}", finished.shown());
    }
}
