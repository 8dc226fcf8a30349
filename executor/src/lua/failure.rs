//! A failing call of the user's function, as both sides tell it.

use mlua::Table;
use serde::{Deserialize, Serialize};

use super::compile::split_place;
use super::program::LuaProgram;

/// Most bytes of an argument that a message shows.
const SHOWN_BYTES: usize = 80;

/// Globals of plain Lua that the sandbox does not have, and what to say about them.
const ABSENT: &[(&str, &str)] = &[
    ("print", "there is no print: standard output carries the rows; return the value instead"),
    ("io", "there is no io: a Lua operator sees only its arguments; PIPE runs programs"),
    ("os", "there is no os: times are plain seconds; PIPE runs programs"),
    ("require", "there is no require: put helper functions above `return function`"),
    ("package", "there is no package: put helper functions above `return function`"),
    ("load", "there is no load: code cannot be made while rows run"),
    ("loadstring", "there is no loadstring: code cannot be made while rows run"),
    ("dofile", "there is no dofile: put the code into the statement"),
    ("debug", "there is no debug library here"),
    ("ffi", "there is no ffi here"),
    ("jit", "there is no jit library here; the code is compiled anyway"),
    ("emit", "emit is there in FLATMAP only; MAP returns the columns of its one row"),
];

/// Why and where the user's code failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The index of the step in the program.
    pub step: usize,
    /// The row within the input batch; none if the code failed before the first row.
    pub row: Option<usize>,
    /// What happened, with the place in front where Lua gives one: `MAP LUA:3: attempt to …`.
    pub message: String,
    /// The line of the step's code, from 1; none where the function had returned by then and has
    /// several lines: a value that does not fit, an error in a function that it tail-called.
    pub lua_line: Option<usize>,
    /// The arguments of the call, such as `line = "66.249…" (string, 83 bytes)`.
    pub arguments: Vec<String>,
    /// What to do, where that is known.
    pub hint: Option<String>,
}

/// What ON ERROR NULL or SKIP let pass in one step and one batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tolerated {
    /// The index of the step in the program.
    pub step: usize,
    /// The rows that the step was called for.
    pub rows: u64,
    /// Those of them with an error.
    pub errors: u64,
    /// The first few of these.
    pub samples: Vec<Failure>,
}

impl Failure {
    /// A failure before any row: the code does not compile, or gives no function.
    pub(super) fn at_start(step: usize, message: String, lua_line: Option<usize>) -> Self {
        let hint = hint(&message);
        Self { step, row: None, message, lua_line, arguments: Vec::new(), hint }
    }

    /// Reads what `capture` in host/failures.lua recorded.
    pub(super) fn from_lua(program: &LuaProgram, recorded: &Table) -> mlua::Result<Self> {
        let step: usize = recorded.get("step")?;
        let message: mlua::LuaString = recorded.get("message")?;
        let message = message.to_string_lossy();
        let line: Option<usize> = recorded.get("line")?;
        let parsed = split_place(&message, &program.steps[step].chunk_name).map(|(line, _)| line);
        Ok(Self {
            step,
            row: Some(recorded.get("row")?),
            lua_line: line.or(parsed),
            arguments: arguments(program, step, &recorded.get("arguments")?)?,
            hint: hint(&message),
            message,
        })
    }
}

fn arguments(program: &LuaProgram, step: usize, rendered: &Table) -> mlua::Result<Vec<String>> {
    let columns = program.columns_before(step);
    let mut arguments = Vec::new();
    for (arg, entry) in
        program.steps[step].function_args().iter().zip(rendered.sequence_values::<Table>())
    {
        let (entry, name) = (entry?, &columns[*arg].name);
        let kind: String = entry.get("type")?;
        let text: mlua::LuaString = entry.get("text")?;
        arguments.push(match kind.as_str() {
            "string" => {
                let bytes: usize = entry.get("bytes")?;
                format!("{name} = \"{}\" (string, {bytes} bytes)", clip(&text.as_bytes(), bytes))
            }
            "nil" => format!("{name} = nil"),
            "table" => format!("{name} = a table"),
            _ => format!("{name} = {} ({kind})", text.to_string_lossy()),
        });
    }
    Ok(arguments)
}

/// The first bytes of a string, made printable; `bytes` is the length of the whole.
fn clip(start: &[u8], bytes: usize) -> String {
    let shown = &start[..start.len().min(SHOWN_BYTES)];
    let mut text = String::from_utf8_lossy(shown).into_owned();
    if bytes > shown.len() {
        // A character cut in half at the end is no part of what is shown.
        text.truncate(text.trim_end_matches('\u{fffd}').len());
        text.push('…');
    }
    text.chars().flat_map(printable).collect()
}

fn printable(character: char) -> Vec<char> {
    match character {
        '"' | '\\' => vec!['\\', character],
        _ if character.is_control() => character.escape_default().collect(),
        _ => vec![character],
    }
}

fn hint(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("global '")?;
    let (name, rest) = rest.split_once('\'')?;
    if !rest.contains("nil value") {
        return None;
    }
    ABSENT.iter().find(|(absent, _)| *absent == name).map(|(_, hint)| (*hint).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_clipped_between_characters() {
        let long = "é".repeat(50);
        assert_eq!(clip(long.as_bytes(), 100), format!("{}…", "é".repeat(40)));
        assert_eq!(clip("a\"b\n".as_bytes(), 4), "a\\\"b\\n");
        let odd = format!("x{long}");
        assert_eq!(clip(odd.as_bytes(), 101), format!("x{}…", "é".repeat(39)));
    }

    #[test]
    fn absent_globals_have_hints() {
        assert!(hint("MAP LUA:1: attempt to call global 'print' (a nil value)").is_some());
        assert!(hint("MAP LUA:1: attempt to call global 'mine' (a nil value)").is_none());
    }
}
