//! What is written is read, in every format.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListArray,
    StringArray, StringViewArray, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Int64Type};
use proptest::prelude::*;

use super::csv_records::CsvBatcher;
use super::*;
use crate::text::Arrival;

type Column = Vec<Option<String>>;

const NAMES: [&str; 3] = ["a", "b\"\n", ""];

fn names(columns: usize) -> Vec<String> {
    NAMES[..columns].iter().map(|name| (*name).to_owned()).collect()
}

/// The columns that `text` has, read in pieces of `piece_bytes`, and what is wrong with the rows.
fn read(
    format: WireFormat,
    columns: usize,
    text: &[u8],
    piece_bytes: usize,
) -> Result<(Vec<Column>, Vec<String>), BrokenOutput> {
    let reader = FieldReader::new(format, NAMES[..columns].iter().copied());
    let mut batcher = RecordBatcher::new(format, 3, 1 << 16);
    let mut read: Vec<Column> = vec![Vec::new(); columns];
    let mut bad = Vec::new();
    let pieces = text.chunks(piece_bytes.max(1)).map(|piece| (piece, Arrival::Flowing));
    for (piece, arrival) in pieces.chain([(&[][..], Arrival::Ended)]) {
        batcher.room().extend_from_slice(piece);
        while let Some(records) = batcher.next_records(arrival)? {
            let fields = reader.read(&records);
            for (values, column) in read.iter_mut().zip(&fields.columns) {
                assert_eq!(column.len(), records.rows());
                values.extend(column.iter().map(|value| value.map(str::to_owned)));
            }
            bad.extend(fields.bad.into_iter().map(|bad| format!("{}: {}", bad.row, bad.reason)));
        }
    }
    Ok((read, bad))
}

fn text_columns(columns: &[Column]) -> Vec<ArrayRef> {
    let column = |values: &Column| {
        Arc::new(values.iter().map(Option::as_deref).collect::<StringViewArray>()) as ArrayRef
    };
    columns.iter().map(column).collect()
}

fn odd_text() -> impl Strategy<Value = Option<String>> {
    const PIECES: [&str; 15] = [
        "\t", "\n", "\r", "\r\n", "\\", "\"", "\"\"", ",", "🦀", "\\N", "\0", " ", "a", "{", "null",
    ];
    prop::option::of(prop::collection::vec(prop::sample::select(&PIECES[..]), 0..6))
        .prop_map(|pieces| pieces.map(|pieces| pieces.concat()))
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        rows in prop::collection::vec(prop::collection::vec(odd_text(), 3), 0..12),
        columns in 1..4_usize,
        piece_bytes in 1..50_usize,
        format in prop::sample::select(vec![WireFormat::Tsv, WireFormat::Csv, WireFormat::Json]),
    ) {
        let values: Vec<Column> = (0..columns)
            .map(|column| rows.iter().map(|row| row[column].clone()).collect())
            .collect();
        let text = encode(format, &names(columns), &text_columns(&values)).expect("it takes all");
        let (read, bad) = read(format, columns, &text, piece_bytes).expect("it was written so");
        prop_assert_eq!(bad, Vec::<String>::new());
        prop_assert_eq!(read, values);
    }

    #[test]
    fn junk_does_not_panic(
        text in prop::collection::vec(prop::sample::select(b"\"\"{}:,\n\r\t\\ a1\0\xff[".to_vec()), 0..60),
        piece_bytes in 1..20_usize,
    ) {
        for format in [WireFormat::Raw, WireFormat::Tsv, WireFormat::Csv, WireFormat::Json] {
            let _ = read(format, 2, &text, piece_bytes);
        }
    }
}

fn check(format: WireFormat, text: &str, expected: &[[Option<&str>; 2]], bad: &[&str]) {
    let (columns, reasons) = read(format, 2, text.as_bytes(), 5).expect("it has records");
    let rows: Vec<[Option<&str>; 2]> = (0..columns[0].len())
        .map(|row| [columns[0][row].as_deref(), columns[1][row].as_deref()])
        .collect();
    assert_eq!(rows, expected, "{text}");
    assert_eq!(reasons.len(), bad.len(), "{reasons:?}");
    for (reason, expected) in reasons.iter().zip(bad) {
        assert!(reason.contains(expected), "{reason}");
    }
}

#[test]
fn reads_raw_and_tsv() {
    let (raw, tsv) = (WireFormat::Raw, WireFormat::Tsv);
    check(tsv, "a", &[[None, None]], &["1 fields where AS has 2 columns: \"a\""]);
    check(raw, "a\tb\tc\n", &[[None, None]], &["3 fields where AS has 2 columns"]);
    check(tsv, "\\N\ta\\\\n\\x\\\n", &[[None, Some("a\\n\\x\\")]], &[]);
    check(raw, "\\N\tC:\\new", &[[Some("\\N"), Some("C:\\new")]], &[]);
    check(raw, "\t\n", &[[Some(""), Some("")]], &[]);
}

#[test]
fn reads_csv() {
    let csv = WireFormat::Csv;
    check(csv, "a,b\r\nc,\"d\"\n", &[[Some("a"), Some("b")], [Some("c"), Some("d")]], &[]);
    check(csv, "\"x\r\ny\",\"\"\r\n,z", &[[Some("x\r\ny"), Some("")], [None, Some("z")]], &[]);
    check(csv, "a\"b,\"\"c\" d,\"e\"\"\"", &[[Some("ab,\"c d"), Some("e\"")]], &[]);
    check(
        csv,
        "a\n\nb,c",
        &[[None; 2], [None; 2], [Some("b"), Some("c")]],
        &["1 fields", "1 fields"],
    );
    let open = read(csv, 2, b"a,b\nc,\"d\ne\n", 3);
    assert_eq!(open, Err(BrokenOutput::OpenQuote { record: 2 }));
    let message = BrokenOutput::OpenQuote { record: 2 }.to_string();
    assert_eq!(message, "output record 2 has a quote that is not closed before the output ends");
}

#[test]
fn a_csv_record_over_the_limit_is_named() {
    let mut batcher = CsvBatcher::new(10, 4).with_max_record_bytes(8);
    batcher.room().extend_from_slice(b"one\n\"two\n\n3456789");
    let error = batcher.next_records(Arrival::Flowing).expect_err("it is too long");
    assert_eq!(error, BrokenOutput::RecordTooLong { record: 2, max_bytes: 8 });
}

#[test]
fn reads_json() {
    let read_one = |text: &str, expected: Result<[Option<&str>; 2], &str>| {
        let reader = FieldReader::new(WireFormat::Json, ["a", "b"]);
        let mut batcher = RecordBatcher::new(WireFormat::Json, 3, 100);
        batcher.room().extend_from_slice(text.as_bytes());
        let records = batcher.next_records(Arrival::Ended).unwrap().unwrap();
        let fields = reader.read(&records);
        let value = |column: usize| {
            let column = &fields.columns[column];
            column.is_valid(0).then(|| column.value(0))
        };
        match expected {
            Ok(expected) => assert_eq!(([value(0), value(1)], fields.bad), (expected, vec![])),
            Err(reason) => assert!(fields.bad[0].reason.contains(reason), "{:?}", fields.bad),
        }
    };
    read_one(r#" { "b" : 12 , "x" : [1, {"a": 2}], "a":"\u00e9" } "#, Ok([Some("é"), Some("12")]));
    read_one(r#"{"a":1,"a":2}"#, Ok([Some("2"), None]));
    read_one(r#"{"a":1,"a":null}"#, Ok([None, None]));
    read_one("{}", Ok([None, None]));
    read_one(
        r#"{"a":[1, "x"],"b":{"c" : 1e3}}"#,
        Ok([Some(r#"[1, "x"]"#), Some(r#"{"c" : 1e3}"#)]),
    );
    read_one(
        r#"{"a":9223372036854775807,"b":-0.10}"#,
        Ok([Some("9223372036854775807"), Some("-0.10")]),
    );
    read_one(r#"{"a":true,"b":1e400}"#, Ok([Some("true"), Some("1e400")]));
    read_one("[1]", Err("no JSON object: \"[1]\""));
    read_one("\n", Err("no JSON object"));
    read_one("null", Err("no JSON object"));
    read_one("{} x", Err("broken JSON"));
    read_one(r#"{"a":1"#, Err("broken JSON"));
    read_one(r#"{"a":01}"#, Err("broken JSON"));
    read_one(r#"{"a":NaN}"#, Err("broken JSON"));
    read_one(r#"{"a":"\ud800"}"#, Err("broken JSON"));
    read_one(r#"{"a":1,}"#, Err("broken JSON"));
    read_one(r#"{a:1}"#, Err("broken JSON"));
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    read_one(&deep, Ok([Some(&deep[5..deep.len() - 1]), None]));
}

#[test]
fn writes_json() {
    let check = |column: ArrayRef, expected: Result<&str, &str>| {
        let written = encode(WireFormat::Json, &names(1), &[column]);
        let written = written.map(|text| String::from_utf8(text.to_vec()).expect("it is UTF-8"));
        match expected {
            Ok(value) => assert_eq!(written.unwrap(), format!("{{\"a\":{value}}}\n")),
            Err(reason) => assert!(written.unwrap_err().reason.contains(reason)),
        }
    };
    check(Arc::new(Int64Array::from(vec![i64::MAX])), Ok("9223372036854775807"));
    check(Arc::new(Int64Array::from(vec![-i64::MAX])), Ok("-9223372036854775807"));
    check(Arc::new(BooleanArray::from(vec![true])), Ok("true"));
    check(Arc::new(Float64Array::from(vec![0.1])), Ok("0.1"));
    check(Arc::new(Float64Array::from(vec![1e300])), Ok("1e300"));
    check(Arc::new(Float64Array::from(vec![f64::NAN])), Err("NaN"));
    check(Arc::new(Float64Array::from(vec![f64::NEG_INFINITY])), Err("-inf"));
    check(Arc::new(StringArray::from(vec![Some("\u{1}\"")])), Ok("\"\\u0001\\\"\""));
    check(Arc::new(StringArray::from(vec![None::<&str>])), Ok("null"));
    let digits = "12345678901234567890123456789012345.678";
    let decimal = Decimal128Array::from(vec![12_345_678_901_234_567_890_123_456_789_012_345_678])
        .with_precision_and_scale(38, 3);
    check(Arc::new(decimal.unwrap()), Ok(digits));
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), None])]);
    let field = |name, data_type: &DataType| Arc::new(Field::new(name, data_type.clone(), true));
    let fields = vec![field("l", list.data_type()), field("t", &DataType::Utf8)].into();
    let text = Arc::new(StringArray::from(vec!["x"]));
    let nested =
        StructArray::new(fields, vec![Arc::new(list), text], Some(NullBuffer::new_valid(1)));
    check(Arc::new(nested), Ok(r#"{"l":[1,null],"t":"x"}"#));
}

#[test]
fn reads_types() {
    let check = |data_type: DataType, value: &str, expected: Option<&str>| {
        let text = StringViewArray::from_iter([Some(value), None]);
        let typed = typed(&text, &data_type).expect("text can be of this type");
        assert!(typed.values.is_null(1));
        let shown = to_text(&typed.values).expect("it has a text form");
        let shown = shown.is_valid(0).then(|| shown.value(0));
        assert_eq!(shown, expected, "{value}");
        assert_eq!(typed.misfits, if expected.is_some() { vec![] } else { vec![0] });
    };
    let decimal = DataType::Decimal128(5, 2);
    check(DataType::Int64, "    482 ", Some("482"));
    check(DataType::Int64, "9223372036854775807", Some("9223372036854775807"));
    check(DataType::Int64, "9223372036854775808", None);
    check(DataType::Int64, "-9223372036854775808", Some("-9223372036854775808"));
    for nonsense in ["", "-", "1.5", "1 2", "0x1", "1_000", "12abc", "١"] {
        check(DataType::Int64, nonsense, None);
    }
    check(DataType::Int8, "128", None);
    check(DataType::Float64, " 1e3\r", Some("1000.0"));
    check(DataType::Float64, "1e400", None);
    check(DataType::Float64, "1,5", None);
    check(DataType::Float64, "-inf", Some("-inf"));
    check(decimal.clone(), " -12.5 ", Some("-12.50"));
    check(decimal.clone(), "1234", None);
    check(decimal.clone(), "0000123.4", Some("123.40"));
    check(decimal.clone(), &format!("1{}", "0".repeat(75)), None);
    for nonsense in ["", ".", "1.2.3", "1.x", "--1"] {
        check(decimal.clone(), nonsense, None);
    }
    check(DataType::Boolean, "true", Some("true"));
    check(DataType::Boolean, "maybe", None);
    check(DataType::Date32, "2024-02-30", None);
    check(DataType::Utf8View, " kept ", Some(" kept "));
    assert_eq!(type_name(&DataType::Int64), "BIGINT");
    assert_eq!(type_name(&decimal), "DECIMAL(5, 2)");
}

#[test]
fn a_long_value_survives() {
    let long = "long 🦀\r\n\"\t\\ ".repeat(70_000);
    assert!(long.len() > 1 << 20);
    let values = vec![vec![Some(long), None]];
    for format in [WireFormat::Tsv, WireFormat::Csv, WireFormat::Json] {
        let text = encode(format, &names(1), &text_columns(&values)).expect("it takes all");
        assert_eq!(read(format, 1, &text, 1 << 16), Ok((values.clone(), vec![])), "{format}");
    }
}
