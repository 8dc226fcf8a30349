//! The host's own Lua, the memory it shares with Rust, and the start of the user's functions.

use std::ffi::c_void;
use std::io::Write;

use mlua::{Function, LightUserData, Lua, Table, Value};

use super::LuaError;
use super::column;
use super::compile::{compile, split_place};
use super::failure::Failure;
use super::number;
use super::output::{beat, end_row};
use super::program::{LuaProgram, LuaVerb};

/// The name of the host's own Lua, which failures.lua takes out of messages.
pub(super) const HOST_CHUNK: &str = "=gleam host";

/// What fills the table that host.lua gives, in this order.
const PARTS: [&str; 6] = [
    include_str!("host/readers.lua"),
    include_str!("host/fitters.lua"),
    include_str!("host/writers.lua"),
    include_str!("host/failures.lua"),
    include_str!("host/rows.lua"),
    include_str!("host/traces.lua"),
];

/// Loads the host's Lua into a fresh state and gives its table.
pub(super) fn load<W: Write>(
    lua: &Lua,
    position: *const c_void,
    slots: *const c_void,
) -> mlua::Result<Table> {
    let addresses = addresses::<W>(lua, position, slots)?;
    let base = lua.load(include_str!("host/host.lua")).set_name(HOST_CHUNK);
    let host: Table = base.call(addresses)?;
    for part in PARTS {
        lua.load(part).set_name(HOST_CHUNK).call::<()>(&host)?;
    }
    Ok(host)
}

/// What host.lua casts to pointers.
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
        ("beat", light(beat::<W> as *const c_void)),
        ("end_row", light(end_row::<W> as *const c_void)),
        ("is_utf8", light(number::is_utf8 as *const c_void)),
        ("parse", light(number::parse as *const c_void)),
        ("position", light(position)),
        ("slots", light(slots)),
    ])
}

/// Runs the chunk of each step once, in its own environment.
pub(super) fn user_functions(
    lua: &Lua,
    program: &LuaProgram,
    host: &Table,
) -> Result<Result<Table, Failure>, LuaError> {
    let sandbox = lua.load(include_str!("host/sandbox.lua")).set_name(HOST_CHUNK);
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
            LuaVerb::FlatMap => emitter.call(index)?,
            _ => Value::Nil,
        };
        let env: Table = environment.call(emit)?;
        let (function, message): (Value, Option<mlua::LuaString>) = start.call((chunk, env))?;
        if let Some(message) = message {
            let message = message.to_string_lossy();
            let line = split_place(&message, &step.chunk_name).map(|(line, _)| line);
            return Ok(Err(Failure::at_start(index, message, line)));
        }
        host.get::<Table>("functions")?.set(index, &function)?;
        functions.push(function)?;
    }
    Ok(Ok(functions))
}

pub(super) fn light(address: *const c_void) -> LightUserData {
    LightUserData(address.cast_mut())
}

/// Memory that Lua points into, so that Rust reaches it through the same raw pointer only.
pub(super) struct Pinned<T>(*mut [T]);

impl<T> Pinned<T> {
    pub(super) fn new(values: Vec<T>) -> Self {
        Self(Box::into_raw(values.into_boxed_slice()))
    }

    pub(super) fn address(&self) -> *mut c_void {
        self.0.cast()
    }
}

impl<T: Copy> Pinned<T> {
    pub(super) fn set(&self, values: &[T]) {
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
