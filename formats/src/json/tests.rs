//! Lines of JSON, odd ones, and what serde_json makes of them.

use arrow_array::StringViewArray;
use arrow_schema::DataType;
use proptest::prelude::*;
use serde_json::Value;

use super::{discover, scanner};
use crate::column::ColumnSpec;
use crate::parser::LineParser;
use crate::scan::Fields;
use crate::spec::FormatSpec;

/// The text of each column, or why the line does not match.
fn read(columns: &[&str], line: &str) -> Result<Vec<Option<String>>, String> {
    let columns: Vec<ColumnSpec> = columns.iter().copied().map(ColumnSpec::text).collect();
    let scanner = scanner(&columns).unwrap();
    let mut fields = Fields::new(vec![true; columns.len()]);
    let scanned = scanner.scan(line, &mut fields);
    scanned.map_err(|mismatch| scanner.describe(line, mismatch))?;
    Ok((0..columns.len()).map(|slot| fields.text(line, slot).map(str::to_string)).collect())
}

#[track_caller]
fn check(columns: &str, line: &str, expected: &[Option<&str>]) {
    let columns: Vec<&str> = columns.split(' ').collect();
    let expected: Vec<Option<String>> =
        expected.iter().map(|text| text.map(str::to_string)).collect();
    assert_eq!(read(&columns, line), Ok(expected), "{line}");
}

#[test]
fn keys_and_values() {
    let line = r#"{"t":"x y","n":-1.50e+3,"b":true,"o":{"k":[1, 2]},"a":[ ],"z":null,"e":""}"#;
    let expected = [
        Some("x y"),
        Some("-1.50e+3"),
        Some("true"),
        Some(r#"{"k":[1, 2]}"#),
        Some("[ ]"),
        None,
        Some(""),
        None,
    ];
    check("t n b o a z e absent", line, &expected);
    check("b absent", " {\t\"a\" : 0 , \"b\":\r\n false } ", &[Some("false"), None]);
    check("a", "{}", &[None]);
    check("é", r#"{"é":"ü"}"#, &[Some("ü")]);
}

#[test]
fn nested_keys() {
    let line = r#"{"a":{"b":{"c":1},"d":[10,{"e":"x"},null]}}"#;
    let expected = [Some(r#"{"c":1}"#), Some("1"), Some("10"), Some("x"), None, None];
    check("a.b a.b.c a.d.0 a.d.1.e a.d.2 a.d.3", line, &expected);
    check("a.b a.0 a.b.c", r#"{"a":"text"}"#, &[None, None, None]);
    check("a.01 a.0 a.+1", r#"{"a":[1,2]}"#, &[None, Some("1"), None]);
    check("a.0", r#"{"a":{"0":1}}"#, &[Some("1")]);
    // Objects and what is in them can be columns at once, in any order.
    check(
        "a.b.c a.b a",
        r#"{"a":{"b":{"c":1}}}"#,
        &[Some("1"), Some(r#"{"c":1}"#), Some(r#"{"b":{"c":1}}"#)],
    );
}

#[test]
fn keys_with_dots() {
    for line in [r#"{"a.b":1,"a":{"b":2}}"#, r#"{"a":{"b":2},"a.b":1}"#] {
        check("a.b", line, &[Some("1")]);
    }
    check("a.b.c", r#"{"a":{"b.c":1,"b":{"c":2}}}"#, &[Some("1")]);
    check("a.b.c", r#"{"a.b":{"c":1},"a":{"b.c":2}}"#, &[Some("1")]);
    check("a.b", r#"{"a.b":null,"a":{"b":2}}"#, &[None]);
    check(
        "a.b.c.d.e.f.g.h.i.j",
        r#"{"a":{"b":{"c":{"d":{"e":{"f":{"g":{"h":{"i":{"j":1}}}}}}}}}}"#,
        &[Some("1")],
    );
    check("a. .b .", r#"{"a":{"":1},"":{"b":2,"":3}}"#, &[Some("1"), Some("2"), Some("3")]);
}

#[test]
fn the_last_one_of_equal_keys_counts() {
    check("a", r#"{"a":1,"a":2}"#, &[Some("2")]);
    check("a", r#"{"a":1,"a":null}"#, &[None]);
    check("a.b a.c", r#"{"a":{"b":1,"c":1},"a":{"b":2}}"#, &[Some("2"), None]);
    check("a.b", r#"{"a":{"b":1},"a":3}"#, &[None]);
    check("a.b", r#"{"a.b":1,"a":{}}"#, &[Some("1")]);
}

#[test]
fn escapes() {
    check(
        "a",
        r#"{"a":"\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00|"}"#,
        &[Some("\"\\/\u{8}\u{c}\n\r\tAé😀|")],
    );
    check("a", r#"{"a":"\ud83d\u0041\ude00\ud83d"}"#, &[Some("\u{fffd}A\u{fffd}\u{fffd}")]);
    check("a", r#"{"a":"\ud83d\ud83d\ude00"}"#, &[Some("\u{fffd}😀")]);
    check("a\"b a\\b", r#"{"a\"b":1,"\u0061\\b":2}"#, &[Some("1"), Some("2")]);
    check("a", r#"{"a":["\n"]}"#, &[Some(r#"["\n"]"#)]);
}

#[test]
fn what_is_no_object() {
    let check = |line: &str, expected: &str| {
        assert_eq!(read(&["a"], line), Err(expected.to_string()), "{line}");
        assert_eq!(read(&[], line), Err(expected.to_string()), "{line}");
    };
    check("", "no object of JSON: expected `{` at byte 1");
    check("[1]", "no object of JSON: expected `{` at byte 1");
    check(" x", "no object of JSON: expected `{` at byte 2");
    check("{", "expected a key in quotes at byte 2");
    check("{a:1}", "expected a key in quotes at byte 2");
    check("{\"a\":1,}", "expected a key in quotes at byte 8");
    check("{\"a\"1}", "expected `:` at byte 5");
    check("{\"a\":}", "expected a value of JSON at byte 6");
    check("{\"a\":nul}", "expected a value of JSON at byte 6");
    check("{\"a\":'x'}", "expected a value of JSON at byte 6");
    check("{\"a\":+1}", "expected a value of JSON at byte 6");
    check("{\"a\":01}", "expected `,` or `}` at byte 7");
    check("{\"a\":1.}", "expected a digit at byte 8");
    check("{\"a\":-}", "expected a digit at byte 7");
    check("{\"a\":1e}", "expected a digit at byte 8");
    check("{\"a\":[1 2]}", "expected `,` or `]` at byte 9");
    check("{\"a\":[1}", "expected `,` or `]` at byte 8");
    check("{\"b\":{\"a\":1]}", "expected `,` or `}` at byte 12");
    check("{\"a\":1} x", "text behind the object at byte 9");
    check("{\"a\":\"x", "no quote ends the string that starts at byte 6");
    check("{\"a\":\"x\\", "an escape that JSON does not have at byte 8");
    check("{\"a\":\"\\x\"}", "an escape that JSON does not have at byte 7");
    check("{\"a\":\"\\u12g4\"}", "an escape that JSON does not have at byte 7");
    check("{\"a\":\"\\u12é\"}", "an escape that JSON does not have at byte 7");
    check("{\"a\":\"\t\"}", "a control character that is not escaped at byte 7");
    check("\u{feff}{}", "no object of JSON: expected `{` at byte 1");
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        format!("{{\"a\":{open}{close}}}")
    };
    assert!(read(&["a"], &nested(128)).is_ok());
    for columns in [&["a"], &["b"], &["a.0.0.0"]] {
        let error = read(columns, &nested(129)).unwrap_err();
        assert_eq!(error, "more than 128 objects and arrays in each other at byte 133");
        read(columns, &nested(1_000_000)).unwrap_err();
        read(columns, &"{\"a\":".repeat(1_000_000)).unwrap_err();
    }
}

#[track_caller]
fn check_discovery(lines: &[&str], expected: &str) {
    let columns = discover(&lines.iter().map(Some).collect::<StringViewArray>());
    let shown = |column: &ColumnSpec| {
        let data_type = match &column.data_type {
            DataType::Boolean => "BOOLEAN",
            DataType::Int64 => "BIGINT",
            DataType::Float64 => "DOUBLE",
            DataType::Timestamp(_, Some(_)) => "MOMENT",
            DataType::Timestamp(_, None) => "TIMESTAMP",
            _ => "TEXT",
        };
        format!("{} {data_type}", column.name)
    };
    let shown: Vec<String> = columns.iter().map(shown).collect();
    assert_eq!(shown.join(", "), expected);
}

#[test]
fn discovery() {
    check_discovery(
        &[r#"{"z":1,"t":"2024-01-02T10:05:03Z","ok":true,"m":"x"}"#, r#"{"new":1.5,"z":2}"#],
        "z BIGINT, t MOMENT, ok BOOLEAN, m TEXT, new DOUBLE",
    );
    check_discovery(&[r#"{"a":1}"#, r#"{"a":1.5}"#], "a DOUBLE");
    check_discovery(&[r#"{"a":1}"#, r#"{"a":null}"#, "no JSON", "", "{\"a\":\"x\""], "a BIGINT");
    check_discovery(&[r#"{"a":1}"#, r#"{"a":"1"}"#], "a TEXT");
    check_discovery(&[r#"{"a":1}"#, r#"{"a":true}"#], "a TEXT");
    check_discovery(&[r#"{"a":null}"#], "a TEXT");
    check_discovery(&[r#"{"a":9223372036854775807}"#], "a BIGINT");
    check_discovery(&[r#"{"a":9223372036854775808}"#], "a TEXT");
    check_discovery(&[r#"{"a":9223372036854775807,"b":1e999}"#, r#"{"a":0.5}"#], "a TEXT, b TEXT");
    check_discovery(&[r#"{"a":"2024-01-02 10:05:03"}"#], "a TIMESTAMP");
    check_discovery(
        &[r#"{"a":"2024-01-02 10:05:03"}"#, r#"{"a":"2024-01-02 10:05:03Z"}"#],
        "a TEXT",
    );
    check_discovery(
        &[r#"{"a":"2024-01-02","b":"20240102","c":"1700000000"}"#],
        "a TEXT, b TEXT, c TEXT",
    );
    check_discovery(&["{}"], "");
}

#[test]
fn discovery_of_nested_keys() {
    check_discovery(
        &[r#"{"a":null,"x":[{"y":1}]}"#, r#"{"a":{"b":1,"c":{"d":"x"}}}"#],
        "x TEXT, a.b BIGINT, a.c.d TEXT",
    );
    check_discovery(&[r#"{"a":{"b":1}}"#, r#"{"a":2}"#], "a TEXT, a.b BIGINT");
    check_discovery(&[r#"{"a":{}}"#], "a TEXT");
    check_discovery(&[r#"{"a":{}}"#, r#"{"a":{"b":1}}"#], "a.b BIGINT");
    check_discovery(&[r#"{"a":{"b":1},"a.b":"x"}"#], "a.b TEXT");
    check_discovery(&[r#"{"":1,"\u0061":1}"#], "a BIGINT");
    check_discovery(&[r#"{"a":{"b":{"c":{"d":{"e":{"f":1}}}}}}"#], "a.b.c.d.e TEXT");
    let many: Vec<String> = (0..1100).map(|key| format!("\"k{key}\":{key}")).collect();
    let line = format!("{{{}}}", many.join(","));
    assert_eq!(discover(&StringViewArray::from_iter_values([line])).len(), 1000);
}

/// Values whose text is the same in serde_json and on the line.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[ab.0\\\\\"é]{0,3}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn objects() -> impl Strategy<Value = Value> {
    proptest::collection::btree_map("[ab.0\\\\\"é]{0,3}", values(), 0..6)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

/// The text that a column has of a value.
fn expected(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// The value at a path, tried as the scanner documents it: longer keys first.
fn at_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    let member = |key: &str| match value {
        Value::Object(members) => members.get(key),
        Value::Array(elements) => {
            let is_canonical = key == "0" || key.starts_with(|first| matches!(first, '1'..='9'));
            elements.get(key.parse::<usize>().ok().filter(|_| is_canonical)?)
        }
        _ => None,
    };
    let whole = member(path);
    let splits = path.rmatch_indices('.');
    whole.or_else(|| {
        splits.into_iter().find_map(|(dot, _)| at_path(member(&path[..dot])?, &path[dot + 1..]))
    })
}

proptest! {
    #[test]
    fn values_are_read_as_they_were_written(
        object in objects(), path in "[ab.0\\\\\"é]{0,7}", other in "[ab]",
    ) {
        let columns = [path.as_str(), other.as_str(), "a", "b", "a.b", "a.0"];
        for line in [object.to_string(), serde_json::to_string_pretty(&object).unwrap()] {
            let read = read(&columns, &line).unwrap();
            for (column, text) in columns.iter().zip(read) {
                let wanted = expected(at_path(&object, column));
                // The pretty form has other spaces in objects and arrays.
                let text = match at_path(&object, column) {
                    Some(Value::Object(_) | Value::Array(_)) => {
                        text.map(|text| serde_json::from_str::<Value>(&text).unwrap().to_string())
                    }
                    _ => text,
                };
                prop_assert_eq!(text, wanted, "{} in {}", column, line);
            }
        }
    }

    #[test]
    fn discovered_columns_fit_what_they_were_discovered_in(
        objects in proptest::collection::vec(objects(), 1..6),
    ) {
        let lines = StringViewArray::from_iter_values(objects.iter().map(Value::to_string));
        let columns = discover(&lines);
        let wanted: Vec<usize> = (0..columns.len()).collect();
        let parser = LineParser::try_new(&FormatSpec::Json, &columns).unwrap();
        let parsed = parser.parse(&lines, &wanted, 3).unwrap();
        prop_assert_eq!(parsed.failures.reasons, Vec::<String>::new());
    }

    /// A line with some bytes changed is refused where serde_json refuses it.
    #[test]
    fn broken_lines_are_refused(
        object in objects(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), "[{}\\[\\]\",:\\\\0-9eun. \t-]?"), 1..4),
    ) {
        let mut line = object.to_string();
        for (at, text) in changes {
            let places: Vec<usize> = line.char_indices().map(|(at, _)| at).collect();
            let at = *at.get(&places);
            let length = line[at..].chars().next().unwrap().len_utf8();
            line.replace_range(at..at + length, &text);
            if line.is_empty() {
                return Ok(());
            }
        }
        let is_valid = match serde_json::from_str::<Value>(&line) {
            Ok(value) => value.is_object(),
            // Halves of surrogates and huge numbers are grammatical.
            Err(error) => {
                let error = error.to_string();
                prop_assume!(!error.contains("surrogate") && !error.contains("hex escape")
                    && !error.contains("out of range"));
                false
            }
        };
        prop_assert_eq!(read(&["a", "b.a", "a.0"], &line).is_ok(), is_valid, "{}", line);
        prop_assert_eq!(read(&[], &line).is_ok(), is_valid, "{}", line);
    }

    #[test]
    fn any_line_is_read_or_refused(line in any::<String>(), near in "[{}\\[\\]\",:\\\\a0 é-]{0,30}") {
        for line in [&line, &near] {
            let refused = read(&["a", "a.b", "a.0"], line).is_err();
            prop_assert_eq!(read(&[], line).is_err(), refused);
            discover(&StringViewArray::from_iter_values([line]));
        }
    }
}
