//! Lua source: just enough of it to find the parameters of a user's function.

mod lexer;
mod parameters;

pub use parameters::{Parameter, Parameters, ParametersError, parameters};
