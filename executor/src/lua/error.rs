//! What can go wrong between parent and child, outside the user's code.

use arrow::datatypes::DataType;
use arrow::error::ArrowError;

/// An error of the child, of its start, or of the talk with it. A failing call of the user's
/// function is not one of them: that is a [`Failure`](super::Failure).
#[derive(Debug, thiserror::Error)]
pub enum LuaError {
    /// Reading or writing the pipe failed.
    #[error("the pipe between parent and Lua child failed: {0}")]
    Io(#[from] std::io::Error),
    /// A batch could not be encoded, decoded or built.
    #[error("arrow: {0}")]
    Arrow(#[from] ArrowError),
    /// Bytes that are no frame of this protocol.
    #[error("broken frame between parent and Lua child: {0}")]
    Frame(String),
    /// The program breaks its own rules.
    #[error("the Lua program is not runnable: {0}")]
    Program(String),
    /// A column type that Lua has no value for.
    #[error("a column of type {0} cannot be given to Lua")]
    UnsupportedType(DataType),
    /// Strings of one batch do not fit 32-bit offsets.
    #[error("column {column} has {bytes} bytes of text in one batch, the limit is 2 GiB")]
    TooLarge {
        /// The column, or the field inside it.
        column: String,
        /// How many bytes its values have.
        bytes: usize,
    },
    /// The host's own Lua failed: a defect of gleam-sql, not of the user's code.
    #[error("Lua host: {0}")]
    Host(String),
}

impl From<mlua::Error> for LuaError {
    fn from(error: mlua::Error) -> Self {
        Self::Host(error.to_string())
    }
}
