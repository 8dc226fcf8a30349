//! Statements about formats: `CREATE FORMAT`, `DROP FORMAT`, `SHOW FORMATS`.

use datafusion_sql::parser::Statement as DfStatement;
use sqlparser::ast::{self, Ident};
use sqlparser::tokenizer::{Span, Token};

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::statement::{CreateFormat, FormatStatement};
use crate::tokens::Tokens;

const SHAPE: &str = "write CREATE FORMAT name [(column type, …)] AS PATTERN '…'";

/// What the statement says about formats, with a statement without effect in its place; none where
/// it is about something else.
pub(crate) fn format(
    tokens: &Tokens<'_>,
) -> Result<Option<(FormatStatement, DfStatement)>, Diagnostic> {
    let statement = if tokens.is_word(0, "SHOW") && tokens.is_word(1, "FORMATS") {
        end_of_statement(tokens, 2)?;
        FormatStatement::Show
    } else if tokens.is_word(0, "DROP") && tokens.is_word(1, "FORMAT") {
        drop_format(tokens)?
    } else if let Some(keyword) = created_format(tokens) {
        FormatStatement::Create(create_format(tokens, keyword)?)
    } else {
        return Ok(None);
    };
    let nothing = ast::Statement::ShowFunctions { filter: None };
    Ok(Some((statement, DfStatement::Statement(Box::new(nothing)))))
}

/// The index of FORMAT in `CREATE [OR REPLACE] FORMAT`.
fn created_format(tokens: &Tokens<'_>) -> Option<usize> {
    if !tokens.is_word(0, "CREATE") {
        return None;
    }
    let replaces = tokens.is_word(1, "OR") && tokens.is_word(2, "REPLACE");
    let keyword = if replaces { 3 } else { 1 };
    tokens.is_word(keyword, "FORMAT").then_some(keyword)
}

fn create_format(tokens: &Tokens<'_>, keyword: usize) -> Result<CreateFormat, Diagnostic> {
    let cutter = Cutter::new(tokens);
    let end = tokens.len();
    let or_replace = keyword > 1;
    let if_not_exists = tokens.is_word(keyword + 1, "IF");
    let mut at = keyword + 1;
    if if_not_exists {
        expect_words(tokens, at, &["IF", "NOT", "EXISTS"])?;
        if or_replace {
            return Err(Diagnostic::new("OR REPLACE and IF NOT EXISTS exclude each other")
                .at(tokens.span_of(at..at + 3)));
        }
        at += 3;
    }
    let (name, span) = name_at(tokens, at)?;
    at += 1;
    let mut columns = None;
    if tokens.is(at, &Token::LParen) {
        let (listed, behind) = cutter.column_list(at)?;
        (columns, at) = (Some(listed), behind);
    }
    expect_words(tokens, at, &["AS"])?;
    let (format, mut behind) = cutter.format_name(at + 1, end)?;
    if tokens.is_word(behind, "AS") && tokens.is(behind + 1, &Token::LParen) {
        let place = tokens.span(behind);
        if columns.is_some() {
            return Err(Diagnostic::new("the columns are listed twice").at(place));
        }
        let (listed, next) = cutter.column_list(behind + 1)?;
        (columns, behind) = (Some(listed), next);
    }
    end_of_statement(tokens, behind)?;
    let columns = columns.unwrap_or_default();
    Ok(CreateFormat { name, span, or_replace, if_not_exists, format, columns })
}

fn drop_format(tokens: &Tokens<'_>) -> Result<FormatStatement, Diagnostic> {
    let if_exists = tokens.is_word(2, "IF");
    if if_exists {
        expect_words(tokens, 2, &["IF", "EXISTS"])?;
    }
    let at = if if_exists { 4 } else { 2 };
    let (name, span) = name_at(tokens, at)?;
    end_of_statement(tokens, at + 1)?;
    Ok(FormatStatement::Drop { name, span, if_exists })
}

fn name_at(tokens: &Tokens<'_>, at: usize) -> Result<(Ident, Span), Diagnostic> {
    match tokens.token(at) {
        Some(Token::Word(word)) => {
            let span = tokens.span(at);
            Ok((word.clone().into_ident(span), span))
        }
        _ => Err(Diagnostic::new(format!(
            "expected the name of a format, found {}",
            tokens.describe(at)
        ))
        .at(tokens.span(at))
        .with_hint(SHAPE)),
    }
}

fn expect_words(tokens: &Tokens<'_>, at: usize, words: &[&str]) -> Result<(), Diagnostic> {
    for (word, index) in words.iter().zip(at..) {
        if !tokens.is_word(index, word) {
            let found = tokens.describe(index);
            return Err(Diagnostic::new(format!("expected {word}, found {found}"))
                .at(tokens.span(index))
                .with_hint(SHAPE));
        }
    }
    Ok(())
}

fn end_of_statement(tokens: &Tokens<'_>, at: usize) -> Result<(), Diagnostic> {
    if at >= tokens.len() {
        return Ok(());
    }
    Err(Diagnostic::new(format!("unexpected {}", tokens.describe(at))).at(tokens.span(at)))
}
