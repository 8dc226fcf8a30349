//! The operators: which words begin one, and what each is read into.

use sqlparser::tokenizer::{Span, Token};

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::statement::{LuaVerb, OperatorKind};
use crate::tokens::Tokens;

mod fold;
mod gapfill;
mod lua;
mod parse;
mod pipe;
mod reduce;

/// Where an operator stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// After `|>`.
    Pipe,
    /// Behind a FROM item.
    Classic,
    /// Behind a FROM item that is the right side of a join, before the join's condition.
    Joined,
}

/// Whether an operator begins at `at`. The words are names as well (`SELECT map lua FROM filter`),
/// so what follows them decides, and whether a FROM item stands before them.
pub(crate) fn recognise(
    tokens: &Tokens<'_>,
    at: usize,
    behind_item: bool,
) -> Result<bool, Diagnostic> {
    let Some(word) = tokens.word(at) else { return Ok(false) };
    let next = tokens.word(at + 1);
    let next = next.as_deref();
    match word.as_str() {
        "PIPE" if tokens.is_code(at + 1) => Ok(true),
        "PIPE" if behind_item && is_bare_command(tokens, at + 1) => {
            Err(unquoted_command(tokens, at + 1))
        }
        "MAP" | "FLATMAP" | "FILTER" | "REDUCE" if next == Some("LUA") => {
            Ok(behind_item || tokens.is_code(at + 2))
        }
        "MAP" | "FLATMAP" | "FILTER" | "REDUCE" if behind_item && tokens.is_code(at + 1) => {
            Err(without_language(tokens, at))
        }
        "FOLD" => Ok(next == Some("START") && (behind_item || tokens.is_code(at + 2))),
        "GAPFILL" => Ok(behind_item
            && matches!(tokens.token(at + 1), Some(Token::Word(_)))
            && (tokens.is_word(at + 2, "BY") || tokens.is(at + 2, &Token::Period))),
        "PARSE" => Ok(parse::names_format(tokens, at + 1, behind_item)),
        _ => Ok(false),
    }
}

/// A word that could not follow an alias called `pipe`.
fn is_bare_command(tokens: &Tokens<'_>, at: usize) -> bool {
    matches!(tokens.token(at), Some(Token::Word(word))
        if word.quote_style.is_some() || word.keyword == sqlparser::keywords::Keyword::NoKeyword)
}

fn unquoted_command(tokens: &Tokens<'_>, at: usize) -> Diagnostic {
    Diagnostic::new(format!("PIPE takes its command in quotes, found {}", tokens.describe(at)))
        .at(tokens.span(at))
        .with_hint("write PIPE 'grep …', or $$…$$ where the command has quotes of its own")
}

fn without_language(tokens: &Tokens<'_>, at: usize) -> Diagnostic {
    let verb = tokens.word(at).unwrap_or_default();
    Diagnostic::new(format!("expected LUA after {verb}, found {}", tokens.describe(at + 1)))
        .at(tokens.span(at + 1))
        .with_hint(format!("write {verb} LUA '…'"))
}

/// What an operator is, the place of its USING, and the token behind it.
type Read = (OperatorKind, Option<Span>, usize);

pub(crate) fn not_yet(what: impl std::fmt::Display, span: Span) -> Diagnostic {
    Diagnostic::new(format!("not supported yet: {what}")).at(span)
}

impl Cutter<'_, '_> {
    /// Reads the operator at `at`, which ends before `end` at the latest: its index, the place of
    /// its USING, and the token behind it.
    pub(crate) fn operator(
        &mut self,
        at: usize,
        end: usize,
        form: Form,
    ) -> Result<(usize, Option<Span>, usize), Diagnostic> {
        self.check_step_count(at)?;
        let (kind, using, behind) = match self.tokens.word(at).as_deref() {
            Some("PIPE") => self.pipe(at, end, form)?,
            Some("MAP") => self.lua(at, end, form, LuaVerb::Map)?,
            Some("FLATMAP") => self.lua(at, end, form, LuaVerb::FlatMap)?,
            Some("FILTER") => self.lua(at, end, form, LuaVerb::Filter)?,
            Some("REDUCE") => self.reduce(at, end, form)?,
            Some("FOLD") => self.fold(at, end, form)?,
            Some("GAPFILL") => self.gapfill(at, end, form)?,
            _ => self.parse_lines(at, end, form)?,
        };
        let keyword = self.tokens.span(at);
        Ok((self.keep(at..behind, keyword, kind), using, behind))
    }

    /// Refuses `AS a` where columns are meant.
    fn refuse_bare_columns(&self, at: usize, end: usize) -> Result<(), Diagnostic> {
        let tokens = self.tokens;
        if at + 1 >= end || !tokens.is_word(at, "AS") {
            return Ok(());
        }
        Err(Diagnostic::new(format!(
            "AS takes its columns in parentheses, found {}",
            tokens.describe(at + 1)
        ))
        .at(tokens.span(at + 1))
        .with_hint("write AS (name [type], …); an alias is a step of its own: |> AS name"))
    }
}
