//! Functions in Lua: their definition, and how their calls become operators.
//!
//! DataFusion knows such a function by name and types only. Before it optimises a plan, the calls are
//! taken out of the expressions and become columns that a Lua child computes batch by batch, as a MAP
//! is. DataFusion's own asynchronous functions would compute them in the process, and only in SELECT
//! and WHERE.

mod calls;
mod definition;
mod guard;
mod layers;
mod listing;

pub(crate) use calls::PlanFunctionCalls;
pub(crate) use definition::{LuaFunction, create, is_lua, normal};
pub(crate) use listing::show;
