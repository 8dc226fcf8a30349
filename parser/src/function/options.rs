//! The clauses behind a function's parameters, in any order.

use sqlparser::ast::{DataType, FunctionBehavior, FunctionCalledOnNull, Ident};
use sqlparser::tokenizer::{Span, Token};

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::hint;
use crate::tokens::Tokens;

const WORDS: &[&str] =
    &["RETURNS", "LANGUAGE", "AS", "IMMUTABLE", "STABLE", "VOLATILE", "STRICT", "CALLED"];
/// What PostgreSQL and others have in this place.
const UNSUPPORTED: &[&str] = &[
    "PARALLEL",
    "SET",
    "USING",
    "SECURITY",
    "EXTERNAL",
    "COST",
    "ROWS",
    "SUPPORT",
    "TRANSFORM",
    "WINDOW",
    "LEAKPROOF",
    "NOT",
    "OPTIONS",
    "WITH",
    "DETERMINISTIC",
    "HANDLER",
    "PACKAGES",
    "REMOTE",
];

/// What the clauses say.
#[derive(Default)]
pub(super) struct Options {
    pub(super) returns: Option<(DataType, Span)>,
    pub(super) language: Option<Ident>,
    /// The index of the code.
    pub(super) code: Option<usize>,
    pub(super) behavior: Option<FunctionBehavior>,
    pub(super) null_input: Option<FunctionCalledOnNull>,
}

/// Whether the word at `at` begins one of the clauses.
pub(super) fn begins_option(tokens: &Tokens<'_>, at: usize) -> bool {
    tokens.word(at).is_some_and(|word| WORDS.contains(&word.as_str()))
}

impl Cutter<'_, '_> {
    /// Reads all clauses from `at` to the end of the statement.
    pub(super) fn options(&self, at: usize) -> Result<Options, Diagnostic> {
        let mut options = Options::default();
        let mut next = at;
        while next < self.tokens.len() {
            next = self.option(next, &mut options)?;
        }
        Ok(options)
    }

    /// Reads one clause; the token behind it.
    fn option(&self, at: usize, options: &mut Options) -> Result<usize, Diagnostic> {
        let tokens = self.tokens;
        let words = |from: usize, words: &[&str]| {
            words.iter().zip(from..).all(|(word, index)| tokens.is_word(index, word))
        };
        let once = |name: &str, is_there: bool| match is_there {
            true => Err(Diagnostic::new(format!("{name} is given twice")).at(tokens.span(at))),
            false => Ok(()),
        };
        let refuse_second = |names: &str, is_there: bool| match is_there {
            true => Err(Diagnostic::new(format!("{names} exclude each other")).at(tokens.span(at))),
            false => Ok(()),
        };
        let null_input = |options: &mut Options, value, behind| {
            refuse_second(
                "STRICT, CALLED ON NULL INPUT and RETURNS NULL ON NULL INPUT",
                options.null_input.is_some(),
            )?;
            options.null_input = Some(value);
            Ok(behind)
        };
        let behavior = |options: &mut Options, value| {
            refuse_second("IMMUTABLE, STABLE and VOLATILE", options.behavior.is_some())?;
            options.behavior = Some(value);
            Ok(at + 1)
        };
        match tokens.word(at).as_deref() {
            Some("STRICT") => null_input(options, FunctionCalledOnNull::Strict, at + 1),
            Some("CALLED") if words(at + 1, &["ON", "NULL", "INPUT"]) => {
                null_input(options, FunctionCalledOnNull::CalledOnNullInput, at + 4)
            }
            Some("CALLED") => Err(self.option_words(at, "CALLED ON NULL INPUT")),
            Some("RETURNS") if words(at + 1, &["NULL", "ON", "NULL", "INPUT"]) => {
                null_input(options, FunctionCalledOnNull::ReturnsNullOnNullInput, at + 5)
            }
            Some("RETURNS") if tokens.is_word(at + 1, "NULL") => {
                Err(self.option_words(at, "RETURNS NULL ON NULL INPUT"))
            }
            Some("RETURNS") => {
                once("RETURNS", options.returns.is_some())?;
                let (data_type, span, behind) = self.returns(at)?;
                options.returns = Some((data_type, span));
                Ok(behind)
            }
            Some("IMMUTABLE") => behavior(options, FunctionBehavior::Immutable),
            Some("STABLE") => behavior(options, FunctionBehavior::Stable),
            Some("VOLATILE") => behavior(options, FunctionBehavior::Volatile),
            Some("LANGUAGE") => {
                once("LANGUAGE", options.language.is_some())?;
                options.language = Some(self.language(at)?);
                Ok(at + 2)
            }
            Some("AS") => {
                once("AS", options.code.is_some())?;
                self.check_code(at)?;
                options.code = Some(at + 1);
                Ok(at + 2)
            }
            _ => Err(self.not_an_option(at)),
        }
    }

    /// For the first word that differs from those of a clause.
    fn option_words(&self, at: usize, words: &str) -> Diagnostic {
        let differs = words
            .split(' ')
            .zip(at..)
            .find(|(word, index)| !self.tokens.is_word(*index, word))
            .map_or(at, |(_, index)| index);
        let found = self.tokens.describe(differs);
        Diagnostic::new(format!("expected {words}, found {found}")).at(self.tokens.span(differs))
    }

    fn language(&self, at: usize) -> Result<Ident, Diagnostic> {
        let tokens = self.tokens;
        let name = match tokens.token(at + 1) {
            Some(Token::Word(word)) => word.value.clone(),
            Some(Token::SingleQuotedString(name)) => name.clone(),
            _ => {
                let found = tokens.describe(at + 1);
                return Err(Diagnostic::new(format!("expected LUA after LANGUAGE, found {found}"))
                    .at(tokens.span(at + 1)));
            }
        };
        if !name.eq_ignore_ascii_case("lua") {
            return Err(Diagnostic::new(format!("not supported: LANGUAGE {name}"))
                .at(tokens.span_of(at..at + 2))
                .with_hint("functions are written in Lua: LANGUAGE LUA"));
        }
        Ok(Ident::with_span(tokens.span(at + 1), "LUA"))
    }

    fn check_code(&self, at: usize) -> Result<(), Diagnostic> {
        let tokens = self.tokens;
        if !tokens.is_code(at + 1) {
            let found = tokens.describe(at + 1);
            return Err(Diagnostic::new(format!("AS takes the function in quotes, found {found}"))
                .at(tokens.span(at + 1))
                .with_hint("write AS $$ function(x) return … end $$"));
        }
        self.refuse_open_code(at + 1, tokens.len())?;
        if tokens.is(at + 2, &Token::Comma) {
            return Err(Diagnostic::new("AS takes one text").at(tokens.span(at + 2)));
        }
        Ok(())
    }

    fn not_an_option(&self, at: usize) -> Diagnostic {
        let tokens = self.tokens;
        let word = tokens.word(at).unwrap_or_default();
        if matches!(word.as_str(), "RETURN" | "BEGIN") {
            return Diagnostic::new(format!("not supported: {word} in CREATE FUNCTION"))
                .at(tokens.span(at))
                .with_hint("functions are written in Lua: LANGUAGE LUA AS $$ … $$");
        }
        if UNSUPPORTED.contains(&word.as_str()) {
            return Diagnostic::new(format!("not supported: {word} in CREATE FUNCTION"))
                .at(tokens.span(at));
        }
        let mut diagnostic =
            Diagnostic::new(format!("unexpected {}", tokens.describe(at))).at(tokens.span(at));
        diagnostic.hint = match tokens.is_code(at) {
            true => Some("AS stands before the code".to_string()),
            false => hint::nearest(&word, WORDS).map(hint::did_you_mean),
        };
        diagnostic
    }
}
