//! The formats and the writer from outside: batches go in, text comes out.

mod binary;
mod formats;
mod read_back;
mod streams;
mod widths;

use std::sync::Arc;

use arrow::array::*;
use arrow::datatypes::{DataType, Field, Int32Type, IntervalMonthDayNanoType, Schema};
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{Stream, stream};

use super::*;

/// The text that `batches` print as.
fn check(format: Format, terminal_width: Option<usize>, batches: &[RecordBatch]) -> String {
    let items: Vec<_> = batches.iter().cloned().map(Ok).collect();
    let (text, rows) = print(format, terminal_width, batches[0].schema(), items);
    let expected: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows.expect("the stream has no errors"), expected as u64);
    text
}

/// Each line as a Rust literal, with the characters that an editor would not show.
fn exact(text: &str) -> String {
    text.split_inclusive('\n').map(|line| format!("{line:?}\n")).collect()
}

/// Like [`check`], for streams with errors.
fn print(
    format: Format,
    terminal_width: Option<usize>,
    schema: Arc<Schema>,
    items: Vec<DataFusionResult<RecordBatch>>,
) -> (String, Result<u64, OutputError>) {
    let (bytes, rows) = print_bytes(format, terminal_width, schema, items);
    (String::from_utf8(bytes).unwrap(), rows)
}

/// The same for formats that are no text.
fn print_bytes(
    format: Format,
    terminal_width: Option<usize>,
    schema: Arc<Schema>,
    items: Vec<DataFusionResult<RecordBatch>>,
) -> (Vec<u8>, Result<u64, OutputError>) {
    let mut out = Vec::new();
    let stream = to_stream(schema, stream::iter(items));
    let is_terminal = terminal_width.is_some();
    let options = OutputOptions { terminal_width, is_terminal, ..Default::default() };
    let rows = futures::executor::block_on(write_stream(stream, format, &mut out, options));
    (out, rows)
}

fn to_stream(
    schema: Arc<Schema>,
    items: impl Stream<Item = DataFusionResult<RecordBatch>> + Send + 'static,
) -> SendableRecordBatchStream {
    Box::pin(RecordBatchStreamAdapter::new(schema, items))
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, array)| (name, array, true)),
    )
    .unwrap()
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringViewArray::from_iter(values.iter().copied()))
}

/// Text and numbers at their edges; every format shows this batch.
fn nasty() -> RecordBatch {
    let text = [
        Some("plain"),
        None,
        Some(""),
        Some("NULL \\N"),
        Some("a,\"b\"|<c>&\\"),
        Some("tab\tnew\nline\r\n"),
        Some("\u{1b}[31m\0\u{9b}\u{202e}"),
        Some("日本 👩‍👩‍👧 ü"),
    ];
    let integers = [
        Some(i64::MIN),
        Some(i64::MAX),
        None,
        Some(0),
        Some(-1),
        Some(9_007_199_254_740_993),
        Some(7),
        Some(8),
    ];
    let floats = [
        Some(0.1),
        Some(1e300),
        Some(f64::NAN),
        Some(f64::NEG_INFINITY),
        None,
        Some(5e-324),
        Some(-0.0),
        Some(3.0),
    ];
    batch(vec![
        ("te\tx|t", texts(&text)),
        ("int", Arc::new(Int64Array::from_iter(integers))),
        ("float", Arc::new(Float64Array::from_iter(floats))),
    ])
}

/// One row of every kind of value that is neither text nor a plain number, and one of NULLs.
fn kinds() -> RecordBatch {
    let mut list = ListBuilder::new(StringBuilder::new());
    list.append_value([Some("a,\"b\""), None, Some("")]);
    list.append_null();
    let mut map = MapBuilder::new(None, Int64Builder::new(), StringBuilder::new());
    map.keys().append_value(1);
    map.values().append_null();
    map.append(true).unwrap();
    map.append(false).unwrap();
    let list: ArrayRef = Arc::new(list.finish());
    let structure = StructArray::new(
        vec![
            Field::new("x", DataType::Int64, true),
            Field::new("x", list.data_type().clone(), true),
        ]
        .into(),
        vec![Arc::new(Int64Array::from(vec![Some(i64::MAX), None])), Arc::clone(&list)],
        Some(vec![true, false].into()),
    );
    let decimal = Decimal128Array::from(vec![Some(-12345), None]);
    let dictionary: DictionaryArray<Int32Type> = vec![Some("d"), None].into_iter().collect();
    let interval = IntervalMonthDayNanoType::make_value(1, -2, 3_000_000_000);
    batch(vec![
        ("yes", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        (
            "time",
            Arc::new(TimestampMicrosecondArray::from(vec![Some(1_431_857_103_250_000), None])),
        ),
        (
            "utc",
            Arc::new(
                TimestampSecondArray::from(vec![Some(1_431_857_103), None]).with_timezone("+02:00"),
            ),
        ),
        ("date", Arc::new(Date32Array::from(vec![Some(16_572), None]))),
        ("clock", Arc::new(Time64MicrosecondArray::from(vec![Some(3_723_000_001), None]))),
        ("decimal", Arc::new(decimal.with_precision_and_scale(10, 2).unwrap())),
        ("binary", Arc::new(BinaryArray::from(vec![Some(&b"\x00\xff"[..]), None]))),
        ("interval", Arc::new(IntervalMonthDayNanoArray::from(vec![Some(interval), None]))),
        ("duration", Arc::new(DurationMillisecondArray::from(vec![Some(1_500), None]))),
        ("dictionary", Arc::new(dictionary)),
        ("null", Arc::new(NullArray::new(2))),
        ("list", list),
        ("struct", Arc::new(structure)),
        ("map", Arc::new(map.finish())),
    ])
}

/// Batches of one column, each of one text of the given length.
fn growing(lengths: &[usize]) -> Vec<RecordBatch> {
    lengths.iter().map(|&length| batch(vec![("a", texts(&[Some(&"x".repeat(length))]))])).collect()
}
