//! Record batches as frames: slices of at most so many encoded bytes.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use arrow_ipc::writer::{
    DictionaryTracker, EncodedData, IpcDataGenerator, IpcWriteContext, IpcWriteOptions,
};

use super::compact::compact;
use super::options::Compression;
use crate::proto::exchange::{Frame, IpcMessage};

/// A slice that is ready to be sent, and its rows.
pub(crate) struct Encoded {
    pub(crate) frame: Frame,
    pub(crate) rows: usize,
    pub(crate) bytes: u64,
}

/// The encoder of one partition.
pub(crate) struct FrameEncoder {
    partition: u64,
    frame_bytes: u64,
    options: IpcWriteOptions,
    context: IpcWriteContext,
    dictionaries: usize,
    /// For the first frame.
    schema: Option<Vec<u8>>,
    /// Slices that are still to be encoded, the next one last.
    pending: Vec<RecordBatch>,
}

impl FrameEncoder {
    pub(crate) fn try_new(
        partition: u64,
        schema: &Schema,
        frame_bytes: u64,
        compression: Compression,
    ) -> Result<Self, ArrowError> {
        let options = IpcWriteOptions::default().try_with_compression(compression.to_arrow())?;
        let mut tracker = DictionaryTracker::new(false);
        let schema = IpcDataGenerator {}.schema_to_bytes_with_dictionary_tracker(
            schema,
            &mut tracker,
            &options,
        );
        Ok(Self {
            partition,
            frame_bytes,
            options,
            context: IpcWriteContext::default(),
            dictionaries: tracker.dict_id().len(),
            schema: Some(schema.ipc_message),
            pending: Vec::new(),
        })
    }

    /// Cuts `batch` into slices, which [`Self::next`] encodes one by one.
    ///
    /// # Errors
    /// When a dictionary has no form without the values that are not used.
    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let compacted;
        let batch = if self.dictionaries > 0 {
            // Only then is their length known.
            compacted = compact(batch)?;
            &compacted
        } else {
            batch
        };
        let rows = batch.num_rows();
        let frames = shown_bytes(batch).div_ceil(self.frame_bytes as usize).clamp(1, rows.max(1));
        let rows_per_frame = rows.div_ceil(frames).max(1);
        let starts = (0..rows).step_by(rows_per_frame);
        let slices = starts.map(|start| batch.slice(start, rows_per_frame.min(rows - start)));
        self.pending.extend(slices.rev());
        Ok(())
    }

    /// The next frame of what was pushed.
    pub(crate) fn next(&mut self) -> Result<Option<Encoded>, ArrowError> {
        while let Some(slice) = self.pending.pop() {
            let encoded = self.encode(&compact(&slice)?)?;
            let rows = slice.num_rows();
            if encoded.bytes <= self.frame_bytes || rows == 1 {
                self.schema = None;
                return Ok(Some(encoded));
            }
            let half = rows / 2;
            self.pending.push(slice.slice(half, rows - half));
            self.pending.push(slice.slice(0, half));
        }
        Ok(None)
    }

    fn encode(&mut self, slice: &RecordBatch) -> Result<Encoded, ArrowError> {
        // A frame brings its own dictionaries: one that was encoded and then split was never sent.
        let mut tracker = DictionaryTracker::new(false);
        for _ in 0..self.dictionaries {
            tracker.next_dict_id();
        }
        let (dictionaries, batch) =
            IpcDataGenerator {}.encode(slice, &mut tracker, &self.options, &mut self.context)?;
        let frame = Frame {
            partition: self.partition,
            schema: self.schema.clone().unwrap_or_default().into(),
            dictionaries: dictionaries.into_iter().map(message).collect(),
            batch: Some(message(batch)),
        };
        Ok(Encoded { bytes: frame_bytes(&frame), rows: slice.num_rows(), frame })
    }
}

/// What a frame costs: its encoded bytes, without the few of protobuf.
pub(crate) fn frame_bytes(frame: &Frame) -> u64 {
    let message_bytes = |message: &IpcMessage| message.header.len() + message.body.len();
    let dictionaries: usize = frame.dictionaries.iter().map(message_bytes).sum();
    (frame.schema.len() + dictionaries + frame.batch.as_ref().map_or(0, message_bytes)) as u64
}

fn message(data: EncodedData) -> IpcMessage {
    IpcMessage { header: data.ipc_message.into(), body: data.arrow_data.into() }
}

/// About the bytes that the rows of `batch` show, without what lies around them in shared buffers.
fn shown_bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(shown_array_bytes).sum()
}

fn shown_array_bytes(array: &ArrayRef) -> usize {
    let long = |length: u32| if length > 12 { length as usize } else { 0 };
    match array.data_type() {
        DataType::Utf8View => {
            array.as_string_view().lengths().map(long).sum::<usize>() + 16 * array.len()
        }
        DataType::BinaryView => {
            array.as_binary_view().lengths().map(long).sum::<usize>() + 16 * array.len()
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            dictionary.keys().to_data().get_slice_memory_size().unwrap_or(0)
                + shown_array_bytes(dictionary.values())
        }
        _ => array.to_data().get_slice_memory_size().unwrap_or(0),
    }
}
