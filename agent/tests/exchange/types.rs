//! Every kind of batch comes out as it went in, over every compression.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, DictionaryArray, FixedSizeListArray,
    Int32Array, Int64Array, ListArray, MapBuilder, NullArray, RecordBatch, RecordBatchOptions,
    StringArray, StringBuilder, StringViewArray, StructArray,
};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{DataType, Field, Int32Type, Schema};
use datafusion::error::Result;
use futures::TryStreamExt;
use gleam_sql_agent::exchange::RemoteFault;

use crate::support::{Agent, Consumer, Source, Transport, find, numbers, numbers_schema};

const MIB: usize = 1024 * 1024;

/// What arrives of `batches`, and in how many frames.
async fn pass(batches: Vec<RecordBatch>, compression: &str) -> Result<(Vec<RecordBatch>, usize)> {
    let mut agent = Agent::start();
    let schema = batches[0].schema();
    let task = agent.set_task(&schema, vec![Source::batches(batches)]).await;
    let consumer = Consumer::with(8 * MIB, compression);
    let mut streams = agent.fetch(Transport::Ours, task, 1, &consumer).await?;
    let arrived = streams.pop().unwrap().try_collect().await?;
    assert_eq!(consumer.context.memory_pool().reserved(), 0);
    Ok((arrived, consumer.metric("frames_received")))
}

async fn check(batch: RecordBatch) {
    for compression in ["none", "lz4", "zstd"] {
        let rows = batch.num_rows();
        // A slice too: it begins in the middle of its buffers.
        for sent in [batch.clone(), batch.slice(rows / 3, rows / 2)] {
            let (arrived, _) = pass(vec![sent.clone()], compression).await.unwrap();
            let arrived = concat_batches(&sent.schema(), &arrived).unwrap();
            assert_eq!(arrived, sent, "{compression}");
        }
    }
}

fn one_column(column: ArrayRef) -> RecordBatch {
    let field = Field::new("c", column.data_type().clone(), true);
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column]).unwrap()
}

const ROWS: usize = 20_000;

fn words() -> impl Iterator<Item = Option<String>> {
    (0..ROWS).map(|n| (n % 7 != 0).then(|| format!("a word that is longer than a view: {n}")))
}

fn dictionary() -> DictionaryArray<Int32Type> {
    let values = StringArray::from_iter_values((0..500).map(|n| format!("value {n}")));
    let keys = Int32Array::from_iter((0..ROWS as i32).map(|n| (n % 11 != 0).then_some(n % 500)));
    DictionaryArray::new(keys, Arc::new(values))
}

#[tokio::test(flavor = "multi_thread")]
async fn views() {
    check(one_column(Arc::new(words().collect::<StringViewArray>()))).await;
    let bytes = words().map(|word| word.map(String::into_bytes));
    check(one_column(Arc::new(bytes.collect::<BinaryViewArray>()))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dictionaries() {
    check(one_column(Arc::new(dictionary()))).await;
    let values: StringViewArray =
        (0..500).map(|n| Some(format!("a value in a view {n}"))).collect();
    let viewed = dictionary().with_values(Arc::new(values));
    check(one_column(Arc::new(viewed))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nested() {
    let offsets = (0..=ROWS as i32 / 2).map(|n| n * 2).collect::<Vec<_>>();
    let item = Arc::new(Field::new("item", dictionary().data_type().clone(), true));
    let offsets = datafusion::arrow::buffer::OffsetBuffer::new(offsets.into());
    let list = ListArray::new(item, offsets, Arc::new(dictionary()), None);
    check(one_column(Arc::new(list))).await;
    let item = Arc::new(Field::new("item", DataType::Utf8View, true));
    let values = words().collect::<StringViewArray>();
    check(one_column(Arc::new(FixedSizeListArray::new(item, 4, Arc::new(values), None)))).await;
    let fields = vec![
        (
            Arc::new(Field::new("view", DataType::Utf8View, true)),
            Arc::new(words().collect::<StringViewArray>()) as ArrayRef,
        ),
        (
            Arc::new(Field::new("flag", DataType::Boolean, true)),
            Arc::new((0..ROWS).map(|n| Some(n % 3 == 0)).collect::<BooleanArray>()) as ArrayRef,
        ),
    ];
    check(one_column(Arc::new(StructArray::from(fields)))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn maps_and_nulls() {
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for n in 0..3000 {
        map.keys().append_value("key");
        map.values().append_value(format!("value {n}"));
        map.append(n % 5 != 0).unwrap();
    }
    check(one_column(Arc::new(map.finish()))).await;
    check(one_column(Arc::new(NullArray::new(ROWS)))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_without_columns_are_counted() {
    let options = RecordBatchOptions::new().with_row_count(Some(1_000_000));
    let batch =
        RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).unwrap();
    let (arrived, frames) = pass(vec![batch.clone(), batch], "none").await.unwrap();
    assert_eq!(arrived.iter().map(RecordBatch::num_rows).sum::<usize>(), 2_000_000);
    assert_eq!(frames, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_without_rows_and_partitions_without_batches_are_nothing() {
    let empty = RecordBatch::new_empty(numbers_schema());
    let (arrived, frames) = pass(vec![empty.clone(), empty.clone()], "lz4").await.unwrap();
    assert_eq!((arrived.len(), frames), (0, 0));
    let (arrived, frames) = pass(vec![empty.clone(), numbers(0, 3), empty], "lz4").await.unwrap();
    assert_eq!((arrived, frames), (vec![numbers(0, 3)], 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn long_batches_go_in_frames() {
    let (arrived, frames) = pass(vec![numbers(0, 1_000_000)], "none").await.unwrap();
    assert_eq!(concat_batches(&numbers_schema(), &arrived).unwrap(), numbers(0, 1_000_000));
    assert!((61..=70).contains(&frames), "8 MB in {frames} frames");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dictionary_goes_only_as_far_as_it_is_used() {
    let values = StringArray::from_iter_values((0..100_000).map(|n| format!("value {n}")));
    let keys = Int32Array::from_iter_values((0..10).map(|n| n * 9999));
    let batch = one_column(Arc::new(DictionaryArray::new(keys, Arc::new(values))));
    let (arrived, frames) = pass(vec![batch.clone()], "none").await.unwrap();
    assert_eq!((arrived, frames), (vec![batch], 1));
}

/// Short rows, and one of `bytes` bytes among them.
fn with_a_long_row(bytes: usize) -> RecordBatch {
    let rows = (0..1000).map(|n| if n == 500 { "x".repeat(bytes) } else { n.to_string() });
    let lines: ArrayRef = Arc::new(StringViewArray::from_iter_values(rows));
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
    RecordBatch::try_from_iter([("line", lines), ("n", numbers)]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_longer_than_a_frame_or_the_window_passes_alone() {
    for bytes in [MIB, 20 * MIB] {
        let batch = with_a_long_row(bytes);
        let (arrived, _) = pass(vec![batch.clone(), batch.clone()], "none").await.unwrap();
        assert!(arrived.iter().any(|batch| batch.num_rows() == 1));
        let sent = concat_batches(&batch.schema(), [&batch, &batch]).unwrap();
        assert_eq!(concat_batches(&batch.schema(), &arrived).unwrap(), sent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_above_the_limit_is_an_error_that_names_it() {
    let error = pass(vec![with_a_long_row(300 * MIB)], "none").await.unwrap_err();
    let fault = find::<RemoteFault>(&error).unwrap();
    assert!(fault.message.contains("is above the limit of 268435456 bytes"), "{fault}");
    assert!(fault.message.contains("a row of 3145"), "{fault}");
}
