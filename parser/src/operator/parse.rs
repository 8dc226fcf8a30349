//! `PARSE format [FROM value] [AS (…)] [ON ERROR …]`

use sqlparser::ast::Expr;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token};

use crate::clause::{Clause, Grammar};
use crate::cut::{Cutter, Place};
use crate::diagnostic::Diagnostic;
use crate::statement::{FormatName, OnError, OperatorKind, ParseClause};
use crate::tokens::Tokens;

use super::{Form, Read};

const GRAMMAR: Grammar = Grammar {
    name: "PARSE",
    clauses: &[Clause::Columns, Clause::OnError],
    order: "FROM, AS, ON ERROR",
    has_time_formats: true,
};

/// Words that name a format, and are words of SQL as well.
const RESERVED_NAMES: &[&str] = &["JSON", "AUTO", "COMMON", "COMBINED", "SYSLOG", "LOGFMT"];
/// Words behind which stands the text of a format.
const WITH_TEXT: &[&str] = &["PATTERN", "REGEX", "GROK"];

/// Whether the token can name the format of a PARSE before it. Behind a FROM item PARSE could be an
/// alias, behind which stands a word of SQL or nothing.
pub(super) fn names_format(tokens: &Tokens<'_>, at: usize, behind_item: bool) -> bool {
    let Some(Token::Word(word)) = tokens.token(at) else { return false };
    let is_plain = word.quote_style.is_none();
    let name = word.value.to_uppercase();
    if is_plain && WITH_TEXT.contains(&name.as_str()) {
        return behind_item || tokens.is_code(at + 1);
    }
    behind_item
        && (!is_plain
            || word.keyword == Keyword::NoKeyword
            || RESERVED_NAMES.contains(&name.as_str()))
}

impl Cutter<'_, '_> {
    pub(super) fn parse_lines(
        &mut self,
        at: usize,
        end: usize,
        form: Form,
    ) -> Result<Read, Diagnostic> {
        let (format, next) = self.format_name(at + 1, end)?;
        let (value, next) = self.parsed_value(next, end)?;
        let (clauses, behind) = self.clauses(&GRAMMAR, next, end, form)?;
        if form == Form::Pipe && clauses.columns.is_none() {
            self.refuse_bare_columns(behind, end)?;
        }
        let is_said = clauses.span(Clause::OnError).is_some();
        let on_error = if is_said { clauses.on_error } else { OnError::Null };
        let clause = ParseClause { format, value, columns: clauses.columns, on_error };
        Ok((OperatorKind::Parse(clause), None, behind))
    }

    /// The name of a format, with its text where it takes one, and the token behind it.
    pub(crate) fn format_name(
        &self,
        at: usize,
        end: usize,
    ) -> Result<(FormatName, usize), Diagnostic> {
        let tokens = self.tokens;
        let Some(Token::Word(word)) = tokens.token(at).filter(|_| at < end) else {
            return Err(Diagnostic::new(format!(
                "expected the name of a format, found {}",
                tokens.describe(at)
            ))
            .at(tokens.span(at))
            .with_hint("PARSE COMBINED, JSON, LOGFMT, SYSLOG, AUTO, …, or PATTERN '<a> <b>'"));
        };
        let span = tokens.span(at);
        let name = word.clone().into_ident(span);
        let keyword = tokens.word(at).unwrap_or_default();
        if !WITH_TEXT.contains(&keyword.as_str()) {
            self.refuse_text(at, end, &keyword)?;
            return Ok((FormatName { name, span, code: None }, at + 1));
        }
        if at + 1 >= end || !tokens.is_code(at + 1) {
            return Err(without_text(&keyword, tokens.describe(at + 1)).at(tokens.span(at + 1)));
        }
        self.refuse_open_code(at + 1, end)?;
        Ok((FormatName { name, span, code: Some(self.code(at + 1)) }, at + 2))
    }

    fn refuse_text(&self, at: usize, end: usize, keyword: &str) -> Result<(), Diagnostic> {
        if at + 1 >= end || !self.tokens.is_code(at + 1) {
            return Ok(());
        }
        Err(Diagnostic::new(format!("the format {keyword} takes no text"))
            .at(self.tokens.span(at + 1))
            .with_hint("PATTERN '…', REGEX '…' and GROK '…' do"))
    }

    /// `FROM value`: a column, a call, or any expression in parentheses.
    fn parsed_value(&mut self, at: usize, end: usize) -> Result<(Option<Expr>, usize), Diagnostic> {
        let tokens = self.tokens;
        if at >= end || !tokens.is_word(at, "FROM") {
            return Ok((None, at));
        }
        let behind = self.primary_end(at + 1, end);
        if behind == at + 1 {
            return Err(Diagnostic::new(format!(
                "expected what to parse, found {}",
                tokens.describe(behind)
            ))
            .at(tokens.span(behind))
            .with_hint("write FROM column, or FROM (expression)"));
        }
        let input = self.group(at + 1..behind, Place::Arguments)?;
        let value = self.parse(input, behind, |parser| parser.parse_expr())?;
        Ok((Some(value), behind))
    }

    /// The token behind `a.b.c`, `f(…)` or `(…)`, or `at` where none of them stands there.
    pub(super) fn primary_end(&self, at: usize, end: usize) -> usize {
        let tokens = self.tokens;
        let mut next = at;
        while next < end && matches!(tokens.token(next), Some(Token::Word(_))) {
            next += 1;
            if next + 1 < end && tokens.is(next, &Token::Period) {
                next += 1;
            } else {
                break;
            }
        }
        if next < end && tokens.is(next, &Token::LParen) {
            next = tokens.partner(next) + 1;
        }
        next.min(end)
    }
}

fn without_text(keyword: &str, found: impl std::fmt::Display) -> Diagnostic {
    let example = match keyword {
        "PATTERN" => "PATTERN '<ip> - - [<ts>] <_>'",
        "REGEX" => "REGEX '(?<level>[A-Z]+) (?<message>.*)'",
        _ => "GROK '%{IP:client} %{GREEDYDATA:message}'",
    };
    Diagnostic::new(format!("{keyword} takes its text in quotes, found {found}"))
        .with_hint(format!("for example {example}"))
}

impl FormatName {
    /// The place of the word and its text.
    pub fn whole(&self) -> Span {
        self.code.as_ref().map_or(self.span, |code| self.span.union(&code.span))
    }
}
