//! A program in a Lua state: user functions, generated loop, and what they point into.

use std::collections::BTreeMap;
use std::io::Write;
use std::rc::Rc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use mlua::{Function, Lua, LuaOptions, StdLib, Table, Value};

use super::LuaError;
use super::codegen::generate;
use super::failure::{Failure, Tolerated};
use super::host::{self, HOST_CHUNK, Pinned};
use super::input;
use super::number::Position;
use super::output::Output;
use super::program::LuaProgram;
use super::protocol::{BatchDecoder, Setup};
use super::wire;

/// A program made ready: the Lua state and what the generated code points into.
pub(super) struct Worker {
    program: LuaProgram,
    decoder: BatchDecoder,
    host: Table,
    /// The generated `run(rows)`.
    run: Function,
    /// The generated `finish()` of a REDUCE.
    finish: Option<Function>,
    /// Forgets what was noted of a step.
    forget: Function,
    slots: Pinned<u64>,
    lua: Lua,
    _position: Pinned<Position>,
}

impl Worker {
    /// Loads the host's Lua, the user's functions and the generated loop. The inner error is one of
    /// the user's code.
    pub(super) fn start<W: Write>(
        setup: Setup,
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
        // SAFETY: the ffi and debug libraries are for the host's Lua; user code is compiled from
        // text and runs in an environment that has neither.
        let lua = unsafe { Lua::unsafe_new_with(libraries, options) };
        // The state is never closed. The process ends next, and the memory with it; and a state that
        // ran out of memory fails LuaJIT's own check of its books when it is closed.
        std::mem::forget(lua.clone());
        let Setup { program, memory_bytes } = setup;
        lua.set_memory_limit(memory_bytes)?;
        let position = Pinned::new(vec![Position::default()]);
        let nodes = count_nodes(&program)?;
        let slots = Pinned::new(vec![0; nodes * input::SLOTS_PER_NODE]);
        let host = host::load::<W>(&lua, position.address(), slots.address())?;
        let functions = match host::user_functions(&lua, &program, &host)? {
            Ok(functions) => functions,
            Err(failure) => return Ok(Err(failure)),
        };
        let columns = lua.create_table()?;
        let as_column: Function = host.get("column")?;
        for node in output.nodes() {
            columns.push(as_column.call::<Value>(host::light(Rc::as_ptr(&node).cast()))?)?;
        }
        let text = generate(&program);
        let factory = lua.load(text).set_name(HOST_CHUNK).into_function()?;
        let (run, finish) =
            factory.call((&host, functions, columns, host::light(Rc::as_ptr(output).cast())))?;
        host.get::<Function>("watch_traces")?.call::<()>(())?;
        let decoder = BatchDecoder::default();
        let forget = host.get("forget")?;
        Ok(Ok(Self {
            program,
            decoder,
            host,
            run,
            finish,
            forget,
            slots,
            lua,
            _position: position,
        }))
    }

    /// Runs the loop over one batch and sends its rows. Gives the errors that were tolerated, or
    /// the one that was not.
    pub(super) fn run<W: Write>(
        &mut self,
        output: &Output<W>,
        body: Vec<u8>,
    ) -> Result<Result<Vec<Tolerated>, Failure>, LuaError> {
        let batch = self.decoder.decode(Buffer::from_vec(body))?;
        let expected = wire::input_schema(&self.program);
        if batch.schema().fields() != expected.fields() {
            return Err(LuaError::Frame("a batch of another schema than the program's".into()));
        }
        self.slots.set(&input::slots(&batch)?);
        let failed = self.run.call(batch.num_rows())?;
        self.settle(output, failed)
    }

    fn settle<W: Write>(
        &mut self,
        output: &Output<W>,
        failed: Option<Table>,
    ) -> Result<Result<Vec<Tolerated>, Failure>, LuaError> {
        if failed.is_some() {
            // To tell of a failure takes memory too, and it is the last thing done.
            self.lua.set_memory_limit(0)?;
        }
        if let Some(error) = output.take_error() {
            return Err(error);
        }
        if let Some(recorded) = failed {
            return Ok(Err(Failure::from_lua(&self.program, &recorded)?));
        }
        output.flush()?;
        self.tolerated().map(Ok)
    }

    /// Sends what a REDUCE has folded so far, and forgets it.
    pub(super) fn finish<W: Write>(
        &mut self,
        output: &Output<W>,
    ) -> Result<Result<Vec<Tolerated>, Failure>, LuaError> {
        let Some(finish) = &self.finish else {
            return Err(LuaError::Frame("a Flush to a child that gathers nothing".into()));
        };
        let failed = finish.call(())?;
        self.settle(output, failed)
    }

    /// What LuaJIT could not compile so far, and how many traces ended there.
    pub(super) fn interpreted(&self) -> Result<BTreeMap<String, u64>, LuaError> {
        // All rows are out: it must not fail for want of memory.
        self.lua.set_memory_limit(0)?;
        let interpreted: Function = self.host.get("interpreted")?;
        Ok(interpreted.call(())?)
    }

    /// The errors noted since the last batch, by step.
    fn tolerated(&self) -> Result<Vec<Tolerated>, LuaError> {
        let noted: Table = self.host.get("noted")?;
        let mut tolerated = Vec::new();
        for step in 0..self.program.steps.len() {
            let noted: Table = match noted.get(step)? {
                Some(noted) => noted,
                None => continue,
            };
            let samples: Table = noted.get("samples")?;
            let samples = samples.sequence_values::<Table>();
            tolerated.push(Tolerated {
                step,
                rows: noted.get("calls")?,
                errors: noted.get("errors")?,
                samples: samples
                    .map(|sample| Failure::from_lua(&self.program, &sample?))
                    .collect::<mlua::Result<_>>()?,
            });
            self.forget.call::<()>(step)?;
        }
        Ok(tolerated)
    }
}

/// How many input nodes the generated readers have, nested ones included.
fn count_nodes(program: &LuaProgram) -> Result<usize, LuaError> {
    let empty = RecordBatch::new_empty(wire::input_schema(program));
    Ok(input::slots(&empty)?.len() / input::SLOTS_PER_NODE)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;
    use crate::lua::{BatchEncoder, HEADER_BYTES, LuaColumn, LuaStep, LuaType, LuaVerb};

    /// Why LuaJIT gives up a trace though all in it can be compiled: the trace left the loop
    /// (LLEAVE), met an inner one (LINNER), or unrolled one for too long (LUNROLL).
    const HARMLESS: [i64; 3] = [8, 9, 10];

    fn step(verb: LuaVerb, code: &str, columns: &[LuaColumn]) -> LuaStep {
        let columns = columns.to_vec();
        LuaStep { args: vec![0, 1], columns, ..LuaStep::new(verb, code, "LUA") }
    }

    /// Runs steps over many rows and checks that nothing kept their loop from being compiled.
    fn check_compiled(steps: Vec<LuaStep>) {
        let inputs =
            vec![LuaColumn::new("line", LuaType::Text), LuaColumn::new("n", LuaType::Int64)];
        let program = LuaProgram { inputs, steps };
        let output = Output::try_new(&program, std::io::sink()).unwrap();
        let mut worker =
            Worker::start(Setup { program, memory_bytes: 0 }, &output).unwrap().unwrap();
        let report = "aborts, loops = {}, 0
            jit.attach(function(what, _, func, pc, code)
              if what == 'abort' then aborts[#aborts + 1] = code end
              if what == 'stop' then loops = loops + 1 end
            end, 'trace')";
        worker.lua.load(report).exec().unwrap();
        let lines = (0..50_000).map(|k| format!("line number {k}"));
        let lines: ArrayRef = Arc::new(StringArray::from_iter_values(lines));
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..50_000));
        let batch = crate::lua::to_child(&worker.program, &[lines, numbers], 50_000).unwrap();
        let frame = BatchEncoder::try_new(&worker.program).unwrap().encode(&batch).unwrap();
        worker.run(&output, frame[HEADER_BYTES..].to_vec()).unwrap().unwrap();
        let globals = worker.lua.globals();
        let aborts: Vec<i64> = globals.get("aborts").unwrap();
        assert!(aborts.iter().all(|code| HARMLESS.contains(code)), "{aborts:?}");
        assert!(globals.get::<usize>("loops").unwrap() > 0);
    }

    #[test]
    fn the_loop_is_compiled() {
        let outputs = [LuaColumn::new("s", LuaType::Text), LuaColumn::new("n", LuaType::Int64)];
        let map = "function(line, n) return line:sub(1, 4), #line + n end";
        let filter = "function(line, n) return n % 3 == 0 and line:find('9', 1, true) end";
        check_compiled(vec![step(LuaVerb::Map, map, &outputs)]);
        check_compiled(vec![step(LuaVerb::Filter, filter, &[])]);
        check_compiled(vec![
            step(LuaVerb::Filter, filter, &[]),
            step(LuaVerb::Map, map, &outputs),
            step(LuaVerb::Map, "function(s, n) if n > 20 then return s, n end end", &outputs),
            step(LuaVerb::FlatMap, "function(s, n) emit(s, n) emit(s, 1) end", &outputs),
            step(LuaVerb::Filter, "function(s, n) return n > 1 end", &[]),
        ]);
    }

    #[test]
    fn wide_rows_are_compiled() {
        for width in [5, 6, 7, 8, 16, 40] {
            let outputs: Vec<_> =
                (0..width).map(|k| LuaColumn::new(format!("c{k}"), LuaType::Int64)).collect();
            let values: Vec<_> = (0..width).map(|k| format!("n + {k}")).collect();
            let map = format!("function(line, n) return {} end", values.join(", "));
            check_compiled(vec![step(LuaVerb::Map, &map, &outputs)]);
        }
    }
}
