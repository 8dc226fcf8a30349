//! Lines of logfmt, odd ones too.

use arrow_array::StringViewArray;
use proptest::prelude::*;

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
    let expected: Vec<_> = expected.iter().map(|text| text.map(str::to_string)).collect();
    assert_eq!(read(&columns, line), Ok(expected), "{line}");
}

#[test]
fn keys_and_values() {
    let line = r#"ts=2024-01-02T10:05:03Z level=info msg="two words" n=5 flag empty= last.key=é"#;
    check(
        "ts msg n flag empty last.key absent",
        line,
        &[
            Some("2024-01-02T10:05:03Z"),
            Some("two words"),
            Some("5"),
            Some("true"),
            Some(""),
            Some("é"),
            None,
        ],
    );
    let line = r#"at=info method=GET path="/a?b=c" fwd="1.2.3.4" connect=1ms url=/x?y=z&q="v""#;
    check(
        "path fwd connect url",
        line,
        &[Some("/a?b=c"), Some("1.2.3.4"), Some("1ms"), Some("/x?y=z&q=\"v\"")],
    );
    check("a", "  a=1\t\ta=2  ", &[Some("2")]);
    check("a", "a=1 a", &[Some("true")]);
    check("a", "a=\"\"", &[Some("")]);
    check("a b", "a==b b==", &[Some("=b"), Some("=")]);
}

#[test]
fn escapes() {
    check("a", r#"a="say \"hi\"\n\\\té\u00e9""#, &[Some("say \"hi\"\n\\\téé")]);
    check("a", r#"a="C:\Users\x\é""#, &[Some(r"C:\Users\x\é")]);
    check("a", r#"a="\u12" b=1"#, &[Some(r"\u12")]);
    check("a", r"a=C:\new", &[Some(r"C:\new")]);
}

#[test]
fn what_is_no_logfmt() {
    let check = |line: &str, expected: &str| {
        assert_eq!(read(&["a"], line), Err(expected.to_string()), "{line}");
        assert_eq!(read(&[], line), Err(expected.to_string()), "{line}");
    };
    check("", "no `key=value`");
    check("only words here", "no `key=value`");
    check("a=1 =2", "no key in front of `=` at byte 5");
    check("a == b", "no key in front of `=` at byte 3");
    check("a=\"x", "no quote ends the value that starts at byte 3");
    check("a=\"x\\\"", "no quote ends the value that starts at byte 3");
    check("a=\"x\\", "no quote ends the value that starts at byte 3");
    check("a=\"x\"y", "no space behind the quote at byte 6");
}

#[test]
fn discovery() {
    let lines = [
        "t=2024-01-02T10:05:03Z n=1 f=1.5 id=007 ok=true up d=5ms e=",
        "no logfmt at all",
        "n=-2 later=\"x y\" f=2 e=3",
    ];
    let columns = discover(&StringViewArray::from_iter_values(lines));
    let shown: Vec<String> =
        columns.iter().map(|column| format!("{} {}", column.name, column.data_type)).collect();
    assert_eq!(
        shown,
        [
            "t Timestamp(ns, \"UTC\")",
            "n Int64",
            "f Float64",
            "id Utf8View",
            "ok Boolean",
            "up Boolean",
            "d Utf8View",
            "e Int64",
            "later Utf8View",
        ]
    );
}

/// A value as go-kit writes it.
fn quoted(value: &str) -> String {
    if value.chars().all(|character| character > ' ' && !"\"=\\".contains(character)) {
        return value.to_string();
    }
    serde_json::to_string(value).unwrap()
}

proptest! {
    #[test]
    fn pairs_are_read_as_they_were_written(
        pairs in proptest::collection::vec(("[a-zé._0-9]{1,10}", any::<String>()), 1..12),
    ) {
        let words: Vec<String> =
            pairs.iter().map(|(key, value)| format!("{key}={}", quoted(value))).collect();
        let line = words.join(" ");
        for (key, _) in &pairs {
            let last = pairs.iter().rfind(|(other, _)| other == key).map(|(_, value)| value.clone());
            prop_assert_eq!(read(&[key], &line), Ok(vec![last]), "{}", line);
        }
        let keys: Vec<&str> = pairs.iter().map(|(key, _)| key.as_str()).collect();
        let all = read(&keys, &line).unwrap();
        prop_assert!(all.iter().all(Option::is_some));
    }

    #[test]
    fn discovered_columns_fit_what_they_were_discovered_in(
        lines in proptest::collection::vec("([abc]=(-?[0-9]{1,20}(\\.[0-9])?|true|x|\"[a ]\"| )? ){1,4}", 1..5),
    ) {
        let lines = StringViewArray::from_iter_values(lines);
        let columns = discover(&lines);
        let wanted: Vec<usize> = (0..columns.len()).collect();
        let parser = LineParser::try_new(&FormatSpec::Logfmt, &columns).unwrap();
        let parsed = parser.parse(&lines, &wanted, 3).unwrap();
        prop_assert_eq!(parsed.failures.reasons, Vec::<String>::new());
    }

    #[test]
    fn any_line_is_read_or_refused(line in any::<String>(), near in "[ab=\"\\\\ é\t]{0,30}") {
        for line in [&line, &near] {
            prop_assert_eq!(read(&["a", "b"], line).is_err(), read(&[], line).is_err());
            discover(&StringViewArray::from_iter_values([line]));
        }
    }
}
