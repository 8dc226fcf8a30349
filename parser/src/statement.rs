//! What a script is parsed into: a statement of plain SQL and the operators that stand in it.

use std::fmt;
use std::ops::Range;

use sqlparser::ast::{DataType, Expr, Ident};
use sqlparser::tokenizer::{Location, Span};

use crate::place::Script;

/// One statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// Its byte range in the script.
    pub text: Range<usize>,
    /// Plain SQL: no pipe operator is left anywhere in it, and each operator of the dialect is a
    /// marker table factor (see [`crate::marker_index`]).
    pub body: datafusion_sql::parser::Statement,
    /// The operator that each marker stands for, by the marker's index.
    pub operators: Vec<Operator>,
}

impl Statement {
    /// Where it begins in `script`, the text that it was parsed from.
    pub fn start(&self, script: &str) -> Location {
        Script::new(script).location(self.text.start)
    }
}

/// One operator clause, to be planned where its marker stands.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The whole clause in the script.
    pub span: Span,
    /// Its first keyword.
    pub keyword: Span,
    /// What it does.
    pub kind: OperatorKind,
}

/// The operators that plain SQL cannot express.
#[derive(Debug, Clone)]
pub enum OperatorKind {
    /// `MAP LUA`, `FLATMAP LUA`, `FILTER LUA`.
    Lua(LuaClause),
    /// `PIPE`.
    Pipe(PipeClause),
    /// `RENAME old AS new, …`: the other columns stay, in their places.
    Rename(Vec<(Ident, Ident)>),
    /// Rows pass unchanged; an error unless each column exists exactly once. It precedes the
    /// projection that `SET` and `DROP` become, which DataFusion does not check.
    Require(Vec<Ident>),
}

/// A row function in Lua.
#[derive(Debug, Clone)]
pub struct LuaClause {
    /// What is done with the function's result.
    pub verb: LuaVerb,
    /// The function.
    pub code: Code,
    /// Its arguments; without them they are bound by name.
    pub using: Option<Vec<Expr>>,
    /// The columns it makes. Always present for MAP and FLATMAP, never for FILTER.
    pub columns: Option<Vec<ColumnDecl>>,
}

/// What an operator does with the result of a Lua function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LuaVerb {
    /// One row for each row.
    Map,
    /// Any number of rows for each row.
    FlatMap,
    /// The row itself, or nothing.
    Filter,
}

impl fmt::Display for LuaVerb {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Map => "MAP",
            Self::FlatMap => "FLATMAP",
            Self::Filter => "FILTER",
        })
    }
}

/// A shell command that rows go through as text.
#[derive(Debug, Clone)]
pub struct PipeClause {
    /// The command.
    pub code: Code,
    /// What it is sent; without it `line`, or all columns.
    pub using: Option<Vec<Expr>>,
    /// The text format, where it is stated.
    pub format: Option<TextFormat>,
    /// The columns read from its output; without them `line TEXT`.
    pub columns: Option<Vec<ColumnDecl>>,
}

/// Text on the wire to and from a shell child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// Lines of one column.
    Raw,
    /// Columns separated by tabs, escaped.
    Tsv,
}

impl fmt::Display for TextFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Raw => "RAW",
            Self::Tsv => "TSV",
        })
    }
}

/// A column that an operator declares: `name [type]`.
#[derive(Debug, Clone)]
pub struct ColumnDecl {
    /// Its name as written.
    pub name: Ident,
    /// Its type, where one is written; TEXT otherwise.
    pub data_type: Option<DataType>,
    /// Name and type in the script.
    pub span: Span,
}

/// A quoted program.
#[derive(Debug, Clone)]
pub struct Code {
    /// The program: `''` undone for `'…'`, verbatim for `$$…$$` and `$tag$…$tag$`.
    pub text: String,
    /// The place of its first character: line k of the program is line `start.line + k - 1` of
    /// the script.
    pub start: Location,
    /// The quoted text with its quotes.
    pub span: Span,
}
