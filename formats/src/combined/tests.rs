use arrow_array::{Array, StringViewArray, cast::AsArray};
use proptest::prelude::*;

use super::*;
use crate::parser::{LineParser, Parsed};
use crate::spec::FormatSpec;

const FULL: &str = concat!(
    r#"1.2.3.4 - frank [10/Oct/2000:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 2326 "#,
    r#""http://example.com/b" "Mozilla/4.08 [en] (Win98)""#
);

fn parse(kind: Kind, line: &str) -> Parsed {
    let spec = if kind == Kind::Common { FormatSpec::Common } else { FormatSpec::Combined };
    let texts: Vec<_> =
        columns(kind).into_iter().map(|column| ColumnSpec::text(column.name)).collect();
    let wanted: Vec<usize> = (0..texts.len()).collect();
    let lines = StringViewArray::from_iter_values([line]);
    LineParser::try_new(&spec, &texts).unwrap().parse(&lines, &wanted, 1).unwrap()
}

/// The texts of all fields, a NULL as `<null>`, with `|` between them.
fn fields(kind: Kind, line: &str) -> String {
    let parsed = parse(kind, line);
    assert_eq!(parsed.failures.reasons, [""; 0], "{line}");
    let text = |column: &arrow_array::ArrayRef| {
        let column = column.as_string_view();
        if column.is_null(0) { "<null>".to_string() } else { column.value(0).to_string() }
    };
    parsed.columns.iter().map(text).collect::<Vec<_>>().join("|")
}

fn check(line: &str, expected: &str) {
    assert_eq!(fields(Kind::Combined, line), expected, "{line}");
}

fn check_common(line: &str, expected: &str) {
    assert_eq!(fields(Kind::Common, line), expected, "{line}");
}

/// Checks a line that is COMBINED but for its request.
fn check_request(request: &str, expected: &str) {
    let line = format!(r#"h - - [t] "{request}" 400 0"#);
    check_common(&line, &format!("h|<null>|<null>|t|{expected}|400|0"));
}

fn check_mismatch(kind: Kind, line: &str, reason: &str) {
    let parsed = parse(kind, line);
    assert_eq!(parsed.failures.rows, [0], "{line}");
    assert_eq!(parsed.failures.reasons, [reason], "{line}");
    assert!(parsed.columns.iter().all(|column| column.is_null(0)));
}

#[test]
fn finds_all_fields() {
    check(
        FULL,
        "1.2.3.4|<null>|frank|10/Oct/2000:13:55:36 -0700|GET|/a.gif|HTTP/1.0|200|2326|\
         http://example.com/b|Mozilla/4.08 [en] (Win98)",
    );
    check_common(
        r#"::1 id - [10/Oct/2000:13:55:36 -0700] "GET /ä HTTP/1.0" 304 -"#,
        "::1|id|<null>|10/Oct/2000:13:55:36 -0700|GET|/ä|HTTP/1.0|304|<null>",
    );
}

#[test]
fn a_lone_dash_is_null() {
    check(
        r#"host.example - - [t] "-" 408 - "-" "-""#,
        "host.example|<null>|<null>|t|<null>|<null>|<null>|408|<null>|<null>|<null>",
    );
    check(r#"h -- -- [t] "" 400 0 "" "--""#, "h|--|--|t|<null>|<null>|<null>|400|0||--");
}

#[test]
fn users_may_hold_spaces() {
    check_common(r#"h - john doe [t] "GET / X" 200 1"#, "h|<null>|john doe|t|GET|/ X|<null>|200|1");
    check_common(r#"h - [t [t] "-" 200 1"#, "h|<null>|[t|t|<null>|<null>|<null>|200|1");
    check_common(r#"h - "" [t] "-" 200 1"#, "h|<null>||t|<null>|<null>|<null>|200|1");
}

#[test]
fn odd_requests_match() {
    check_request(r"\x16\x03\x01", r"<null>|\x16\x03\x01|<null>");
    check_request("GET /old", "GET|/old|<null>");
    check_request("GET /a b c HTTP/1.1", "GET|/a b c|HTTP/1.1");
    check_request(r#"GET /a\"b HTTP/1.1"#, r#"GET|/a"b|HTTP/1.1"#);
    check_request(r"GET /a\x22b\x5Cc HTTP/1.1", r#"GET|/a"b\c|HTTP/1.1"#);
    check_request(r"GET /a\x00\xC3\n HTTP/1.1", r"GET|/a\x00\xC3\n|HTTP/1.1");
}

#[test]
fn quotes_behind_backslashes_are_text() {
    let line = |agent: &str| format!(r#"h - - [t] "-" 200 1 "-" "{agent}""#);
    let fields =
        |agent: &str| format!("h|<null>|<null>|t|<null>|<null>|<null>|200|1|<null>|{agent}");
    check(&line(r#"a \"b\" c"#), &fields(r#"a "b" c"#));
    check(&line(r"a\\"), &fields(r"a\"));
    check(&line(r#"a\\\""#), &fields(r#"a\""#));
    check(&line(r"\\x22"), &fields(r"\x22"));
    check(&line(r"a\tb\é"), &fields(r"a\tb\é"));
}

#[test]
fn fields_behind_the_user_agent_are_left_alone() {
    check(&format!(r#"{FULL} "10.0.0.1" 0.003"#), &fields(Kind::Combined, FULL));
    check(&format!("{FULL} "), &fields(Kind::Combined, FULL));
    check_mismatch(
        Kind::Combined,
        &format!("{FULL}x"),
        "expected a user agent in quotes from byte 127 on",
    );
}

#[test]
fn tells_what_is_missing() {
    let check = |line, reason| check_mismatch(Kind::Combined, line, reason);
    check("", "expected an address and a space from byte 1 on");
    check(" - - [t]", "expected an address and a space from byte 1 on");
    check("h", "expected an address and a space from byte 1 on");
    check("h - -", "expected a user and ` [` from byte 5 on");
    check(r#"h - - [t "GET""#, "expected a time and `] \"` from byte 8 on");
    check(r#"h - - [t] "GET / 200"#, "expected a request and `\" ` from byte 12 on");
    check(r#"h - - [t] "GET / \"#, "expected a request and `\" ` from byte 12 on");
    check(r#"h - - [t] "-"x"#, "expected a request and `\" ` from byte 14 on");
    check(r#"h - - [t] "-" 200"#, "expected a status and a space from byte 15 on");
    check(r#"h - - [t] "-" 200 1"#, "expected a number of bytes from byte 19 on");
    check(r#"h - - [t] "-" 200 1 -"#, "expected a referer in quotes and a space from byte 21 on");
    check(r#"h - - [t] "-" 200 1 "-""#, "expected a user agent in quotes from byte 24 on");
    check(r#"h - - [t] "-" 200 1 "-" "-"#, "expected a user agent in quotes from byte 26 on");
}

#[test]
fn neighbouring_formats_are_others() {
    let with_host = format!("www.example.com:443 {FULL}");
    check_mismatch(Kind::Combined, &with_host, "expected a user and ` [` from byte 29 on");
    check_mismatch(Kind::Common, FULL, "expected a number of bytes from byte 72 on");
}

#[test]
fn refuses_other_columns() {
    let columns = [ColumnSpec::text("path"), ColumnSpec::text("referer")];
    assert!(LineParser::try_new(&FormatSpec::Combined, &columns).is_ok());
    let error = LineParser::try_new(&FormatSpec::Common, &columns).unwrap_err();
    assert_eq!(error.message, "the format has no field `referer`");
    let twice = [ColumnSpec::text("path"), ColumnSpec::text("path")];
    let error = LineParser::try_new(&FormatSpec::Common, &twice).unwrap_err();
    assert_eq!(error.message, "two columns are named `path`");
}

/// A field that is written in quotes, as one of the two servers does.
fn quoted(text: &str, is_nginx: bool) -> String {
    let (quote, backslash) = if is_nginx { (r"\x22", r"\x5C") } else { (r#"\""#, r"\\") };
    text.replace('\\', backslash).replace('"', quote)
}

fn any_quoted() -> impl Strategy<Value = String> {
    prop_oneof!["[\"\\\\x25C a-]{0,12}", any::<String>(), "[ -~]{0,60}"]
}

/// Method, path and protocol.
fn any_request() -> impl Strategy<Value = [Option<String>; 3]> {
    let protocol = prop_oneof![Just("HTTP/1.1".to_string()), Just("HTTP/2.0".to_string())];
    let path = any_quoted().prop_filter("no path", |path| !path.is_empty());
    prop_oneof![
        ("[A-Z-]{1,9}", path, protocol)
            .prop_map(|(m, path, protocol)| [m, path, protocol].map(Some)),
        ("[A-Z]{1,9}", "/[^ ]{0,20}").prop_map(|(method, path)| [Some(method), Some(path), None]),
        any_quoted().prop_map(|path| [None, Some(format!("\\{path}")), None]),
        Just([None, None, None]),
    ]
}

fn any_optional(text: impl Strategy<Value = String>) -> impl Strategy<Value = Option<String>> {
    proptest::option::of(text.prop_filter("a lone dash is NULL", |text| text != "-"))
}

proptest! {
    #[test]
    fn a_printed_record_is_read_again(
        ip in "[0-9a-zA-Z:][0-9a-zA-Z.:-]{0,38}",
        ident in any_optional("[^ ]{1,8}"),
        user in any_optional("[^\\[]{1,12}"),
        ts in "[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:10:05:03 [+-][0-9]{4}",
        request in any_request(),
        numbers in (100..600_u16, proptest::option::of(any::<u64>())),
        quotes in (any_optional(any_quoted()), any_optional(any_quoted())),
        is_nginx in any::<bool>(),
    ) {
        prop_assume!(!user.as_deref().is_some_and(|user| user.starts_with("- ") || user == "\"\""));
        let written = |text: &Option<String>| text.clone().unwrap_or("-".into());
        let parts: Vec<_> = request.iter().flatten().map(|part| quoted(part, is_nginx)).collect();
        let request_text = if parts.is_empty() { "-".into() } else { parts.join(" ") };
        let (status, bytes) = (numbers.0.to_string(), numbers.1.map(|bytes| bytes.to_string()));
        let common = format!(
            "{ip} {} {} [{ts}] \"{request_text}\" {status} {}",
            written(&ident), written(&user), written(&bytes),
        );
        let [referer, agent] = [&quotes.0, &quotes.1].map(|text| quoted(&written(text), is_nginx));
        let combined = format!("{common} \"{referer}\" \"{agent}\"");

        let [method, path, protocol] = request;
        let mut record = vec![
            Some(ip), ident, user, Some(ts), method, path, protocol, Some(status), bytes,
        ];
        let text = |record: &[Option<String>]| {
            let field = |field: &Option<String>| field.clone().unwrap_or("<null>".into());
            record.iter().map(field).collect::<Vec<_>>().join("|")
        };
        prop_assert_eq!(fields(Kind::Common, &common), text(&record));
        record.extend([quotes.0, quotes.1]);
        prop_assert_eq!(fields(Kind::Combined, &combined), text(&record));
    }
}
