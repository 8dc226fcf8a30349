//! The parameter list of the function that a Lua program evaluates to.

use std::ops::Range;

use logos::Logos;

use super::lexer::LuaToken;

/// The parameters of a Lua function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// The named ones, in order.
    pub list: Vec<Parameter>,
    /// Whether `...` follows them.
    pub vararg: bool,
}

impl Parameters {
    /// The names, in order.
    pub fn names(&self) -> Vec<String> {
        self.list.iter().map(|parameter| parameter.name.clone()).collect()
    }
}

/// A named parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Its first byte in the program.
    pub offset: usize,
    /// Its line in the program, from 1.
    pub line: usize,
}

/// Why no parameter list was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}; write a function such as function(line) return … end")]
pub struct ParametersError {
    /// The fact.
    pub message: String,
    /// The place in the program, in bytes.
    pub offset: usize,
    /// The line of that place, from 1.
    pub line: usize,
}

/// Finds the parameters of the function that the program is: an expression `function(…) … end`,
/// or a chunk that ends with the statement `return function(…) … end`.
pub fn parameters(code: &str) -> Result<Parameters, ParametersError> {
    let tokens = tokenise(code)?;
    let Some((first, first_range)) = tokens.first() else {
        return Err(error(code, "the Lua code is empty", 0));
    };
    let start = match first {
        LuaToken::Function if tokens.get(1).is_some_and(|(token, _)| *token == LuaToken::Open) => 0,
        _ => returned_function(code, &tokens)?
            .ok_or_else(|| error(code, "the Lua code is not a function", first_range.start))?,
    };
    let end = block_end(code, &tokens, start)?;
    if let Some((token, range)) = tokens.get(end + 1) {
        let is_last = *token == LuaToken::Semicolon && end + 2 == tokens.len() && start > 0;
        if !is_last {
            return Err(error(code, "something follows the end of the Lua function", range.start));
        }
    }
    parameter_list(code, &tokens, start + 1)
}

type Tokens = [(LuaToken, Range<usize>)];

fn tokenise(code: &str) -> Result<Vec<(LuaToken, Range<usize>)>, ParametersError> {
    LuaToken::lexer(code)
        .spanned()
        .map(|(token, range)| match token {
            Ok(token) => Ok((token, range)),
            Err(()) => {
                let message = match code.as_bytes().get(range.start) {
                    Some(b'\'' | b'"' | b'[') => "this Lua string never ends",
                    Some(b'-') => "this Lua comment never ends",
                    _ => "this character is not Lua",
                };
                Err(error(code, message, range.start))
            }
        })
        .collect()
}

/// The `function` of the `return function` that is the last statement on the top level.
fn returned_function(code: &str, tokens: &Tokens) -> Result<Option<usize>, ParametersError> {
    let mut at = 0;
    while let Some((token, _)) = tokens.get(at) {
        match token {
            LuaToken::Return => {
                let is_function = matches!(
                    (tokens.get(at + 1), tokens.get(at + 2)),
                    (Some((LuaToken::Function, _)), Some((LuaToken::Open, _)))
                );
                return Ok(is_function.then_some(at + 1));
            }
            LuaToken::Function
            | LuaToken::Do
            | LuaToken::While
            | LuaToken::For
            | LuaToken::If
            | LuaToken::Repeat => at = block_end(code, tokens, at)?,
            _ => {}
        }
        at += 1;
    }
    Ok(None)
}

/// The `end` (or `until`) of the block that begins at `start`.
fn block_end(code: &str, tokens: &Tokens, start: usize) -> Result<usize, ParametersError> {
    // The `do` of `while` and `for` opens no block of its own.
    let mut open: Vec<LuaToken> = Vec::new();
    for (at, (token, range)) in tokens.iter().enumerate().skip(start) {
        match token {
            LuaToken::Do if matches!(open.last(), Some(LuaToken::While | LuaToken::For)) => {
                open.pop();
                open.push(LuaToken::Do);
            }
            LuaToken::Function
            | LuaToken::Do
            | LuaToken::While
            | LuaToken::For
            | LuaToken::If
            | LuaToken::Repeat => open.push(*token),
            LuaToken::End | LuaToken::Until => {
                let opening = open.pop();
                if (opening == Some(LuaToken::Repeat)) != (*token == LuaToken::Until) {
                    return Err(error(
                        code,
                        "this does not end the Lua block it stands in",
                        range.start,
                    ));
                }
            }
            _ => {}
        }
        if open.is_empty() {
            return Ok(at);
        }
    }
    let offset = tokens.get(start).map_or(0, |(_, range)| range.start);
    Err(error(code, "this Lua block has no end", offset))
}

/// Reads `(a, b, ...)` from its opening parenthesis.
fn parameter_list(code: &str, tokens: &Tokens, open: usize) -> Result<Parameters, ParametersError> {
    let mut found = Parameters { list: Vec::new(), vararg: false };
    let mut at = open + 1;
    if matches!(tokens.get(at), Some((LuaToken::Close, _))) {
        return Ok(found);
    }
    loop {
        match tokens.get(at) {
            Some((LuaToken::Name, range)) => found.list.push(Parameter {
                name: code[range.clone()].to_string(),
                offset: range.start,
                line: line_of(code, range.start),
            }),
            Some((LuaToken::Vararg, _)) => found.vararg = true,
            other => return Err(unexpected_parameter(code, other)),
        }
        match tokens.get(at + 1) {
            Some((LuaToken::Close, _)) => return Ok(found),
            Some((LuaToken::Comma, _)) if !found.vararg => at += 2,
            other => return Err(unexpected_parameter(code, other)),
        }
    }
}

fn unexpected_parameter(code: &str, token: Option<&(LuaToken, Range<usize>)>) -> ParametersError {
    let offset = token.map_or(code.len(), |(_, range)| range.start);
    error(code, "this is not a list of Lua parameters", offset)
}

fn error(code: &str, message: &str, offset: usize) -> ParametersError {
    ParametersError { message: message.to_string(), offset, line: line_of(code, offset) }
}

fn line_of(code: &str, offset: usize) -> usize {
    code[..offset].matches('\n').count() + 1
}
