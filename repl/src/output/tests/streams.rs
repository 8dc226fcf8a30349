//! Rows that arrive slowly, readers that leave, disks that are full, queries that fail.

use std::io;
use std::sync::Mutex;

use arrow::datatypes::Int64Type;
use futures::channel::mpsc;

use super::*;

/// A writer whose contents can be looked at in between.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn check_arrival(format: Format, expected: [&str; 3]) {
    let (sender, receiver) = mpsc::unbounded();
    let out = Shared::default();
    let batches = growing(&[2, 1]);
    let stream = to_stream(batches[0].schema(), receiver);
    futures::executor::block_on(async {
        let mut printing =
            Box::pin(write_stream(stream, format, out.clone(), OutputOptions::default()));
        assert!(poll!(&mut printing).is_pending());
        assert_eq!(out.take(), "", "nothing before the first batch");
        for (batch, expected) in batches.into_iter().zip(expected) {
            sender.unbounded_send(Ok(batch)).unwrap();
            assert!(poll!(&mut printing).is_pending());
            assert_eq!(out.take(), expected);
        }
        drop(sender);
        assert_eq!(printing.await.unwrap(), 2);
        assert_eq!(out.take(), expected[2]);
    });
}

#[test]
fn rows_are_written_as_they_arrive() {
    check_arrival(Format::Csv, ["a\nxx\n", "x\n", ""]);
    check_arrival(Format::Tsv, ["a\nxx\n", "x\n", ""]);
    check_arrival(Format::Json, ["[{\"a\":\"xx\"}", ",\n{\"a\":\"x\"}", "]\n"]);
    check_arrival(Format::Ndjson, ["{\"a\":\"xx\"}\n", "{\"a\":\"x\"}\n", ""]);
    check_arrival(Format::Markdown, ["| a |\n| --- |\n| xx |\n", "| x |\n", ""]);
    check_arrival(Format::Vertical, ["─[ record 1 ]─\na │ xx\n", "─[ record 2 ]─\na │ x\n", ""]);
    check_arrival(Format::Table, ["┌────┐\n│ a  │\n├────┤\n│ xx │\n", "│ x  │\n", "└────┘\n"]);
}

fn write_to(out: impl Write + Send, format: Format) -> Result<u64, OutputError> {
    let stream = to_stream(nasty().schema(), stream::iter([Ok(nasty())]));
    futures::executor::block_on(write_stream(stream, format, out, OutputOptions::default()))
}

#[test]
fn a_closed_reader_is_told_apart() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let result = write_to(writer, Format::Csv);
    assert!(matches!(result, Err(OutputError::ReaderClosed)), "{result:?}");
}

#[test]
fn a_full_disk_is_an_error() {
    for format in <Format as clap::ValueEnum>::value_variants() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = write_to(full, *format).unwrap_err();
        let is_full =
            matches!(&error, OutputError::Io(e) if e.kind() == io::ErrorKind::StorageFull);
        assert!(is_full, "{format:?}: {error:?}");
        assert!(error.to_string().starts_with("cannot write the output: No space left"));
    }
}

#[test]
fn a_full_disk_behind_a_buffer_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let result = write_to(io::BufWriter::new(full), Format::Csv);
    assert!(matches!(result, Err(OutputError::Io(_))), "{result:?}");
}

#[test]
fn a_query_error_passes_unchanged_behind_the_rows_before_it() {
    let failure = || Err::<RecordBatch, _>(DataFusionError::Execution("exit 3".into()));
    for format in [Format::Csv, Format::Table] {
        let items = vec![Ok(growing(&[2]).remove(0)), failure()];
        let (text, result) = print(format, None, growing(&[1])[0].schema(), items);
        assert!(text.contains("xx"));
        let error = result.unwrap_err();
        assert!(matches!(&error, OutputError::Query(DataFusionError::Execution(_))));
        assert_eq!(error.to_string(), failure().unwrap_err().to_string());

        let (text, result) = print(format, None, growing(&[1])[0].schema(), vec![failure()]);
        assert_eq!(text, "", "no header when there never was a batch");
        assert!(matches!(result, Err(OutputError::Query(_))));
    }
}

#[test]
fn a_value_without_a_text_is_an_error() {
    let all = <Format as clap::ValueEnum>::value_variants();
    for format in all.iter().filter(|format| !format.is_binary()) {
        let beyond: ArrayRef = Arc::new(TimestampSecondArray::from(vec![i64::MAX]));
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some([Some(1)])]);
        let batch = batch(vec![("time", beyond), ("list", Arc::new(list))]);
        let (_, result) = print(*format, None, batch.schema(), vec![Ok(batch)]);
        assert!(matches!(result, Err(OutputError::Query(_))), "{format:?}: {result:?}");
    }
}
