//! Lua operators: what runs inside a Lua child, and the protocol that both sides speak.
//!
//! The parent compiles a chain of MAP, FLATMAP and FILTER, the calls of functions, or a REDUCE into a [`LuaProgram`], starts this
//! binary again as a child, and exchanges frames with it; [`run`] is the child's whole life.
//!
//! **Invariant:** no Rust function is called once per row through the Lua API: the loop is Lua,
//! generated for the program, and reaches columns through FFI.
//! **Invariant:** user code never holds a pointer, a table or a library that the loop uses, the
//! methods of strings excepted, which the loop does not call.

mod program;
mod types;

mod compile;
mod error;
mod failure;
mod frame;
mod protocol;
mod wire;

mod child;
mod codegen;
mod column;
mod host;
mod input;
mod number;
mod output;
pub mod status;
mod worker;

#[cfg(test)]
mod tests;

pub use child::{run, serve};
pub use compile::{LuaSyntaxError, check_syntax};
pub use error::LuaError;
pub use failure::{Failure, Tolerated};
pub use frame::{HEADER_BYTES, MAX_BODY_BYTES, Tag, header, parse_header};
pub use program::{
    LuaColumn, LuaProgram, LuaStep, LuaVerb, MAX_COLUMNS, MAX_INPUTS, MAX_STEPS, OnError,
    ReplyShape,
};
pub use protocol::{
    BatchEncoder, LUA_MEMORY_BYTES, Reply, ReplyDecoder, encode_end, encode_flush, encode_setup,
    encode_setup_limited,
};
pub use types::LuaType;
pub use wire::{from_child, output_schema, to_child};
