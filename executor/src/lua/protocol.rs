//! What parent and child say to each other, over frames. Knows no pipe and no process.
//!
//! The parent sends Setup, then batches, then End. The child answers each batch with any number
//! of Rows and one BatchDone, in order, and End with one Interpreted, where there is something to
//! tell; after Failed or Fault it says no more.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::Schema;
use arrow::ipc::reader::StreamDecoder;
use arrow::ipc::writer::StreamEncoder;

use super::LuaError;
use super::failure::{Failure, Tolerated};
use super::frame::{Tag, frame, header};
use super::program::LuaProgram;
use super::wire;

/// What the child says.
#[derive(Debug)]
pub enum Reply {
    /// Some of the rows of the current batch, as [`LuaProgram::reply_shape`] says.
    Rows(RecordBatch),
    /// The current batch is being worked on.
    Beat,
    /// The current batch is finished; for each step with ON ERROR NULL or SKIP, what it let pass.
    BatchDone(Vec<Tolerated>),
    /// What LuaJIT could not compile of the user's code, and how many traces ended there.
    Interpreted(BTreeMap<String, u64>),
    /// The user's code failed. The last reply.
    Failed(Failure),
    /// The child itself failed. The last reply.
    Fault(String),
}

/// How much memory the Lua values of a child may take, unless Setup says otherwise. Beyond it a
/// call fails with a message; without a limit, a refused allocation would abort the process.
pub const LUA_MEMORY_BYTES: usize = 4 * 1024 * 1024 * 1024;

/// What the first frame says.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Setup {
    pub(super) program: LuaProgram,
    pub(super) memory_bytes: usize,
}

/// The first frame to a child.
pub fn encode_setup(program: &LuaProgram) -> Result<Vec<u8>, LuaError> {
    encode_setup_limited(program, LUA_MEMORY_BYTES)
}

/// The first frame to a child whose Lua values may take `memory_bytes`.
pub fn encode_setup_limited(
    program: &LuaProgram,
    memory_bytes: usize,
) -> Result<Vec<u8>, LuaError> {
    Ok(frame(Tag::Setup, &to_json(&Setup { program: program.clone(), memory_bytes })?))
}

/// The last frame to a child.
pub fn encode_end() -> Vec<u8> {
    frame(Tag::End, &[])
}

/// Asks the child for what it has folded.
pub fn encode_flush() -> Vec<u8> {
    frame(Tag::Flush, &[])
}

pub(super) fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>, LuaError> {
    serde_json::to_vec(value).map_err(|error| LuaError::Frame(error.to_string()))
}

pub(super) fn from_json<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, LuaError> {
    serde_json::from_slice(body).map_err(|error| LuaError::Frame(error.to_string()))
}

/// Encodes batches, all of one schema, which is sent with the first.
pub struct BatchEncoder {
    stream: StreamEncoder,
}

impl std::fmt::Debug for BatchEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchEncoder").finish_non_exhaustive()
    }
}

impl BatchEncoder {
    /// An encoder for batches that [`to_child`](super::to_child) makes for `program`.
    pub fn try_new(program: &LuaProgram) -> Result<Self, LuaError> {
        Self::for_schema(&wire::input_schema(program))
    }

    pub(super) fn for_schema(schema: &Schema) -> Result<Self, LuaError> {
        Ok(Self { stream: StreamEncoder::try_new(schema)? })
    }

    /// A whole frame.
    pub fn encode(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, LuaError> {
        let parts = self.encode_parts(batch)?;
        let length = parts.iter().map(Buffer::len).sum();
        let mut frame = Vec::with_capacity(super::frame::HEADER_BYTES + length);
        frame.extend_from_slice(&header(Tag::Batch, length));
        parts.iter().for_each(|part| frame.extend_from_slice(part));
        Ok(frame)
    }

    /// The body of a frame in parts that share the memory of the batch.
    pub fn encode_parts(&mut self, batch: &RecordBatch) -> Result<Vec<Buffer>, LuaError> {
        Ok(self.stream.encode(batch)?)
    }
}

/// Decodes batches, all of one schema; column data stays in the body it came in.
#[derive(Debug, Default)]
pub(super) struct BatchDecoder {
    stream: StreamDecoder,
}

impl BatchDecoder {
    /// The one batch of a body.
    pub(super) fn decode(&mut self, mut body: Buffer) -> Result<RecordBatch, LuaError> {
        let mut batch = self.step(&mut body)?;
        let mut rest = Buffer::from(&[0u8][..]);
        if batch.is_none() {
            // Arrow's decoder finishes a batch without any bytes, such as one of no rows, only
            // when the next message begins. This byte begins one, and is left over.
            batch = self.step(&mut rest)?;
        }
        match batch {
            Some(batch) if body.is_empty() && rest.len() == 1 => Ok(batch),
            _ => Err(LuaError::Frame("a body that is not exactly one batch".into())),
        }
    }

    fn step(&mut self, body: &mut Buffer) -> Result<Option<RecordBatch>, LuaError> {
        // Arrow's decoder panics on some broken bodies.
        match catch_unwind(AssertUnwindSafe(|| self.stream.decode(body))) {
            Ok(batch) => Ok(batch?),
            Err(_) => Err(LuaError::Frame("a body that is no Arrow batch".into())),
        }
    }
}

/// Decodes the replies of one child, in order.
#[derive(Debug)]
pub struct ReplyDecoder {
    program: LuaProgram,
    batches: BatchDecoder,
}

impl ReplyDecoder {
    /// A decoder for the replies to `program`.
    pub fn new(program: LuaProgram) -> Self {
        Self { program, batches: BatchDecoder::default() }
    }

    /// The reply in a frame with the given tag and body; `Vec<u8>` and `Bytes` are not copied.
    pub fn decode(&mut self, tag: Tag, body: impl Into<Buffer>) -> Result<Reply, LuaError> {
        let body: Buffer = body.into();
        Ok(match tag {
            Tag::Rows => Reply::Rows(wire::from_child(&self.program, self.batches.decode(body)?)?),
            Tag::BatchDone if body.is_empty() => Reply::BatchDone(Vec::new()),
            Tag::BatchDone => Reply::BatchDone(from_json(&body)?),
            Tag::Failed => Reply::Failed(from_json(&body)?),
            Tag::Beat => Reply::Beat,
            Tag::Interpreted => Reply::Interpreted(from_json(&body)?),
            Tag::Fault => Reply::Fault(String::from_utf8_lossy(&body).into_owned()),
            other => return Err(LuaError::Frame(format!("a reply with the tag {other:?}"))),
        })
    }
}
