//! Text to statements. Knows no session, opens nothing.
//!
//! The dialect is DataFusion's SQL with pipe queries and operators. sqlparser never sees either of
//! them: they are cut out of the tokens, and what they mean is put into the tree afterwards as
//! plain SQL, with a marker table factor where an operator stands.
//!
//! **Invariant:** no input makes this crate panic or overflow the stack; depth is bounded.
//!
//! **Invariant:** every place in a [`Statement`] or a [`Diagnostic`] is one in the whole script.

mod lexer;
mod script;
mod highlight;
mod place;
mod tokens;
mod statement;
mod parse;
mod stack;
mod function;
mod cut;
mod operator;
mod step;
mod marker;
mod desugar;
mod diagnostic;
mod error;
mod hint;
mod render;

pub mod lua;

pub use diagnostic::Diagnostic;
pub use highlight::{HighlightClass, highlight};
pub use marker::{marker_index, text_source};
pub use parse::{Statements, parse_script};
pub use script::{is_complete, split};
pub use sqlparser::tokenizer::{Location, Span};
pub use statement::{
    Code, ColumnDecl, LuaClause, LuaVerb, Operator, OperatorKind, PipeClause, Statement,
    TextFormat,
};
