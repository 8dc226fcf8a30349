//! Lua source: just enough of it to find the parameters of a user's function, and whether it keeps
//! state.

mod lexer;
mod parameters;
mod stateless;

pub(crate) use lexer::LuaToken;
pub use parameters::{Parameter, Parameters, ParametersError, parameters};
pub use stateless::is_stateless;
