//! What is written as Arrow and Parquet reads back as the same batches.

use arrow::compute::concat_batches;
use arrow::ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;

/// Of a whole file at the least: it begins and ends with the same mark.
const MAGIC_TWICE: usize = 8;

fn read(format: Format, bytes: Vec<u8>) -> Vec<RecordBatch> {
    match format {
        Format::Arrow => {
            let reader = StreamReader::try_new(bytes.as_slice(), None).unwrap();
            reader.collect::<Result<_, _>>().unwrap()
        }
        _ => {
            let mut file = tempfile::tempfile().unwrap();
            std::io::Write::write_all(&mut file, &bytes).unwrap();
            let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
            reader.collect::<Result<_, _>>().unwrap()
        }
    }
}

#[track_caller]
fn check_back(format: Format, batches: &[RecordBatch]) {
    let schema = batches[0].schema();
    let items = batches.iter().cloned().map(Ok).collect();
    let (bytes, rows) = print_bytes(format, None, Arc::clone(&schema), items);
    let expected = concat_batches(&schema, batches).unwrap();
    assert_eq!(rows.unwrap(), expected.num_rows() as u64);
    let found = read(format, bytes);
    let found = concat_batches(&found[0].schema(), &found).unwrap();
    assert_eq!(found.columns(), expected.columns(), "{format:?}");
    let names = |batch: &RecordBatch| -> Vec<String> {
        batch.schema().fields().iter().map(|field| field.name().clone()).collect()
    };
    assert_eq!(names(&found), names(&expected));
}

#[test]
fn every_value_reads_back() {
    for format in [Format::Arrow, Format::Parquet] {
        check_back(format, &[nasty().slice(0, 3), nasty().slice(3, 5)]);
    }
    check_back(Format::Arrow, &[kinds()]);
    let interval = kinds().schema().index_of("interval").unwrap();
    let others: Vec<usize> = (0..kinds().num_columns()).filter(|at| *at != interval).collect();
    check_back(Format::Parquet, &[kinds().project(&others).unwrap()]);
}

#[test]
fn no_rows_are_a_whole_file() {
    for format in [Format::Arrow, Format::Parquet] {
        let (bytes, rows) = print_bytes(format, None, nasty().schema(), vec![]);
        assert_eq!(rows.unwrap(), 0);
        assert_eq!(read(format, bytes).iter().map(RecordBatch::num_rows).sum::<usize>(), 0);
    }
}

#[test]
fn a_failure_leaves_no_end() {
    let failure = || Err(DataFusionError::Execution("exit 3".into()));
    let items = vec![Ok(nasty()), failure()];
    let (bytes, rows) = print_bytes(Format::Parquet, None, nasty().schema(), items);
    assert!(matches!(rows, Err(OutputError::Query(_))));
    assert!(bytes.len() < MAGIC_TWICE || !bytes.ends_with(b"PAR1"));
    let (bytes, rows) = print_bytes(Format::Arrow, None, nasty().schema(), vec![failure()]);
    assert!(matches!(rows, Err(OutputError::Query(_))));
    assert!(bytes.is_empty());
}

#[test]
fn names_that_come_twice_get_numbers() {
    let twice = RecordBatch::try_new(
        Arc::new(Schema::new(vec![
            Field::new("a", DataType::Int64, false),
            Field::new("a", DataType::Int64, false),
        ])),
        vec![Arc::new(Int64Array::from(vec![1])), Arc::new(Int64Array::from(vec![2]))],
    );
    let twice = twice.unwrap();
    let (bytes, _) = print_bytes(Format::Parquet, None, twice.schema(), vec![Ok(twice)]);
    let found = read(Format::Parquet, bytes);
    assert_eq!(found[0].schema().field(1).name(), "a_2");
}
