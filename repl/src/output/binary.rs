//! Formats for programs alone: Arrow's IPC stream, and Parquet.
//!
//! Both end with a mark. A query that fails in the middle leaves it out, so that nothing takes what
//! is there for the answer.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::OutputError;
use super::json_text::unique_names;

/// A row group is closed when it has this many bytes: it is in memory until then.
const ROW_GROUP_BYTES: usize = 64 * 1024 * 1024;

/// A format that is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BinaryFormat {
    Arrow,
    Parquet,
}

/// Writes the rows of `stream` as they arrive, under the names of `schema`, and returns how many there
/// were.
pub(super) async fn write_stream(
    stream: SendableRecordBatchStream,
    format: BinaryFormat,
    schema: &Schema,
    out: impl Write + Send,
) -> Result<u64, OutputError> {
    let schema = Arc::new(with_unique_names(schema));
    match format {
        BinaryFormat::Arrow => write_arrow(stream, schema, out).await,
        BinaryFormat::Parquet => write_parquet(stream, schema, out).await,
    }
}

async fn write_arrow(
    mut stream: SendableRecordBatchStream,
    schema: SchemaRef,
    out: impl Write + Send,
) -> Result<u64, OutputError> {
    let mut rows = 0;
    // Nothing is written before there is a row or the end.
    let mut next = stream.next().await.transpose()?;
    let mut writer = StreamWriter::try_new(out, &schema).map_err(of_arrow)?;
    while let Some(batch) = next {
        writer.write(&renamed(&batch, &schema)?).map_err(of_arrow)?;
        writer.flush().map_err(of_arrow)?;
        rows += batch.num_rows() as u64;
        next = stream.next().await.transpose()?;
    }
    writer.finish().map_err(of_arrow)?;
    writer.flush().map_err(of_arrow)?;
    Ok(rows)
}

async fn write_parquet(
    mut stream: SendableRecordBatchStream,
    schema: SchemaRef,
    mut out: impl Write + Send,
) -> Result<u64, OutputError> {
    let compression = Compression::ZSTD(ZstdLevel::default());
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut rows = 0;
    let mut next = stream.next().await.transpose()?;
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(&schema), Some(properties))
        .map_err(of_parquet)?;
    while let Some(batch) = next {
        writer.write(&renamed(&batch, &schema)?).map_err(of_parquet)?;
        if writer.in_progress_size() >= ROW_GROUP_BYTES {
            writer.flush().map_err(of_parquet)?;
        }
        pass_on(&mut writer, &mut out)?;
        rows += batch.num_rows() as u64;
        next = stream.next().await.transpose()?;
    }
    writer.finish().map_err(of_parquet)?;
    pass_on(&mut writer, &mut out)?;
    out.flush().map_err(OutputError::from_io)?;
    Ok(rows)
}

/// Writes what is ready. (A writer of Parquet that writes by itself turns some errors into text.)
fn pass_on(writer: &mut ArrowWriter<Vec<u8>>, out: &mut impl Write) -> Result<(), OutputError> {
    let ready = std::mem::take(writer.inner_mut());
    out.write_all(&ready).map_err(OutputError::from_io)
}

/// A name that comes twice gets a number, as in JSON: readers find columns by name.
fn with_unique_names(schema: &Schema) -> Schema {
    let names = unique_names(schema.fields().iter().map(|field| field.name().as_str()));
    let fields = schema.fields().iter().zip(names);
    let fields: Vec<Field> =
        fields.map(|(field, name)| field.as_ref().clone().with_name(name)).collect();
    Schema::new(fields)
}

fn renamed(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    RecordBatch::try_new(Arc::clone(schema), batch.columns().to_vec())
}

fn of_arrow(error: ArrowError) -> OutputError {
    match error {
        ArrowError::IoError(_, error) => OutputError::from_io(error),
        error => error.into(),
    }
}

fn of_parquet(error: ParquetError) -> OutputError {
    DataFusionError::ParquetError(Box::new(error)).into()
}
