//! Compiles the user's text, without running it.

use mlua::chunk::ChunkMode;
use mlua::{Function, Lua, LuaOptions, StdLib};

/// The user's text is not Lua.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct LuaSyntaxError {
    /// What LuaJIT says, without the place.
    pub message: String,
    /// The line of the user's text, from 1.
    pub line: usize,
}

/// Checks that `code` compiles, as an expression or as a chunk, text only. Runs none of it.
pub fn check_syntax(code: &str) -> Result<(), LuaSyntaxError> {
    let lua = Lua::new_with(StdLib::NONE, LuaOptions::new().catch_rust_panics(false))
        .map_err(|error| LuaSyntaxError { message: error.to_string(), line: 1 })?;
    compile(&lua, code, "code").map(drop)
}

/// Compiles `code` to a function that, when called, gives the user's function.
///
/// `return <code>` is tried first, on the same line, so that line numbers are those of the text.
pub(super) fn compile(lua: &Lua, code: &str, name: &str) -> Result<Function, LuaSyntaxError> {
    let as_expression = match load(lua, &format!("return {code}"), name) {
        Ok(function) => return Ok(function),
        Err(error) => error,
    };
    let as_chunk = match load(lua, code, name) {
        Ok(function) => return Ok(function),
        Err(error) => error,
    };
    let expression_meant = code
        .trim_start()
        .strip_prefix("function")
        .is_some_and(|rest| rest.trim_start().starts_with('('));
    Err(if expression_meant { as_expression } else { as_chunk })
}

fn load(lua: &Lua, text: &str, name: &str) -> Result<Function, LuaSyntaxError> {
    let chunk = lua.load(text).set_name(format!("={name}")).set_mode(ChunkMode::Text);
    chunk.into_function().map_err(|error| {
        let text = match &error {
            mlua::Error::SyntaxError { message, .. } => message.clone(),
            other => other.to_string(),
        };
        let (line, message) = split_place(&text, name).unwrap_or((1, &text));
        LuaSyntaxError { message: message.to_owned(), line }
    })
}

/// Splits `name:3: what` into the line and the rest.
pub(super) fn split_place<'a>(text: &'a str, name: &str) -> Option<(usize, &'a str)> {
    let (line, message) = text.strip_prefix(name)?.strip_prefix(':')?.split_once(':')?;
    Some((line.parse().ok()?, message.strip_prefix(' ').unwrap_or(message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str, expected: Result<(), usize>) {
        assert_eq!(check_syntax(code).map_err(|error| error.line), expected, "{code}");
    }

    #[test]
    fn expressions_chunks_and_mistakes() {
        check("function(line) return #line end", Ok(()));
        check("function(line) return 1 end -- a comment", Ok(()));
        check("local n = 0\nreturn function() n = n + 1 return n end", Ok(()));
        check("function(line)\n  return +\nend", Err(2));
        check("function(line) return 1", Err(1));
        check("local x = 1\nlocal = 2\nreturn function() end", Err(2));
        check("\x1bLJ\x02\x00", Err(1));
        check("", Ok(()));
    }
}
