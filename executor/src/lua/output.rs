//! The rows a child has made and not yet sent.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::io::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::LuaError;
use super::column::OutputColumn;
use super::frame::{self, Tag};
use super::program::LuaProgram;
use super::protocol::BatchEncoder;
use super::wire;

/// Rows are sent when there are this many of them, or this many bytes. One row may be larger.
pub(super) const FLUSH_ROWS: usize = 8192;
pub(super) const FLUSH_BYTES: usize = 4 * 1024 * 1024;

/// How long a child that works may be silent.
const BEAT: Duration = Duration::from_millis(250);

/// Output columns and the pipe that they go to. Lua holds its address too, so it lives in an
/// `Rc`, and its parts are cells.
pub(super) struct Output<W> {
    columns: Vec<Rc<OutputColumn>>,
    schema: SchemaRef,
    rows: Cell<usize>,
    pushed_bytes: Rc<Cell<usize>>,
    encoder: RefCell<BatchEncoder>,
    pipe: RefCell<W>,
    error: RefCell<Option<LuaError>>,
    /// When the parent last heard of this child.
    last_sent: Cell<Instant>,
}

impl<W: Write> Output<W> {
    /// Empty columns for what `program` replies with.
    pub(super) fn try_new(program: &LuaProgram, pipe: W) -> Result<Rc<Self>, LuaError> {
        let schema = wire::reply_schema(program);
        let pushed_bytes = Rc::new(Cell::new(0));
        let columns = program.reply_columns();
        Ok(Rc::new(Self {
            columns: columns.iter().map(|c| OutputColumn::new(c, &pushed_bytes)).collect(),
            encoder: RefCell::new(BatchEncoder::for_schema(&schema)?),
            schema,
            rows: Cell::new(0),
            pushed_bytes,
            pipe: RefCell::new(pipe),
            error: RefCell::new(None),
            last_sent: Cell::new(Instant::now()),
        }))
    }

    /// All nodes of all columns, in preorder.
    pub(super) fn nodes(&self) -> Vec<Rc<OutputColumn>> {
        let mut nodes = Vec::new();
        self.columns.iter().for_each(|column| column.nodes(&mut nodes));
        nodes
    }

    /// Sends the rows that are there, if any.
    pub(super) fn flush(&self) -> Result<(), LuaError> {
        if self.rows.replace(0) == 0 {
            return Ok(());
        }
        self.pushed_bytes.set(0);
        let columns = self.columns.iter().map(|c| c.take()).collect::<Result<_, _>>()?;
        let batch = RecordBatch::try_new(self.schema.clone(), columns)?;
        let parts = self.encoder.borrow_mut().encode_parts(&batch)?;
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_slice()).collect();
        self.send(Tag::Rows, &parts)
    }

    /// Sends a frame; what was written so far leaves this process with BatchDone or a failure.
    pub(super) fn send(&self, tag: Tag, parts: &[&[u8]]) -> Result<(), LuaError> {
        let mut pipe = self.pipe.borrow_mut();
        frame::write(&mut *pipe, tag, parts)?;
        pipe.flush()?;
        self.last_sent.set(Instant::now());
        Ok(())
    }

    /// Keeps the error of a call from the loop; false where there is one.
    fn keep(&self, result: Result<(), LuaError>) -> bool {
        let error = result.err();
        let is_fine = error.is_none();
        self.error.replace(error);
        is_fine
    }

    /// The error for which [`end_row`] stopped the loop, if it did.
    pub(super) fn take_error(&self) -> Option<LuaError> {
        self.error.borrow_mut().take()
    }
}

/// Ends a row whose columns are pushed. False where sending failed and the loop has to stop.
pub(super) extern "C" fn end_row<W: Write>(output: *const c_void) -> bool {
    // SAFETY: generated code passes the address it was given, of an `Output<W>` that lives as
    // long as the Lua state does; all access is through shared references and cells.
    let output = unsafe { &*output.cast::<Output<W>>() };
    let rows = output.rows.get() + 1;
    output.rows.set(rows);
    if rows < FLUSH_ROWS && output.pushed_bytes.get() < FLUSH_BYTES {
        return true;
    }
    output.keep(output.flush())
}

/// Lets the parent know that the loop goes on, if it has not heard of it for a while. False where
/// sending failed and the loop has to stop.
pub(super) extern "C" fn beat<W: Write>(output: *const c_void) -> bool {
    // SAFETY: as for `end_row`.
    let output = unsafe { &*output.cast::<Output<W>>() };
    output.last_sent.get().elapsed() < BEAT || output.keep(output.send(Tag::Beat, &[]))
}
