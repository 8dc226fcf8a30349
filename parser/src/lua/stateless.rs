//! Whether a Lua function can remember anything from one call to the next.

use std::ops::Range;

use logos::Logos;

use super::lexer::LuaToken;

/// Names by which a function could keep or draw on state without an assignment.
const STATEFUL_NAMES: [&str; 9] = [
    "_G",
    "rawset",
    "setmetatable",
    "getmetatable",
    "table",
    "coroutine",
    "emit",
    "random",
    "randomseed",
];

/// Whether calls of the function that `code` is cannot influence each other, as far as its text
/// shows: it is an expression, so that nothing is around the function; it assigns to nothing but
/// new locals; and it names nothing that could keep state. `false` where in doubt.
pub fn is_stateless(code: &str) -> bool {
    let tokens: Option<Vec<(LuaToken, Range<usize>)>> =
        LuaToken::lexer(code).spanned().map(|(token, range)| Some((token.ok()?, range))).collect();
    let Some(tokens) = tokens else { return false };
    let text = |at: usize| tokens.get(at).map_or("", |(_, range)| &code[range.clone()]);
    if text(0) != "function" || text(1) != "(" {
        return false;
    }
    (0..tokens.len()).all(|at| match (tokens[at].0, text(at)) {
        (LuaToken::Name, name) => !STATEFUL_NAMES.contains(&name),
        // `math['random']`: a text may be a name.
        (LuaToken::String, text) => !STATEFUL_NAMES.iter().any(|name| text.contains(name)),
        (LuaToken::Function, _) => text(at + 1) == "(" || text(at.wrapping_sub(1)) == "local",
        (LuaToken::Symbol, "=") => makes_locals(at, &text),
        _ => true,
    })
}

/// Whether the `=` at this token belongs to `local a, b = …` or `for i = …`.
fn makes_locals<'a>(mut at: usize, text: &impl Fn(usize) -> &'a str) -> bool {
    while at >= 2 {
        match text(at - 2) {
            "local" | "for" => return true,
            "," => at -= 2,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sees_state() {
        let check = |code: &str, expected: bool| assert_eq!(is_stateless(code), expected, "{code}");
        check("function(line) return line:find('x', 1, true) end", true);
        check("function(a, b) local c, d = a, b for i = 1, 2 do end return c == d end", true);
        check("function(a) local function f(x) return x end return f(a) end", true);
        check("-- a = 1\nfunction(a) return a == '=' end", true);
        check("function(a) seen = a return true end", false);
        check("function(a) local t = {} t[1] = a return t end", false);
        check("function(a) local b b = a return b end", false);
        check("function(a) function f() end return f end", false);
        check("function(a) rawset(string, 'x', a) return true end", false);
        check("function() return math.random() < 0.5 end", false);
        check("function() return math['random']() < 0.5 end", false);
        check("function(a) return _G['raw' .. 'set'](a) end", false);
        check("local n = 0 return function() return n end", false);
        check("function(a", true);
        check("string.len", false);
        check("function(a) return 'x", false);
        check("", false);
    }
}
