//! The Lua and the shell inside statements, cut into pieces for a prompt to colour.

use std::ops::Range;

use logos::Logos;

use crate::lexer::{DollarForm, Lexeme, LexemeKind, lex};
use crate::lua::LuaToken;

/// What a piece of a program is, to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeClass {
    /// A word of the program's language.
    Keyword,
    /// A quoted text.
    String,
    /// A number of Lua, a variable of the shell.
    Value,
    /// A comment.
    Comment,
    /// What joins the commands of a shell.
    Operator,
}

/// Words of the shell that are no commands.
const SHELL_WORDS: &[&str] = &[
    "case", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in", "select",
    "then", "until", "while",
];

/// The pieces inside the programs of a text, in order; what has no class is left out. Quotes in
/// quotes are read as they are written, `''` as an empty string.
pub fn highlight_code(text: &str) -> Vec<(Range<usize>, CodeClass)> {
    let mut pieces = Vec::new();
    let mut before: [String; 2] = Default::default();
    let mut makes_lua_function = false;
    for lexeme in lex(text).filter(|lexeme| lexeme.kind.is_significant()) {
        let word = text[lexeme.range.clone()].to_uppercase();
        match lexeme.kind {
            LexemeKind::Semicolon => makes_lua_function = false,
            LexemeKind::Word => {
                makes_lua_function |= word == "LUA" && before[1] == "LANGUAGE";
            }
            _ => {}
        }
        if let Some(inside) = inside(text, &lexeme) {
            match before[1].as_str() {
                "LUA" => lua(text, inside, &mut pieces),
                "AS" if makes_lua_function => lua(text, inside, &mut pieces),
                "PIPE" => shell(text, inside, &mut pieces),
                _ => {}
            }
        }
        before = [std::mem::take(&mut before[1]), word];
    }
    pieces
}

/// A quoted text without its quotes.
fn inside(text: &str, lexeme: &Lexeme) -> Option<Range<usize>> {
    let Range { start, end } = lexeme.range.clone();
    let written = &text[start..end];
    let (mark, is_open) = match lexeme.kind {
        LexemeKind::String(_) if written.starts_with('\'') => ("'", lexeme.kind.is_open()),
        LexemeKind::Dollar(DollarForm::Quoted(_)) => {
            let tag_end = written[1..].find('$')? + 2;
            (&written[..tag_end], lexeme.kind.is_open())
        }
        _ => return None,
    };
    let end = if is_open { end } else { end - mark.len() };
    (start + mark.len() <= end).then(|| start + mark.len()..end)
}

fn lua(text: &str, inside: Range<usize>, pieces: &mut Vec<(Range<usize>, CodeClass)>) {
    let mut end = inside.start;
    for (token, range) in LuaToken::lexer(&text[inside.clone()]).spanned() {
        let range = range.start + inside.start..range.end + inside.start;
        comment(text, end..range.start, pieces);
        end = range.end;
        let class = match token {
            Ok(token) if token.is_word() => CodeClass::Keyword,
            Ok(LuaToken::String) => CodeClass::String,
            Ok(LuaToken::Number) => CodeClass::Value,
            Err(()) if text[range.clone()].starts_with("--") => CodeClass::Comment,
            _ => continue,
        };
        pieces.push((range, class));
    }
    comment(text, end..inside.end, pieces);
}

/// What the lexer of Lua skips is blanks and comments.
fn comment(text: &str, gap: Range<usize>, pieces: &mut Vec<(Range<usize>, CodeClass)>) {
    if let Some(at) = text[gap.clone()].find("--") {
        pieces.push((gap.start + at..gap.end, CodeClass::Comment));
    }
}

#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
#[logos(skip r"[ \t\r\n]+")]
enum ShellToken {
    #[regex(r#""([^"\\]|\\[\s\S])*"?"#)]
    #[regex(r"'[^']*'?")]
    String,
    #[regex(r"\$[A-Za-z0-9_@#*?!]+")]
    #[regex(r"\$\{[^}]*\}?")]
    Variable,
    #[regex(r"#[^\n]*", allow_greedy = true)]
    Comment,
    #[regex(r"[|&;<>]+")]
    Operator,
    #[regex(r#"([^ \t\r\n"'$#|&;<>\\]|\\[\s\S]|\\)([^ \t\r\n"'$|&;<>\\]|\\[\s\S])*"#)]
    #[token("$")]
    Word,
}

fn shell(text: &str, inside: Range<usize>, pieces: &mut Vec<(Range<usize>, CodeClass)>) {
    for (token, range) in ShellToken::lexer(&text[inside.clone()]).spanned() {
        let range = range.start + inside.start..range.end + inside.start;
        let class = match token {
            Ok(ShellToken::String) => CodeClass::String,
            Ok(ShellToken::Variable) => CodeClass::Value,
            Ok(ShellToken::Comment) => CodeClass::Comment,
            Ok(ShellToken::Operator) => CodeClass::Operator,
            Ok(ShellToken::Word) if SHELL_WORDS.contains(&&text[range.clone()]) => {
                CodeClass::Keyword
            }
            Ok(ShellToken::Word) | Err(()) => continue,
        };
        pieces.push((range, class));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, CodeClass)]) {
        let found: Vec<(&str, CodeClass)> =
            highlight_code(text).into_iter().map(|(range, class)| (&text[range], class)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn programs_by_their_language() {
        use CodeClass::{Comment, Keyword, Operator, String, Value};
        check(
            "FROM 'return' |> MAP LUA $$ function(line) -- why\n return #line + 1, \"a\" end $$ AS (n)",
            &[
                ("function", Keyword),
                ("-- why\n ", Comment),
                ("return", Keyword),
                ("1", Value),
                ("\"a\"", String),
                ("end", Keyword),
            ],
        );
        check(
            "FROM 'x' PIPE 'grep -v \"a b\" | while read $x; do # all",
            &[
                ("\"a b\"", String),
                ("|", Operator),
                ("while", Keyword),
                ("$x", Value),
                (";", Operator),
                ("do", Keyword),
                ("# all", Comment),
            ],
        );
        check(
            "CREATE FUNCTION f(a TEXT) RETURNS TEXT LANGUAGE LUA AS 'return'",
            &[("return", Keyword)],
        );
        check("SELECT 'return' AS \"end\", 1 AS 'x'", &[]);
        check("FROM 'x' |> MAP LUA '", &[]);
        check("FROM 'x' |> MAP LUA '--", &[("--", Comment)]);
        check("FROM 'x' |> MAP LUA $a", &[]);
        check("FROM 'x' |> MAP LUA $a$", &[]);
    }
}
