//! Text to statements. Knows no session, opens nothing.
//!
//! The dialect is DataFusion's SQL with pipe queries and operators. sqlparser never sees either of
//! them: they are cut out of the tokens, and what they mean is put into the tree afterwards as
//! plain SQL, with a marker table factor where an operator stands.
//!
//! **Invariant:** no input makes this crate panic or overflow the stack; depth is bounded.
//!
//! **Invariant:** every place in a [`Statement`] or a [`Diagnostic`] is one in the whole script.

// Text to statements.
mod script;

mod lexer;

mod highlight;

mod inside;

// A statement to its tree.
mod parse;

mod statement;

mod tokens;

mod variables;

mod limits;

mod stack;

mod format;

mod function;

// Clauses out of the tokens.
mod cut;

mod query_start;

mod from_clause;

mod operator;

mod clause;

mod step;

// Clauses into the tree.
mod desugar;

mod marker;

// What goes wrong, and where.
mod diagnostic;

mod render;

mod place;

mod error;

mod hint;

pub mod lua;

pub use diagnostic::Diagnostic;
pub use highlight::{HighlightClass, highlight};
pub use inside::{CodeClass, highlight_code};
pub use marker::{marker_index, text_source};
pub use parse::{Statements, parse_script};
pub use script::{is_complete, split};
pub use sqlparser::tokenizer::{Location, Span};
pub use statement::{
    Code, ColumnDecl, CreateFormat, FoldClause, FormatName, FormatStatement, FunctionClause,
    GapfillClause, LuaClause, LuaVerb, OnError, Operator, OperatorKind, ParseClause, PipeClause,
    ReduceClause, ReduceKey, Scope, Statement, TextFormat,
};
pub use variables::Variables;
