//! The clauses of the operators: `PIPE …`, `MAP | FLATMAP | FILTER LUA …`.

use sqlparser::tokenizer::{Span, Token};

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::statement::{LuaClause, LuaVerb, OnError, OperatorKind, PipeClause, Scope};
use crate::tokens::Tokens;

/// Where an operator stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// After `|>`.
    Pipe,
    /// Behind a FROM item.
    Classic,
}

const PARSE_FORMATS: &[&str] = &["COMMON", "COMBINED", "SYSLOG", "JSON", "LOGFMT"];
const PARSE_FORMATS_WITH_CODE: &[&str] = &["PATTERN", "REGEX", "GROK"];

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
        "PARSE" => Ok(next.is_some_and(|format| {
            (behind_item && PARSE_FORMATS.contains(&format))
                || (PARSE_FORMATS_WITH_CODE.contains(&format) && tokens.is_code(at + 2))
        })),
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
            Some("REDUCE") => {
                return Err(not_yet("REDUCE LUA", self.tokens.span(at))
                    .with_hint("AGGREGATE … GROUP BY folds rows with SQL's aggregate functions"));
            }
            _ => {
                let format = self.tokens.word(at + 1).unwrap_or_default();
                return Err(not_yet(format!("PARSE {format}"), self.tokens.span(at))
                    .with_hint("MAP LUA can take lines apart with line:match('…')"));
            }
        };
        let keyword = self.tokens.span(at);
        Ok((self.keep(at..behind, keyword, kind), using, behind))
    }

    fn pipe(
        &mut self,
        at: usize,
        end: usize,
        form: Form,
    ) -> Result<(OperatorKind, Option<Span>, usize), Diagnostic> {
        let tokens = self.tokens;
        if !tokens.is_code(at + 1) || at + 1 >= end {
            return Err(unquoted_command(tokens, at + 1));
        }
        self.refuse_open_code(at + 1, end)?;
        let code = self.code(at + 1);
        let (using, using_span, next) = self.using(at + 2, end)?;
        self.refuse_scope(next, end, form)?;
        let (format, next) = self.format(next, end)?;
        let (columns, next) = self.columns(next, end)?;
        self.refuse_later_clauses(next, end)?;
        if form == Form::Pipe && columns.is_none() {
            self.refuse_bare_columns(next, end)?;
        }
        let clause = PipeClause {
            code,
            using,
            scope: Scope::Split,
            order_by: Vec::new(),
            format,
            columns,
            ok_exit: Vec::new(),
            timeout: None,
            on_error: OnError::Fail,
        };
        Ok((OperatorKind::Pipe(clause), using_span, next))
    }

    fn lua(
        &mut self,
        at: usize,
        end: usize,
        form: Form,
        verb: LuaVerb,
    ) -> Result<(OperatorKind, Option<Span>, usize), Diagnostic> {
        let tokens = self.tokens;
        if !tokens.is_word(at + 1, "LUA") || at + 1 >= end {
            return Err(without_language(tokens, at));
        }
        if !tokens.is_code(at + 2) || at + 2 >= end {
            return Err(Diagnostic::new(format!(
                "{verb} LUA takes its function in quotes, found {}",
                tokens.describe(at + 2)
            ))
            .at(tokens.span(at + 2))
            .with_hint(format!("write {verb} LUA 'function(line) return … end'")));
        }
        self.refuse_open_code(at + 2, end)?;
        let code = self.code(at + 2);
        let (using, using_span, next) = self.using(at + 3, end)?;
        let as_at = next;
        let (columns, next) = self.columns(next, end)?;
        self.refuse_later_clauses(next, end)?;
        match (verb, &columns) {
            (LuaVerb::Filter, Some(_)) => {
                return Err(Diagnostic::new("FILTER LUA keeps rows as they are and takes no AS")
                    .at(tokens.span_of(as_at..next))
                    .with_hint("MAP LUA makes new columns"));
            }
            (LuaVerb::Map | LuaVerb::FlatMap, None) => {
                self.refuse_bare_columns(next, end)?;
                return Err(Diagnostic::new(format!("{verb} LUA needs AS (column, …)"))
                    .at(tokens.span_of(at..at + 2))
                    .with_hint(
                        "the values that the function returns are these columns, in order",
                    ));
            }
            _ => {}
        }
        if form == Form::Pipe && verb == LuaVerb::Filter {
            self.refuse_bare_columns(next, end)?;
        }
        let clause = LuaClause { verb, code, using, columns, on_error: OnError::Fail };
        Ok((OperatorKind::Lua(clause), using_span, next))
    }

    /// Clauses between USING and FORMAT that are not there yet.
    fn refuse_scope(&self, at: usize, end: usize, form: Form) -> Result<(), Diagnostic> {
        if at >= end {
            return Ok(());
        }
        let tokens = self.tokens;
        let next = tokens.word(at + 1);
        match (tokens.word(at).as_deref(), next.as_deref()) {
            (Some("PARTITION"), Some("BY")) => {
                Err(not_yet("PARTITION BY in PIPE", tokens.span_of(at..at + 2)))
            }
            (Some("SINGLE"), _) => Err(not_yet("SINGLE in PIPE", tokens.span(at))),
            (Some("PER"), Some("ROW")) => {
                Err(not_yet("PER ROW in PIPE", tokens.span_of(at..at + 2)))
            }
            (Some("ORDER"), Some("BY")) => {
                let hint = match form {
                    Form::Pipe => "to sort the result of PIPE, put `|>` before ORDER BY",
                    Form::Classic => {
                        "this ORDER BY belongs to PIPE; to sort the result of the query, put the \
                         item in parentheses: FROM ('…' PIPE '…') ORDER BY …"
                    }
                };
                Err(not_yet("ORDER BY in PIPE", tokens.span_of(at..at + 2)).with_hint(hint))
            }
            _ => Ok(()),
        }
    }

    /// Clauses at the end of an operator that are not there yet.
    fn refuse_later_clauses(&self, at: usize, end: usize) -> Result<(), Diagnostic> {
        if at >= end {
            return Ok(());
        }
        let tokens = self.tokens;
        let next = tokens.word(at + 1);
        match (tokens.word(at).as_deref(), next.as_deref()) {
            (Some("OK"), Some("EXIT")) => Err(not_yet("OK EXIT", tokens.span_of(at..at + 2))),
            (Some("TIMEOUT"), Some("INTERVAL")) => Err(not_yet("TIMEOUT", tokens.span(at))),
            (Some("TIMEOUT"), _)
                if tokens.is_code(at + 1)
                    || matches!(tokens.token(at + 1), Some(Token::Number(..))) =>
            {
                Err(not_yet("TIMEOUT", tokens.span(at)))
            }
            (Some("ON"), Some("ERROR")) if is_error_policy(tokens, at + 2) => {
                Err(not_yet("ON ERROR", tokens.span_of(at..at + 3)))
            }
            _ => Ok(()),
        }
    }

    /// `AS a` where columns are meant.
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

fn is_error_policy(tokens: &Tokens<'_>, at: usize) -> bool {
    matches!(tokens.word(at).as_deref(), Some("FAIL" | "NULL" | "SKIP"))
}
