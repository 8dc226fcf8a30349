//! The one lexer: splitting, highlighting and "is it finished?" all read its lexemes.
//!
//! It knows where text is quoted and where it is a comment, as sqlparser's tokenizer does for the
//! same dialect, and nothing about grammar.
//!
//! **Invariant:** lexemes cover the text without gap or overlap, for every input.

use std::ops::Range;

use logos::{Lexer, Logos};

/// A piece of text with its kind and byte range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lexeme {
    pub(crate) kind: LexemeKind,
    pub(crate) range: Range<usize>,
}

/// Whether a quoted text or a comment reaches its end mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Closed,
    Open,
}

/// What a lexeme is.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LexemeKind {
    #[regex(r"[\s\u{FEFF}]+")]
    Whitespace,
    #[regex(r"--[^\n]*", allow_greedy = true)]
    LineComment,
    #[token("/*", block_comment)]
    BlockComment(Ending),
    #[token("'", |lexer| quoted(lexer, '\'', Backslash::Plain))]
    #[regex(r"[nN]'", |lexer| quoted(lexer, '\'', Backslash::Plain))]
    #[regex(r"[bB]'", |lexer| quoted(lexer, '\'', Backslash::Plain))]
    #[regex(r"[xXeE]'", |lexer| quoted(lexer, '\'', Backslash::Escapes))]
    #[regex(r"[uU]&'", |lexer| quoted(lexer, '\'', Backslash::Plain))]
    #[regex(r#"[bB]""#, |lexer| quoted(lexer, '"', Backslash::Plain))]
    #[regex(r#"[rR]['"]"#, raw_string)]
    #[regex(r"[nN]?[qQ]'", delimited_string)]
    String(Ending),
    #[token("$", dollar_string)]
    Dollar(DollarForm),
    #[token("\"", |lexer| quoted(lexer, '"', Backslash::Plain))]
    #[token("`", |lexer| quoted(lexer, '`', Backslash::Plain))]
    QuotedIdentifier(Ending),
    #[regex(r"[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?L?")]
    #[regex(r"\.[0-9]+([eE][+-]?[0-9]+)?L?")]
    #[regex(r"0x[0-9a-fA-F]*")]
    Number,
    #[regex(r"[\p{Alphabetic}_][\p{Alphabetic}0-9@$#_]*")]
    // sqlparser takes whatever stands behind `#` and `@` into the word, save for a few characters.
    #[regex(r"#[^\-> ][\p{Alphabetic}0-9@$#_]*")]
    #[regex(r#"@[^>? '"`@][\p{Alphabetic}0-9@$#_]*"#)]
    #[regex(r"@@[^ ][\p{Alphabetic}0-9@$#_]*")]
    Word,
    #[token(";")]
    Semicolon,
    #[token("|>")]
    Pipe,
    #[token("(")]
    #[token("[")]
    #[token("{")]
    Open,
    #[token(")")]
    #[token("]")]
    #[token("}")]
    Close,
    // Symbols of several characters are listed only where their tail could be read as a quote or
    // a comment on its own.
    #[token("|/")]
    #[token("||")]
    #[token("||/")]
    #[token("//")]
    #[token("->")]
    #[token("<@")]
    #[token("^@")]
    #[token("#")]
    #[token("#-")]
    #[token("@")]
    #[token("@@")]
    #[regex(r"[,.:=<>+\-*/%|&^!~?\\]", priority = 1)]
    Symbol,
    /// A character that no token begins with.
    Unknown,
}

/// The three things that `$` can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DollarForm {
    /// `$1`, `$name`.
    Placeholder,
    /// `$$…$$` or `$tag$…$tag$`.
    Quoted(Ending),
}

/// Cuts the whole text into lexemes. A first line that begins with `#!` is a comment.
pub(crate) fn lex(text: &str) -> impl Iterator<Item = Lexeme> + '_ {
    let shebang_bytes = shebang_bytes(text);
    let shebang = (shebang_bytes > 0)
        .then_some(Lexeme { kind: LexemeKind::LineComment, range: 0..shebang_bytes });
    let rest = LexemeKind::lexer(&text[shebang_bytes..]).spanned().map(move |(kind, range)| {
        let range = range.start + shebang_bytes..range.end + shebang_bytes;
        Lexeme { kind: kind.unwrap_or(LexemeKind::Unknown), range }
    });
    shebang.into_iter().chain(rest)
}

impl LexemeKind {
    /// Neither blank nor comment: something a statement is made of.
    pub(crate) fn is_significant(self) -> bool {
        !matches!(self, Self::Whitespace | Self::LineComment | Self::BlockComment(_))
    }

    /// A quote or comment that the text ends in.
    pub(crate) fn is_open(self) -> bool {
        matches!(
            self,
            Self::BlockComment(Ending::Open)
                | Self::String(Ending::Open)
                | Self::QuotedIdentifier(Ending::Open)
                | Self::Dollar(DollarForm::Quoted(Ending::Open))
        )
    }
}

fn shebang_bytes(text: &str) -> usize {
    let mark = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    if !text[mark..].starts_with("#!") {
        return 0;
    }
    text.find('\n').unwrap_or(text.len())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Backslash {
    Plain,
    Escapes,
}

/// Reads to the closing quote; a doubled quote stands for itself.
fn quoted(lexer: &mut Lexer<'_, LexemeKind>, quote: char, backslash: Backslash) -> Ending {
    let rest = lexer.remainder();
    let mut characters = rest.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        if character == '\\' && backslash == Backslash::Escapes {
            characters.next();
        } else if character == quote && characters.next_if(|(_, next)| *next == quote).is_none() {
            lexer.bump(at + quote.len_utf8());
            return Ending::Closed;
        }
    }
    lexer.bump(rest.len());
    Ending::Open
}

/// `R'…'`, `R"…"` and their tripled forms.
fn raw_string(lexer: &mut Lexer<'_, LexemeKind>) -> Ending {
    let (quote, tripled) =
        if lexer.slice().ends_with('"') { ('"', "\"\"\"") } else { ('\'', "'''") };
    if !lexer.remainder().starts_with(&tripled[1..]) {
        return quoted(lexer, quote, Backslash::Plain);
    }
    until(lexer, tripled.len() - 1, tripled)
}

/// Oracle's `q'[…]'`: the character after the quote, or its bracket partner, closes.
fn delimited_string(lexer: &mut Lexer<'_, LexemeKind>) -> Ending {
    let Some(opening) = lexer.remainder().chars().next() else {
        return Ending::Open;
    };
    let closing = match opening {
        '[' => ']',
        '{' => '}',
        '<' => '>',
        '(' => ')',
        other => other,
    };
    until(lexer, opening.len_utf8(), &format!("{closing}'"))
}

fn dollar_string(lexer: &mut Lexer<'_, LexemeKind>) -> DollarForm {
    let rest = lexer.remainder();
    let tag_bytes = rest
        .find(|character: char| !character.is_alphanumeric() && character != '_')
        .unwrap_or(rest.len());
    if !rest[tag_bytes..].starts_with('$') {
        lexer.bump(tag_bytes);
        return DollarForm::Placeholder;
    }
    let end_mark = format!("${}$", &rest[..tag_bytes]);
    DollarForm::Quoted(until(lexer, tag_bytes + 1, &end_mark))
}

/// Skips `skip` bytes and reads to the end of the next `end_mark`.
fn until(lexer: &mut Lexer<'_, LexemeKind>, skip: usize, end_mark: &str) -> Ending {
    let rest = lexer.remainder();
    match rest[skip..].find(end_mark) {
        Some(at) => {
            lexer.bump(skip + at + end_mark.len());
            Ending::Closed
        }
        None => {
            lexer.bump(rest.len());
            Ending::Open
        }
    }
}

/// Block comments nest.
fn block_comment(lexer: &mut Lexer<'_, LexemeKind>) -> Ending {
    let rest = lexer.remainder().as_bytes();
    let (mut depth, mut at) = (1_usize, 0);
    while at + 1 < rest.len() {
        match &rest[at..at + 2] {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
            }
            _ => at += 1,
        }
        if depth == 0 {
            lexer.bump(at);
            return Ending::Closed;
        }
    }
    lexer.bump(rest.len());
    Ending::Open
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sqlparser::dialect::GenericDialect;
    use sqlparser::tokenizer::{Token, Tokenizer};

    use super::*;

    /// The places of `;` that are not quoted, according to sqlparser; none where it gives up.
    fn semicolons_of_sqlparser(text: &str) -> Option<Vec<usize>> {
        let tokens = Tokenizer::new(&GenericDialect, text).tokenize_with_location().ok()?;
        let script = crate::place::Script::new(text);
        Some(
            tokens
                .iter()
                .filter(|token| token.token == Token::SemiColon)
                .map(|token| script.byte(token.span.start))
                .collect(),
        )
    }

    fn check(text: &str) {
        let lexemes: Vec<Lexeme> = lex(text).collect();
        let mut end = 0;
        for lexeme in &lexemes {
            assert_eq!(lexeme.range.start, end, "{lexemes:?}");
            end = lexeme.range.end;
        }
        assert_eq!(end, text.len());
        let semicolons: Vec<usize> = lexemes
            .iter()
            .filter(|lexeme| lexeme.kind == LexemeKind::Semicolon)
            .map(|lexeme| lexeme.range.start)
            .collect();
        let is_open = lexemes.iter().any(|lexeme| lexeme.kind.is_open());
        if let (Some(expected), false) = (semicolons_of_sqlparser(text), is_open) {
            assert_eq!(semicolons, expected, "{text:?} {lexemes:?}");
        }
    }

    #[test]
    fn quotes_end_where_sqlparser_ends_them() {
        for text in [
            "a;'b;''c';d",
            r"E'\';';'",
            r"x'\';' ;",
            "$$;$$;$a$;$$;$a$;",
            "$1;$a;",
            "\"a;\"\"b\";`c;`;",
            "-- ;\n;/* ; /* ; */ ; */;",
            "q'[;']';Nq'x;x';n';';",
            "r'''a;'b;''';R\";\";b';';U&';';",
            "a$$;$$;",
            "1e';';0x';';1.';';",
            "a||/*;*/;|/*;*/;//*;*/;",
            "->--;\n;",
            "a<@;b",
            "a^@;b",
        ] {
            check(text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn lexemes_agree_with_sqlparser(
            text in "(;|'|''|\"|`|\\$|\\$\\$|\\$a\\$|--|/\\*|\\*/|/|\\*|-|>|<|\\||&|\n|a|e|E|n|N|q|Q|b|r|x|U&|\\[|\\]|1|0x|\\.|_| |#|@|\\\\|=|!|~|\\?|\\^|:|%|é|日){0,24}"
        ) {
            // The line that names an interpreter is ours alone.
            prop_assume!(!text.starts_with("#!"));
            check(&text);
        }
    }
}
