//! What a script is parsed into: a statement of plain SQL and the operators that stand in it.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use sqlparser::ast::{DataType, Expr, Ident, OrderByExpr};
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
    /// What `CREATE FUNCTION … LANGUAGE LUA` defines, where the statement is one; `body` is then the
    /// same statement as sqlparser reads it.
    pub function: Option<FunctionClause>,
    /// What a statement about formats says, where it is one; `body` is then a statement without
    /// effect.
    pub format: Option<FormatStatement>,
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
    /// `REDUCE LUA`.
    Reduce(ReduceClause),
    /// `PIPE`.
    Pipe(PipeClause),
    /// `PARSE`.
    Parse(ParseClause),
    /// `FOLD`.
    Fold(FoldClause),
    /// `GAPFILL`.
    Gapfill(GapfillClause),
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
    /// What an error in one row does.
    pub on_error: OnError,
}

/// A fold in Lua.
#[derive(Debug, Clone)]
pub struct ReduceClause {
    /// The function.
    pub code: Code,
    /// The values that are folded, as many as there are columns; without them they are bound by
    /// name.
    pub using: Option<Vec<Expr>>,
    /// What the rows of a group have in common, each an expression or `expression AS name`; without
    /// them there is one group.
    pub keys: Vec<ReduceKey>,
    /// The accumulators, at least one.
    pub columns: Vec<ColumnDecl>,
    /// What an error in one row does.
    pub on_error: OnError,
}

/// A key of `BY`.
#[derive(Debug, Clone)]
pub struct ReduceKey {
    /// Its value.
    pub value: Expr,
    /// Its name, where one is given.
    pub alias: Option<Ident>,
}

/// `ON ERROR …`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnError {
    /// Ends the query.
    #[default]
    Fail,
    /// Makes NULLs.
    Null,
    /// Drops the row.
    Skip,
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
    /// Which rows share a child.
    pub scope: Scope,
    /// The order in which a child sees its rows; empty where none is asked for.
    pub order_by: Vec<OrderByExpr>,
    /// The text format, where it is stated.
    pub format: Option<TextFormat>,
    /// The columns read from its output; without them `line TEXT`.
    pub columns: Option<Vec<ColumnDecl>>,
    /// `OK EXIT (…)`: the statuses that are success; empty where the usual rules hold.
    pub ok_exit: Vec<u8>,
    /// `TIMEOUT …`.
    pub timeout: Option<Duration>,
    /// What an error in one row does.
    pub on_error: OnError,
}

/// Which rows share a child.
#[derive(Debug, Clone)]
pub enum Scope {
    /// Nothing is said: those of a task.
    Split,
    /// `PARTITION BY (…)`: those with equal values, among others.
    PartitionBy(Vec<Expr>),
    /// `SINGLE`: all.
    Single,
    /// `PER ROW`: none.
    PerRow,
}

/// Text on the wire to and from a shell child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    /// Lines of one column.
    Raw,
    /// Columns separated by tabs, escaped.
    Tsv,
    /// Columns separated by commas, quoted; an empty field without quotes is NULL.
    Csv,
    /// A JSON object a line.
    Json,
}

impl fmt::Display for TextFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Raw => "RAW",
            Self::Tsv => "TSV",
            Self::Csv => "CSV",
            Self::Json => "JSON",
        })
    }
}

/// Lines that become columns.
#[derive(Debug, Clone)]
pub struct ParseClause {
    /// The format of the lines.
    pub format: FormatName,
    /// What holds the lines; without it `line`.
    pub value: Option<Expr>,
    /// The fields that become columns; without them all.
    pub columns: Option<Vec<ColumnDecl>>,
    /// What a line does that does not have the format, NULL where nothing is said.
    pub on_error: OnError,
}

/// A format as it is written: a name, or one of the words that take a text.
#[derive(Debug, Clone)]
pub struct FormatName {
    /// The word.
    pub name: Ident,
    /// Its place.
    pub span: Span,
    /// The text of PATTERN, REGEX and GROK; never there for other words.
    pub code: Option<Code>,
}

/// Lines that belong to the line before them.
#[derive(Debug, Clone)]
pub struct FoldClause {
    /// A regular expression that the first line of an event matches.
    pub start: Code,
    /// After how many lines another event begins, where that is said.
    pub max_lines: Option<u64>,
}

/// Rows for the buckets of time in which nothing was.
#[derive(Debug, Clone)]
pub struct GapfillClause {
    /// What is filled.
    pub column: Expr,
    /// How far two values are from each other.
    pub step: Expr,
    /// Its place.
    pub step_span: Span,
    /// What groups have in common, each of which is filled by itself; empty for one group.
    pub partition_by: Vec<Expr>,
}

/// A statement about formats.
#[derive(Debug, Clone)]
pub enum FormatStatement {
    /// `CREATE [OR REPLACE] FORMAT [IF NOT EXISTS] name [(column [type], …)] AS PATTERN '…'`.
    Create(CreateFormat),
    /// `DROP FORMAT [IF EXISTS] name`.
    Drop {
        /// Its name as written.
        name: Ident,
        /// Its place.
        span: Span,
        /// Whether it need not be there.
        if_exists: bool,
    },
    /// `SHOW FORMATS`.
    Show,
}

/// A format under a name.
#[derive(Debug, Clone)]
pub struct CreateFormat {
    /// Its name as written.
    pub name: Ident,
    /// The place of the name.
    pub span: Span,
    /// Whether it takes the place of another of that name.
    pub or_replace: bool,
    /// Whether it is left as it is where one of that name exists.
    pub if_not_exists: bool,
    /// What it is.
    pub format: FormatName,
    /// The types of fields; those that are not named are TEXT.
    pub columns: Vec<ColumnDecl>,
}

/// `CREATE [OR REPLACE] FUNCTION name (…) RETURNS type LANGUAGE LUA AS '…'`.
#[derive(Debug, Clone)]
pub struct FunctionClause {
    /// Its name as written.
    pub name: Ident,
    /// Whether it takes the place of another of that name.
    pub or_replace: bool,
    /// Whether it is left as it is where one of that name exists.
    pub if_not_exists: bool,
    /// What it takes: each has a name and a type.
    pub parameters: Vec<ColumnDecl>,
    /// What it gives.
    pub returns: DataType,
    /// The place of that type.
    pub returns_span: Span,
    /// The function.
    pub code: Code,
    /// `STRICT` or `RETURNS NULL ON NULL INPUT`: it is not called where an argument is NULL.
    pub is_strict: bool,
}

/// A column that an operator declares: `name [type]`.
#[derive(Debug, Clone)]
pub struct ColumnDecl {
    /// Its name as written.
    pub name: Ident,
    /// Its type, where one is written; TEXT otherwise.
    pub data_type: Option<DataType>,
    /// `FORMAT '…'` behind the type: how PARSE reads its times, in strftime's conversions.
    pub time_format: Option<Code>,
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
