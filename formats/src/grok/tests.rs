use arrow_schema::DataType;
use proptest::prelude::*;

use super::*;
use crate::check::{columns_of, fields_of, judged_alike, specs_of};
use crate::spec::FormatSpec;

const COMBINED: &str = "%{COMBINEDAPACHELOG}";

fn format(text: &str) -> FormatSpec {
    FormatSpec::Grok(text.into())
}

/// The fields that are not NULL.
fn check(text: &str, line: &str, expected: Option<&[(&str, &str)]>) {
    let found = fields_of(&format(text), line).map(|fields| {
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect::<Vec<_>>()
    });
    let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
    assert_eq!(found, expected.map(|fields| fields.iter().map(owned).collect()), "{line:?}");
}

fn is_linear(text: &str) -> bool {
    linear(text, &[]).is_some()
}

#[test]
fn names_stand_for_patterns() {
    let text = r"%{IP:client} \[%{HTTPDATE:ts}\] %{WORD:verb} took %{NUMBER:took:float} ms";
    check(
        text,
        "x 10.0.0.1 [10/Oct/2000:13:55:36 -0700] GET took 1.5 ms.",
        Some(&[
            ("client", "10.0.0.1"),
            ("ts", "10/Oct/2000:13:55:36 -0700"),
            ("verb", "GET"),
            ("took", "1.5"),
        ]),
    );
    check(text, "10.0.0.1 [10/Oct/2000:13:55:36 -0700] GET took long", None);
    assert!(is_linear(text));
}

#[test]
fn fields_have_types_and_dots() {
    let text = "%{INT:[http][status]:int} %{NUMBER:took:float} %{DATA:a.b:string}(?<rest>.*)";
    let columns = specs_of(&format(text));
    let types: Vec<_> = columns.into_iter().map(|column| (column.name, column.data_type)).collect();
    assert_eq!(
        types,
        [
            ("http.status".to_string(), DataType::Int64),
            ("took".to_string(), DataType::Float64),
            ("a.b".to_string(), DataType::Utf8View),
            ("rest".to_string(), DataType::Utf8View),
        ]
    );
}

#[test]
fn a_field_of_two_patterns_is_one_column() {
    let text = r"(?:%{IPV4:from} ->|<- %{IPV4:from}) ok";
    assert_eq!(columns_of(&format(text)), ["from"]);
    check(text, "1.2.3.4 -> ok", Some(&[("from", "1.2.3.4")]));
    check(text, "<- 1.2.3.4 ok", Some(&[("from", "1.2.3.4")]));
}

#[test]
fn the_library_parses_access_logs_on_the_linear_engine() {
    assert!(is_linear(COMBINED));
    check(
        COMBINED,
        r#"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a?b=c HTTP/1.0" 200 2326 "-" "Mozilla/4.08 \"x\"""#,
        Some(&[
            ("clientip", "127.0.0.1"),
            ("ident", "-"),
            ("auth", "frank"),
            ("timestamp", "10/Oct/2000:13:55:36 -0700"),
            ("verb", "GET"),
            ("request", "/a?b=c"),
            ("httpversion", "1.0"),
            ("response", "200"),
            ("bytes", "2326"),
            ("referrer", "\"-\""),
            ("agent", r#""Mozilla/4.08 \"x\"""#),
        ]),
    );
}

#[test]
fn look_around_counts_where_it_matters() {
    // Not in the middle of a number.
    check("%{IPV4:ip}", "1234.5.6.7", None);
    check("%{IPV4:ip}", "1234.5.6.7 1.2.3.4", Some(&[("ip", "1.2.3.4")]));
    check("%{IPV4:ip}", "1.2.3.2567", None);
    check("%{NUMBER:n}x", "1.5x", Some(&[("n", "1.5")]));
    check("a%{NUMBER:n}", "a-1 1", Some(&[("n", "-1")]));
    // An atomic number does not give its end away.
    check(r"%{NUMBER:n}\.5", "12.5", None);
    assert!(!is_linear(r"%{NUMBER:n}\.5"));
    assert!(!is_linear("%{DATA:a}%{NUMBER:n}"));
    assert!(!is_linear("%{SYSLOGPAMSESSION}"));
    check(r"(?<a>\w)\1(?=!)", "xyy!", Some(&[("a", "y")]));
}

fn error_of(text: &str) -> FormatError {
    columns(text).expect_err("it is wrong")
}

#[test]
fn errors_say_where() {
    let error = error_of("%{WORD:a} %{NUMBR:b}");
    assert_eq!((error.message.as_str(), error.offset), ("there is no pattern `NUMBR`", Some(10)));
    assert_eq!(error.hint.as_deref(), Some("did you mean NUMBER?"));
    assert_eq!(error_of("%{ip:a}").hint.as_deref(), Some("did you mean IP?"));
    assert_eq!(error_of("x %{WORD").offset, Some(2));
    assert_eq!(error_of("%{INT:a:decimal}").message, "`decimal` is no type of a field");
    assert_eq!(error_of("%{INT}").message, "the expression names no field");
    assert!(error_of("%{INT:a}(").message.starts_with("the expression is wrong"));
}

#[test]
fn the_whole_library_compiles() {
    let is_wrong = |name: &&str| columns(&format!("%{{{name}:field}}")).is_err();
    let wrong: Vec<&str> =
        grok::patterns().iter().map(|(name, _)| *name).filter(is_wrong).collect();
    assert_eq!(wrong, [""; 0]);
}

/// The fields that the backtracking engine alone finds.
fn exactly(text: &str, line: &str) -> Option<Vec<(String, Option<String>)>> {
    let (expanded, exact) = compile(text).expect("the expression is right");
    let captures = exact.captures(line).expect("few steps")?;
    let value = |field: &Field| field.groups.iter().find_map(|group| captures.name(group));
    let text = |field: &Field| value(field).map(|found| found.as_str().to_string());
    Some(expanded.fields.iter().map(|field| (field.name.clone(), text(field))).collect())
}

const EXPRESSIONS: [&str; 9] = [
    "%{NUMBER:n}",
    "%{IPV4:a} %{NUMBER:n}",
    "(?:%{NUMBER:n}|x) %{NUMBER:m}",
    "%{IP:ip}:%{POSINT:port}",
    "%{TIME:t}",
    "%{QS:q} %{GREEDYDATA:rest}",
    "^%{NUMBER:n}(?: %{NUMBER:m})?$",
    "%{BASE16NUM:h} %{DATA:d} %{BASE10NUM:n}-",
    "(?:%{INT:n} )+%{WORD:w}",
];

proptest! {
    #[test]
    fn both_engines_find_the_same(
        expression in prop::sample::select(&EXPRESSIONS[..]),
        line in "[-0-2.+ :a\"\\\\x]{0,24}|([0-9]{1,4}[.: -]){0,9}",
    ) {
        prop_assert_eq!(fields_of(&format(expression), &line), exactly(expression, &line));
    }

    #[test]
    fn no_line_panics_and_all_columns_judge_alike(
        expression in prop::sample::select(&EXPRESSIONS[..]),
        line in "\\PC{0,30}|[-0-2.+ :a]{0,24}",
    ) {
        judged_alike(&format(expression), &line);
    }

    #[test]
    fn no_expression_panics(text in "[%{}()<>?:A-Z\\[\\]|*+\\\\]{0,30}|\\PC{0,20}") {
        let _ = columns(&text);
    }
}
