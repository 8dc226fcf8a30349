//! The tokens of one statement, with places in the whole script.

use std::ops::Range;

use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Location, Span, Token, TokenWithSpan, Tokenizer, Whitespace};

use crate::diagnostic::Diagnostic;
use crate::lexer::{DollarForm, Ending, LexemeKind, lex};
use crate::limits::{MAX_NESTING, check_chains, check_retries, check_types};
use crate::marker::RESERVED_PREFIX;
use crate::place::Script;
use crate::variables::Variables;

/// The significant tokens of a statement.
pub(crate) struct Tokens<'a> {
    pub(crate) script: &'a Script<'a>,
    list: Vec<TokenWithSpan>,
    /// For each `(`, the index of its `)`.
    partner: Vec<usize>,
    /// The place behind the last token.
    end: Span,
}

impl<'a> Tokens<'a> {
    /// Tokenises the statement at `range`. Fails on text that never ends, on parentheses without
    /// partner, on reserved names, on variables without a value and on what is too deep to parse.
    pub(crate) fn new(
        script: &'a Script<'a>,
        range: Range<usize>,
        variables: Option<&Variables>,
    ) -> Result<Self, Diagnostic> {
        check_endings(script, range.clone())?;
        let start = script.location(range.start);
        let list = Tokenizer::new(&GenericDialect, &script.text[range.clone()])
            .tokenize_with_location()
            .map_err(|error| {
                Diagnostic::new(crate::error::lower_first(&error.message))
                    .at(point(shift(error.location, start)))
            })?
            .into_iter()
            .filter(|token| !is_blank(&token.token))
            .map(|token| {
                let span = Span::new(shift(token.span.start, start), shift(token.span.end, start));
                TokenWithSpan { token: token.token, span }
            })
            .collect::<Vec<_>>();
        let list = match variables {
            Some(variables) => variables.substitute(list)?,
            None => list,
        };
        check_names(&list)?;
        check_chains(&list)?;
        check_types(&list)?;
        check_retries(&list)?;
        let partner = match_parentheses(&list)?;
        let end = list.last().map_or(start, |token| token.span.end);
        Ok(Self { script, list, partner, end: point(end) })
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&TokenWithSpan> {
        self.list.get(index)
    }

    pub(crate) fn token(&self, index: usize) -> Option<&Token> {
        self.list.get(index).map(|token| &token.token)
    }

    /// The place of a token; behind the last one, the end of the statement.
    pub(crate) fn span(&self, index: usize) -> Span {
        self.list.get(index).map_or(self.end, |token| token.span)
    }

    /// The span of a non-empty range of tokens.
    pub(crate) fn span_of(&self, range: Range<usize>) -> Span {
        Span::new(self.span(range.start).start, self.span(range.end.saturating_sub(1)).end)
    }

    /// The `)` of the `(` at `index`.
    pub(crate) fn partner(&self, index: usize) -> usize {
        self.partner[index]
    }

    /// The word at `index` in upper case, unless it is quoted.
    pub(crate) fn word(&self, index: usize) -> Option<String> {
        match self.token(index)? {
            Token::Word(word) if word.quote_style.is_none() => Some(word.value.to_uppercase()),
            _ => None,
        }
    }

    pub(crate) fn is_word(&self, index: usize, word: &str) -> bool {
        matches!(self.token(index), Some(Token::Word(found))
            if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
    }

    pub(crate) fn is(&self, index: usize, token: &Token) -> bool {
        self.token(index) == Some(token)
    }

    /// A quoted program: `'…'`, `$$…$$`, `$tag$…$tag$`.
    pub(crate) fn is_code(&self, index: usize) -> bool {
        matches!(
            self.token(index),
            Some(Token::SingleQuotedString(_) | Token::DollarQuotedString(_))
        )
    }

    /// What stands at `index`, as a message names it.
    pub(crate) fn describe(&self, index: usize) -> String {
        match self.list.get(index) {
            None => "the end of the statement".to_string(),
            Some(token) => crate::error::quote_found(self.script.slice(token.span)),
        }
    }

    /// The token that begins at a place.
    pub(crate) fn index_at(&self, location: Location) -> Option<usize> {
        let index = self.list.partition_point(|token| token.span.start < location);
        (self.list.get(index)?.span.start == location).then_some(index)
    }
}

/// A span of no width.
pub(crate) fn point(location: Location) -> Span {
    Span::new(location, location)
}

/// Moves a place within a statement to its place in the script.
fn shift(location: Location, start: Location) -> Location {
    if location.line <= 1 {
        Location::new(start.line, start.column + location.column.saturating_sub(1))
    } else {
        Location::new(start.line + location.line - 1, location.column)
    }
}

/// Blanks and comments, and a stray byte order mark.
pub(crate) fn is_blank(token: &Token) -> bool {
    matches!(
        token,
        Token::Whitespace(
            Whitespace::Space
                | Whitespace::Tab
                | Whitespace::Newline
                | Whitespace::SingleLineComment { .. }
                | Whitespace::MultiLineComment(_)
        ) | Token::Char('\u{FEFF}')
            | Token::EOF
    )
}

fn check_endings(script: &Script<'_>, range: Range<usize>) -> Result<(), Diagnostic> {
    let text = &script.text[range.clone()];
    let Some(open) = lex(text).find(|lexeme| lexeme.kind.is_open()) else {
        return Ok(());
    };
    let start = script.location(range.start + open.range.start);
    let opened = &text[open.range.clone()];
    let (message, mark_chars, hint) = match open.kind {
        LexemeKind::BlockComment(Ending::Open) => ("this comment never ends", 2, "*/".to_string()),
        LexemeKind::QuotedIdentifier(_) => {
            ("this quoted name never ends", 1, opened.chars().take(1).collect())
        }
        LexemeKind::Dollar(DollarForm::Quoted(_)) => {
            let mark = &opened[..opened[1..].find('$').map_or(1, |at| at + 2)];
            ("this dollar-quoted text never ends", mark.chars().count(), mark.to_string())
        }
        _ => {
            let mark = opened.find(['\'', '"']).unwrap_or(0);
            let quote = opened[mark..].chars().take(1).collect();
            ("this quoted text never ends", opened[..mark].chars().count() + 1, quote)
        }
    };
    let end = Location::new(start.line, start.column + mark_chars as u64);
    Err(Diagnostic::new(message)
        .at(Span::new(start, end))
        .with_hint(format!("close it with {hint}")))
}

fn check_names(list: &[TokenWithSpan]) -> Result<(), Diagnostic> {
    for token in list {
        if let Token::Word(word) = &token.token
            && word.value.to_lowercase().starts_with(RESERVED_PREFIX)
        {
            return Err(Diagnostic::new(format!(
                "names that begin with {RESERVED_PREFIX} are reserved"
            ))
            .at(token.span));
        }
    }
    Ok(())
}

/// Pairs the parentheses; brackets count for depth only.
fn match_parentheses(list: &[TokenWithSpan]) -> Result<Vec<usize>, Diagnostic> {
    let mut partner = vec![0; list.len()];
    let mut open: Vec<usize> = Vec::new();
    for (index, token) in list.iter().enumerate() {
        match &token.token {
            Token::LParen => {
                open.push(index);
                if open.len() > MAX_NESTING {
                    return Err(Diagnostic::new(format!(
                        "parentheses are nested more than {MAX_NESTING} deep"
                    ))
                    .at(token.span));
                }
            }
            Token::RParen => match open.pop() {
                Some(opening) => partner[opening] = index,
                None => {
                    return Err(Diagnostic::new("this `)` has no `(` before it").at(token.span));
                }
            },
            _ => {}
        }
    }
    match open.pop() {
        Some(index) => {
            let error = Diagnostic::new("this `(` is never closed").at(list[index].span);
            Err(error)
        }
        None => Ok(partner),
    }
}
