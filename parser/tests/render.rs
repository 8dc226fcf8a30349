//! The caret stands under the right character, whatever stands before it.

use gleam_sql_parser::{Diagnostic, parse_script};

/// The rendered errors of a script, without a name.
fn check(script: &str) -> String {
    parse_script(script)
        .filter_map(Result::err)
        .map(|error| error.render(script, None))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn places() {
    let scripts = [
        "SELECT 1;\r\nSELECT 2;\r\nFROM t\r\n\t|> WHERE é = '日本' AND AND x;\r\nSELECT 3",
        "SELECT 'ünï', 日本, +;",
        "\u{feff}#!/usr/bin/gleam-sql -f\n  SELCT 1",
        "SELECT 'a\nb' x y\n",
        "SELECT 1;\n\n  FROM t |> PIPE 'grep\n  x' USING 1;",
        "SELECT \u{1b}[31m 'x' FROM t",
        "SELECT 1 \u{202e} + ",
        "FROM t |> MAP LUA $lua$\n function(line) return 1 end",
        "SELECT 'never ends;\nFROM t;\n",
        "\tSELECT\t(a",
        "SELECT e\u{301}e\u{301} FROM FROM t",
        "SELECT *\nFROM t\n|> WHERE x = 1\n|> ",
        "SELECT 👍 👍 👍",
    ];
    insta::assert_snapshot!("places", scripts.map(check).join("\n"));
}

#[test]
fn long_lines_are_clipped_around_the_caret() {
    let columns = |from: usize| {
        (from..from + 60).map(|n| format!("column{n}")).collect::<Vec<_>>().join(", ")
    };
    let in_the_middle = format!("SELECT {}, +, {} FROM t", columns(0), columns(60));
    let at_the_end = format!("SELECT {} FROM t WHERE", columns(0));
    let at_the_start = format!("SELECT +, {} FROM t", columns(0));
    let one_word = format!("SELECT 1 {} 2", "x".repeat(500));
    insta::assert_snapshot!(
        "long_lines",
        [in_the_middle, at_the_end, at_the_start, one_word].map(|script| check(&script)).join("\n")
    );
}

#[test]
fn a_diagnostic_without_a_place_is_its_message_and_hint() {
    let diagnostic = Diagnostic::new("no such \u{7} table").with_hint("look\nagain");
    assert_eq!(diagnostic.render("", None), "error: no such \\u{7} table\n = help: look\\nagain\n");
}

#[test]
fn places_outside_the_script_do_not_panic() {
    use gleam_sql_parser::{Location, Span};
    for (line, column) in [(0, 0), (1, 0), (1, 99), (7, 3), (u64::MAX, u64::MAX)] {
        let at = Location::new(line, column);
        let rendered = Diagnostic::new("x").at(Span::new(at, at)).render("abc\n", Some("f"));
        assert!(rendered.starts_with("error: x\n"), "{rendered}");
    }
}
