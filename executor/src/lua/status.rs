//! What the Lua of a child is, in one line.

use std::io::Write;
use std::process::ExitCode;

use mlua::{Lua, LuaOptions, StdLib};

const ASK: &str = r#"
  local facts = { jit.status() }
  return jit.version .. (facts[1] and ', compiler on' or ', compiler OFF'), facts[1]
"#;

/// Writes it to standard output; a failure where Lua does not work or does not compile.
pub fn tell() -> ExitCode {
    match status() {
        Ok((text, is_on)) => {
            let written = writeln!(std::io::stdout(), "{text}");
            if written.is_ok() && is_on { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

fn status() -> mlua::Result<(String, bool)> {
    let lua = Lua::new_with(StdLib::JIT, LuaOptions::new())?;
    lua.load(ASK).eval()
}
