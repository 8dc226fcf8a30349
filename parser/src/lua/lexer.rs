//! Lexemes of Lua 5.1, as LuaJIT reads them.

use logos::{Lexer, Logos};

/// A lexeme of Lua; blanks and comments are skipped.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
#[logos(skip r"[ \t\r\n\x0B\x0C]+")]
pub(crate) enum LuaToken {
    #[token("--", comment)]
    Comment,
    #[token("and")]
    #[token("break")]
    #[token("false")]
    #[token("in")]
    #[token("local")]
    #[token("nil")]
    #[token("not")]
    #[token("or")]
    #[token("true")]
    #[token("goto")]
    #[token("else")]
    #[token("elseif")]
    Keyword,
    #[token("function")]
    Function,
    #[token("return")]
    Return,
    #[token("do")]
    Do,
    #[token("while")]
    While,
    #[token("for")]
    For,
    #[token("if")]
    If,
    #[token("then")]
    Then,
    #[token("repeat")]
    Repeat,
    #[token("until")]
    Until,
    #[token("end")]
    End,
    #[regex(r"[\p{Alphabetic}_][\p{Alphabetic}0-9_]*", priority = 1)]
    Name,
    #[regex(r"0[xX][0-9a-fA-F]*(\.[0-9a-fA-F]*)?([pP][+-]?[0-9]+)?[uUlLiI]*")]
    #[regex(r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?[uUlLiI]*")]
    #[regex(r"\.[0-9]+([eE][+-]?[0-9]+)?[iI]?")]
    Number,
    #[token("'", |lexer| quoted(lexer, '\''))]
    #[token("\"", |lexer| quoted(lexer, '"'))]
    #[regex(r"\[=*\[", long_string)]
    String,
    #[token("(")]
    Open,
    #[token(")")]
    Close,
    #[token("[")]
    #[token("{")]
    OpenBracket,
    #[token("]")]
    #[token("}")]
    CloseBracket,
    #[token(",")]
    Comma,
    #[token(";")]
    Semicolon,
    #[token("...")]
    Vararg,
    #[regex(r"[-+*/%^#=<>~:.&|!]", priority = 1)]
    #[token("..")]
    #[token("==")]
    #[token("~=")]
    #[token("<=")]
    #[token(">=")]
    #[token("::")]
    Symbol,
}

impl LuaToken {
    /// Whether it is a word of the language.
    pub(crate) fn is_word(self) -> bool {
        matches!(
            self,
            Self::Keyword
                | Self::Function
                | Self::Return
                | Self::Do
                | Self::While
                | Self::For
                | Self::If
                | Self::Then
                | Self::Repeat
                | Self::Until
                | Self::End
        )
    }
}

/// A string on one line; a backslash keeps the next character in it, a line end included.
fn quoted(lexer: &mut Lexer<'_, LuaToken>, quote: char) -> bool {
    let mut characters = lexer.remainder().char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '\n' => break,
            _ if character == quote => {
                lexer.bump(at + character.len_utf8());
                return true;
            }
            _ => {}
        }
    }
    lexer.bump(lexer.remainder().len());
    false
}

/// `[==[ … ]==]`; false where it never ends.
fn long_string(lexer: &mut Lexer<'_, LuaToken>) -> bool {
    let level = lexer.slice().len() - 2;
    let end_mark = format!("]{}]", "=".repeat(level));
    let rest = lexer.remainder();
    let end = rest.find(&end_mark).map(|at| at + end_mark.len());
    lexer.bump(end.unwrap_or(rest.len()));
    end.is_some()
}

/// To the end of the line, or of the long bracket that begins right after the dashes.
fn comment(lexer: &mut Lexer<'_, LuaToken>) -> logos::FilterResult<(), ()> {
    let rest = lexer.remainder();
    if let Some(inner) = rest.strip_prefix('[') {
        let level = inner.bytes().take_while(|byte| *byte == b'=').count();
        if inner[level..].starts_with('[') {
            let end_mark = format!("]{}]", "=".repeat(level));
            return match rest.find(&end_mark) {
                Some(at) => {
                    lexer.bump(at + end_mark.len());
                    logos::FilterResult::Skip
                }
                None => {
                    lexer.bump(rest.len());
                    logos::FilterResult::Error(())
                }
            };
        }
    }
    lexer.bump(rest.find('\n').unwrap_or(rest.len()));
    logos::FilterResult::Skip
}
