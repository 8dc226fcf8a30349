//! Batches of lines: what they become does not depend on the columns that are wanted, nor on how
//! the lines lie in memory, nor on the lines beside them.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use arrow_array::builder::StringViewBuilder;
use arrow_array::{Array, ArrayRef, StringViewArray};
use arrow_schema::{DataType, TimeUnit};
use gleam_sql_formats::{ColumnSpec, FormatSpec, LineParser, Parsed};
use proptest::prelude::*;

const MAX_REASONS: usize = 3;

const LINES: [&str; 8] = [
    r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 17 "-" "curl/8.14.1 (x86_64)""#,
    r#"::1 - john doe [17/May/2015:10:05:03 +0200] "GET /a \"b\" of more letters" 404 - "r" "-""#,
    r#"h - - [31/Feb/2015:10:05:03 +0000] "-" 400 99999999999999999999 "a\\b" "twelve bytes""#,
    r#"h - - [17/May/2015:10:05:60 +0000] "POST /submit HTTP/2.0" 2e2 12"#,
    r#"1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET /a HTTP/1.1" 200 17"#,
    "1.5;thirteen bytes;true",
    "short",
    "",
];

/// A format with its columns; some are converted one by one, and some as a whole.
fn parsers() -> Vec<LineParser> {
    let own = |spec: FormatSpec| {
        let columns = spec.columns().unwrap().unwrap();
        LineParser::try_new(&spec, &columns).unwrap()
    };
    let pattern = |text: &str, columns: &[ColumnSpec]| {
        LineParser::try_new(&FormatSpec::Pattern(text.into()), columns).unwrap()
    };
    vec![
        own(FormatSpec::Common),
        own(FormatSpec::Combined),
        own(FormatSpec::Pattern("<a> <b> [<c>] \"<d>\"<e>".into())),
        pattern(
            "<_>[<ts>] <_>\" <status> <bytes> ",
            &[
                ColumnSpec::new("bytes", DataType::Decimal128(10, 2)),
                ColumnSpec::new("status", DataType::UInt8),
                ColumnSpec::new("ts", DataType::Timestamp(TimeUnit::Second, None)),
            ],
        ),
        pattern(
            "<number>;<text>;<flag>",
            &[
                ColumnSpec::new("number", DataType::Decimal128(10, 1)),
                ColumnSpec::text("text"),
                ColumnSpec::new("flag", DataType::Boolean),
            ],
        ),
    ]
}

const MAX_COLUMNS: usize = 11;

fn check(parser: &LineParser, lines: &StringViewArray, columns: usize, subset: usize) {
    let all: Vec<usize> = (0..columns).collect();
    let whole = parser.parse(lines, &all, MAX_REASONS).unwrap();
    for column in &whole.columns {
        assert_eq!(column.len(), lines.len());
        column.to_data().validate_full().unwrap();
    }
    check_subset(parser, lines, &whole, subset);
    check_rows(parser, lines, &whole, &all);
}

fn check_subset(parser: &LineParser, lines: &StringViewArray, whole: &Parsed, subset: usize) {
    let is_wanted = |slot: &usize| subset >> slot & 1 == 1;
    let mut wanted: Vec<usize> = (0..whole.columns.len()).filter(is_wanted).collect();
    // The order is the one that is asked for.
    wanted.reverse();
    let some = parser.parse(lines, &wanted, MAX_REASONS).unwrap();
    assert_eq!(some.failures, whole.failures);
    let expected: Vec<&ArrayRef> = wanted.iter().map(|slot| &whole.columns[*slot]).collect();
    assert_eq!(some.columns.iter().collect::<Vec<_>>(), expected);
}

/// Parses each line alone, from an array of its own.
fn check_rows(parser: &LineParser, lines: &StringViewArray, whole: &Parsed, all: &[usize]) {
    let mut failed = Vec::new();
    let mut reasons = Vec::new();
    for row in 0..lines.len() {
        let line: StringViewArray =
            [lines.is_valid(row).then(|| lines.value(row))].into_iter().collect();
        let alone = parser.parse(&line, all, MAX_REASONS).unwrap();
        for (column, of_one) in whole.columns.iter().zip(&alone.columns) {
            assert_eq!(&column.slice(row, 1), of_one, "{:?}", lines.value(row));
        }
        if alone.failures.rows == [0] {
            failed.push(row);
            reasons.extend(alone.failures.reasons);
        }
    }
    reasons.truncate(MAX_REASONS);
    assert_eq!((failed, reasons), (whole.failures.rows.clone(), whole.failures.reasons.clone()));
}

fn any_line() -> impl Strategy<Value = Option<String>> {
    let cut = (0..LINES.len(), 0..200_usize, "[\"\\\\ \\[\\]-]|é").prop_map(|(line, at, text)| {
        let mut line = LINES[line].to_string();
        let at = at.min(line.len());
        line.replace_range(at..line.len().min(at + 1), &text);
        line
    });
    prop_oneof![
        1 => Just(None),
        4 => (0..LINES.len()).prop_map(|line| Some(LINES[line].to_string())),
        4 => cut.prop_map(Some),
        1 => any::<String>().prop_map(Some),
    ]
}

/// Lines in buffers of so many bytes, without the first and the last ones.
fn array(lines: &[Option<String>], block_bytes: u32, cut: usize) -> StringViewArray {
    let mut builder = StringViewBuilder::new().with_fixed_block_size(block_bytes);
    builder.extend(lines.iter().map(|line| line.as_deref()));
    let cut = cut.min(lines.len() / 2);
    builder.finish().slice(cut, lines.len() - 2 * cut)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_lines_become_depends_on_them_alone(
        lines in proptest::collection::vec(any_line(), 0..24),
        block_bytes in 1..400_u32,
        cut in 0..6_usize,
        subset in 0..1_usize << MAX_COLUMNS,
    ) {
        let lines = array(&lines, block_bytes, cut);
        for (parser, columns) in parsers().iter().zip([9, 11, 5, 3, 3]) {
            check(parser, &lines, columns, subset);
        }
    }
}
