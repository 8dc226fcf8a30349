//! The child's side: reads a program and batches, runs the loop, writes replies.

use std::ffi::c_void;
use std::fs::File;
use std::io::{BufWriter, ErrorKind, Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::process::ExitCode;
use std::rc::Rc;

use arrow::buffer::Buffer;
use mlua::{Function, LightUserData, Lua, LuaOptions, StdLib, Table, Value};

use super::LuaError;
use super::codegen::generate;
use super::column;
use super::compile::{compile, split_place};
use super::failure::{Failure, Tolerated};
use super::frame::{self, Tag};
use super::input;
use super::number::{self, Position};
use super::output::{Output, end_row};
use super::program::LuaProgram;
use super::protocol::{BatchDecoder, from_json, to_json};

/// Room in front of the pipe: headers and small buffers of a frame go out together.
const WRITE_BUFFER_BYTES: usize = 64 * 1024;

/// Serves on descriptors 0 and 1 until the parent ends the talk.
pub fn run() -> ExitCode {
    // SAFETY: descriptors 0 and 1 are open for as long as the process lives, are not closed here,
    // and this process uses no other handle for them.
    let (input, output) = unsafe { (File::from_raw_fd(0), File::from_raw_fd(1)) };
    let (input, output) = (ManuallyDrop::new(input), ManuallyDrop::new(output));
    match serve(&*input, BufWriter::with_capacity(WRITE_BUFFER_BYTES, &*output)) {
        Ok(()) => ExitCode::SUCCESS,
        // The parent has had enough.
        Err(LuaError::Io(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gleam-sql lua child: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves one program from `input` to `output`. A failure of the user's code is a reply, not an
/// error; an error of the talk itself is sent as Fault, where that is still possible, and given.
pub fn serve(mut input: impl Read, mut output: impl Write) -> Result<(), LuaError> {
    let served = talk(&mut input, &mut output);
    if let Err(error) = &served
        && !matches!(error, LuaError::Io(_))
    {
        frame::write(&mut output, Tag::Fault, &[error.to_string().as_bytes()])?;
        output.flush()?;
    }
    served
}

fn talk(input: &mut impl Read, output: &mut impl Write) -> Result<(), LuaError> {
    let program: LuaProgram = match frame::read(&mut *input)? {
        Some((Tag::Setup, body)) => from_json(&body)?,
        Some((tag, _)) => return Err(LuaError::Frame(format!("{tag:?} before Setup"))),
        None => return Ok(()),
    };
    program.check()?;
    let output = Output::try_new(&program, output)?;
    let mut worker = match Worker::start(program, &output)? {
        Ok(worker) => worker,
        Err(failure) => return output.send(Tag::Failed, &[&to_json(&failure)?]),
    };
    loop {
        let body = match frame::read(&mut *input)? {
            Some((Tag::Batch, body)) => body,
            Some((Tag::End, _)) | None => return Ok(()),
            Some((tag, _)) => return Err(LuaError::Frame(format!("{tag:?} to a running child"))),
        };
        match worker.run(&output, body)? {
            Ok(tolerated) if tolerated.is_empty() => output.send(Tag::BatchDone, &[])?,
            Ok(tolerated) => output.send(Tag::BatchDone, &[&to_json(&tolerated)?])?,
            Err(failure) => return output.send(Tag::Failed, &[&to_json(&failure)?]),
        }
    }
}

/// A program made ready: the Lua state and what the generated code points into.
struct Worker {
    program: LuaProgram,
    decoder: BatchDecoder,
    host: Table,
    /// The generated `run(rows)`.
    run: Function,
    slots: Pinned<u64>,
    // Fields are dropped in order, and nothing above runs Lua when it is dropped.
    _lua: Lua,
    _position: Pinned<Position>,
}

/// Memory that Lua points into, so that Rust reaches it through the same raw pointer only.
struct Pinned<T>(*mut [T]);

impl<T> Pinned<T> {
    fn new(values: Vec<T>) -> Self {
        Self(Box::into_raw(values.into_boxed_slice()))
    }

    fn address(&self) -> *mut c_void {
        self.0.cast()
    }
}

impl<T: Copy> Pinned<T> {
    fn set(&self, values: &[T]) {
        assert_eq!(values.len(), self.0.len(), "the number of input nodes is fixed");
        // SAFETY: the allocation has this many values, and Lua is not running.
        unsafe { self.0.cast::<T>().copy_from_nonoverlapping(values.as_ptr(), values.len()) };
    }
}

impl<T> Drop for Pinned<T> {
    fn drop(&mut self) {
        // SAFETY: it came from `Box::into_raw` and is dropped once.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

impl Worker {
    /// Loads the prelude, the user's functions and the generated loop. The inner error is one of
    /// the user's code.
    fn start<W: Write>(
        program: LuaProgram,
        output: &Rc<Output<W>>,
    ) -> Result<Result<Self, Failure>, LuaError> {
        let options = LuaOptions::new().catch_rust_panics(false);
        let libraries = StdLib::TABLE
            | StdLib::STRING
            | StdLib::MATH
            | StdLib::BIT
            | StdLib::JIT
            | StdLib::FFI
            | StdLib::DEBUG;
        // SAFETY: the ffi and debug libraries are for the prelude; user code is compiled from
        // text and runs in an environment that has neither.
        let lua = unsafe { Lua::unsafe_new_with(libraries, options) };
        let position = Pinned::new(vec![Position::default()]);
        let nodes = count_nodes(&program)?;
        let slots = Pinned::new(vec![0; nodes * input::SLOTS_PER_NODE]);
        let addresses = addresses::<W>(&lua, position.address(), slots.address())?;
        let prelude = lua.load(include_str!("prelude.lua")).set_name("=prelude.lua");
        let host: Table = prelude.call(addresses)?;
        let functions = match user_functions(&lua, &program, &host)? {
            Ok(functions) => functions,
            Err(failure) => return Ok(Err(failure)),
        };
        let columns = lua.create_table()?;
        let as_column: Function = host.get("column")?;
        for node in output.nodes() {
            columns.push(as_column.call::<Value>(light(Rc::as_ptr(&node).cast()))?)?;
        }
        let text = generate(&program);
        let factory = lua.load(text).set_name("=generated loop").into_function()?;
        let run = factory.call((&host, functions, columns, light(Rc::as_ptr(output).cast())))?;
        let decoder = BatchDecoder::default();
        Ok(Ok(Self { program, decoder, host, run, slots, _lua: lua, _position: position }))
    }

    /// Runs the loop over one batch and sends its rows. Gives the errors that were tolerated, or
    /// the one that was not.
    fn run<W: Write>(
        &mut self,
        output: &Output<W>,
        body: Vec<u8>,
    ) -> Result<Result<Vec<Tolerated>, Failure>, LuaError> {
        let batch = self.decoder.decode(Buffer::from_vec(body))?;
        let expected = super::wire::input_schema(&self.program);
        if batch.schema().fields() != expected.fields() {
            return Err(LuaError::Frame("a batch of another schema than the program's".into()));
        }
        self.slots.set(&input::slots(&batch)?);
        let failed: Option<Table> = self.run.call(batch.num_rows())?;
        if let Some(error) = output.take_error() {
            return Err(error);
        }
        if let Some(recorded) = failed {
            return Ok(Err(Failure::from_lua(&self.program, &recorded)?));
        }
        output.flush()?;
        self.tolerated().map(Ok)
    }

    /// The errors noted since the last batch, by step.
    fn tolerated(&self) -> Result<Vec<Tolerated>, LuaError> {
        let noted: Table = self.host.get("failures")?;
        let mut tolerated = Vec::new();
        for step in 0..self.program.steps.len() {
            let Some(first) = noted.get::<Option<Table>>(step)? else { continue };
            let count = first.get("count")?;
            tolerated.push(Tolerated { count, first: Failure::from_lua(&self.program, &first)? });
            noted.set(step, Value::Nil)?;
        }
        Ok(tolerated)
    }
}

/// How many input nodes the generated readers have, nested ones included.
fn count_nodes(program: &LuaProgram) -> Result<usize, LuaError> {
    let empty = arrow::array::RecordBatch::new_empty(super::wire::input_schema(program));
    Ok(input::slots(&empty)?.len() / input::SLOTS_PER_NODE)
}

fn light(address: *const c_void) -> LightUserData {
    LightUserData(address.cast_mut())
}

/// What the prelude casts to pointers.
fn addresses<W: Write>(
    lua: &Lua,
    position: *const c_void,
    slots: *const c_void,
) -> mlua::Result<Table> {
    lua.create_table_from([
        ("push_null", light(column::push_null as *const c_void)),
        ("push_boolean", light(column::push_boolean as *const c_void)),
        ("push_int", light(column::push_int as *const c_void)),
        ("push_uint", light(column::push_uint as *const c_void)),
        ("push_float", light(column::push_float as *const c_void)),
        ("push_bytes", light(column::push_bytes as *const c_void)),
        ("close_value", light(column::close_value as *const c_void)),
        ("end_row", light(end_row::<W> as *const c_void)),
        ("is_utf8", light(number::is_utf8 as *const c_void)),
        ("parse", light(number::parse as *const c_void)),
        ("position", light(position)),
        ("slots", light(slots)),
    ])
}

/// Runs the chunk of each step once, in its own environment.
fn user_functions(
    lua: &Lua,
    program: &LuaProgram,
    host: &Table,
) -> Result<Result<Table, Failure>, LuaError> {
    let sandbox = lua.load(include_str!("sandbox.lua")).set_name("=sandbox.lua");
    let environment: Function = sandbox.call(())?;
    let (emitter, start): (Function, Function) = (host.get("emitter")?, host.get("start")?);
    let (names, functions) = (host.get::<Table>("chunk_names")?, lua.create_table()?);
    for (index, step) in program.steps.iter().enumerate() {
        names.set(index, step.chunk_name.as_str())?;
        let chunk = match compile(lua, &step.code, &step.chunk_name) {
            Ok(chunk) => chunk,
            Err(error) => {
                let message = format!("{}:{}: {}", step.chunk_name, error.line, error.message);
                return Ok(Err(Failure::at_start(index, message, Some(error.line))));
            }
        };
        let emit: Value = match step.verb {
            super::program::LuaVerb::FlatMap => emitter.call(index)?,
            _ => Value::Nil,
        };
        let env: Table = environment.call(emit)?;
        let (function, message): (Value, Option<mlua::LuaString>) = start.call((chunk, env))?;
        if let Some(message) = message {
            let message = message.to_string_lossy();
            let line = split_place(&message, &step.chunk_name).map(|(line, _)| line);
            return Ok(Err(Failure::at_start(index, message, line)));
        }
        functions.push(function)?;
    }
    Ok(Ok(functions))
}
