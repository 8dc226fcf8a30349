//! Frames as record batches again.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::buffer::Buffer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{RecordBatchDecoder, read_dictionary};
use arrow_ipc::{Message, root_as_message};
use bytes::Bytes;

use crate::proto::exchange::{Frame, IpcMessage};

/// Arrow reads buffers in place when they begin at a multiple of this.
const ALIGNMENT: usize = 64;

/// The decoder of one partition.
#[derive(Debug, Default)]
pub(crate) struct FrameDecoder {
    schema: Option<SchemaRef>,
}

impl FrameDecoder {
    /// The rows of `frame`.
    ///
    /// # Errors
    /// When the bytes are not what an encoder writes.
    pub(crate) fn decode(&mut self, frame: &Frame) -> Result<RecordBatch, ArrowError> {
        if !frame.schema.is_empty() {
            self.schema = Some(Arc::new(read_schema(&frame.schema)?));
        }
        let schema = self.schema.as_ref().ok_or_else(|| malformed("the first has no schema"))?;
        let mut dictionaries = HashMap::new();
        for dictionary in &frame.dictionaries {
            add_dictionary(dictionary, schema, &mut dictionaries)?;
        }
        let batch = frame.batch.as_ref().ok_or_else(|| malformed("one has no rows"))?;
        read_batch(batch, schema, &dictionaries)
    }
}

fn read_schema(bytes: &[u8]) -> Result<Schema, ArrowError> {
    let schema = header(bytes)?.header_as_schema();
    Ok(fb_to_schema(schema.ok_or_else(|| malformed("the schema is none"))?))
}

fn add_dictionary(
    message: &IpcMessage,
    schema: &Schema,
    dictionaries: &mut HashMap<i64, ArrayRef>,
) -> Result<(), ArrowError> {
    let header = header(&message.header)?;
    let batch = header.header_as_dictionary_batch();
    let batch = batch.ok_or_else(|| malformed("a dictionary is none"))?;
    read_dictionary(&aligned(&message.body), batch, schema, dictionaries, &header.version())
}

fn read_batch(
    message: &IpcMessage,
    schema: &SchemaRef,
    dictionaries: &HashMap<i64, ArrayRef>,
) -> Result<RecordBatch, ArrowError> {
    let header = header(&message.header)?;
    let batch = header.header_as_record_batch();
    let batch = batch.ok_or_else(|| malformed("the rows are none"))?;
    let version = header.version();
    let body = aligned(&message.body);
    RecordBatchDecoder::try_new(&body, batch, Arc::clone(schema), dictionaries, &version)?
        .read_record_batch()
}

fn header(bytes: &[u8]) -> Result<Message<'_>, ArrowError> {
    root_as_message(bytes).map_err(|error| ArrowError::IpcError(error.to_string()))
}

/// One copy of the whole here, or one for each buffer in Arrow.
fn aligned(body: &Bytes) -> Buffer {
    if (body.as_ptr() as usize).is_multiple_of(ALIGNMENT) {
        Buffer::from(body.clone())
    } else {
        Buffer::from(body.as_ref())
    }
}

fn malformed(what: &str) -> ArrowError {
    ArrowError::IpcError(format!("malformed frame: {what}"))
}
