use arrow_array::{Array, StringViewArray, cast::AsArray};
use proptest::prelude::*;

use super::*;
use crate::parser::{LineParser, Parsed};
use crate::spec::FormatSpec;

fn parse(pattern: &str, line: &str) -> Parsed {
    let spec = FormatSpec::Pattern(pattern.into());
    let columns = spec.columns().unwrap().unwrap();
    let wanted: Vec<usize> = (0..columns.len()).collect();
    let lines = StringViewArray::from_iter_values([line]);
    LineParser::try_new(&spec, &columns).unwrap().parse(&lines, &wanted, 1).unwrap()
}

fn check(pattern: &str, line: &str, fields: &[&str]) {
    let parsed = parse(pattern, line);
    assert_eq!(parsed.failures.reasons, [""; 0], "{pattern} {line}");
    let found: Vec<&str> =
        parsed.columns.iter().map(|column| column.as_string_view().value(0)).collect();
    assert_eq!(found, fields, "{pattern} {line}");
}

fn check_mismatch(pattern: &str, line: &str, reason: &str) {
    let parsed = parse(pattern, line);
    assert_eq!(parsed.failures.reasons, [reason], "{pattern} {line}");
    assert!(parsed.columns.iter().all(|column| column.is_null(0)));
}

#[test]
fn captures_end_at_the_next_literal() {
    check("<a> <b>", "x y z", &["x", "y z"]);
    check("<a> - <b>", "x - y - z", &["x", "y - z"]);
    check("<a> <_> <b>", "x y z", &["x", "z"]);
    check("<a>,<b>", ",", &["", ""]);
    check("<a>→<b>→", "ü→ß→ä", &["ü", "ß"]);
    check("<a>ab<b>", "aab", &["a", ""]);
}

#[test]
fn the_start_is_fixed_and_the_end_is_not() {
    check("[<a>]", "[x] more", &["x"]);
    check("→<a>", "→x", &["x"]);
    check("<_>[<a>]", "more [x] more", &["x"]);
    check_mismatch("[<a>]", " [x]", "expected `[` at the start");
    check_mismatch("→<a>", "", "expected `→` at the start");
}

#[test]
fn a_missing_literal_is_a_mismatch() {
    check_mismatch("<a> - <b>", "x", "expected ` - ` from byte 1 on");
    check_mismatch("<a> <b>!", "x y", "expected `!` from byte 3 on");
    check("<a>", "", &[""]);
}

#[test]
fn columns_are_the_named_captures() {
    let names = |text: &str| -> Vec<String> {
        columns(text).unwrap().into_iter().map(|column| column.name).collect()
    };
    assert_eq!(names("<b> <_> <a>"), ["b", "a"]);
    let error = scanner("<a> <_>", &[ColumnSpec::text("_")]).unwrap_err();
    assert_eq!(error.message, "the format has no field `_`");
    assert_eq!(error.hint.as_deref(), Some("its fields are a"));
}

/// Literals, and fields none of which holds the literal behind it.
fn any_record() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    let part = prop_oneof!["[a-c ]{1,3}", "[→ä,]{1,2}", "[^<>]{1,6}"];
    let field = prop_oneof!["[a-c ]{0,5}", "[→äö]{0,3}", any::<String>()];
    (1..6_usize).prop_flat_map(move |count| {
        let literals = proptest::collection::vec(part.clone(), count + 1);
        (literals, proptest::collection::vec(field.clone(), count))
    })
}

proptest! {
    #[test]
    fn a_printed_record_is_read_again((literals, fields) in any_record()) {
        let mut pattern = literals[0].clone();
        let mut line = literals[0].clone();
        for (index, field) in fields.iter().enumerate() {
            let literal = &literals[index + 1];
            // The literal may begin in the field and end in itself: `a` in front of `ab` in `aab`.
            prop_assume!(format!("{field}{literal}").find(literal.as_str()) == Some(field.len()));
            pattern += &format!("<f{index}>{literal}");
            line += &format!("{field}{literal}");
        }
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        check(&pattern, &line, &fields);
    }

    #[test]
    fn no_pattern_and_no_line_panic(pattern in "[<>a_1 é]{0,16}", line in any::<String>()) {
        if columns(&pattern).is_ok() {
            parse(&pattern, &line);
        }
    }
}
