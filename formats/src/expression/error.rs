//! What is wrong with an expression, and where.

use regex_automata::meta::BuildError;
use regex_syntax::ast;

use crate::spec::FormatError;

/// The failure to compile `text`.
pub(crate) fn error(text: &str, failure: &BuildError) -> FormatError {
    if let Some(limit) = failure.size_limit() {
        return FormatError::new(format!("the expression is too big: it takes over {limit} bytes"))
            .with_hint(
                "counted repetitions such as {1,1000} multiply what stands in front of them",
            );
    }
    match failure.syntax_error() {
        Some(regex_syntax::Error::Parse(error)) => parse_error(error),
        Some(regex_syntax::Error::Translate(error)) => {
            FormatError::new(error.kind().to_string()).at(error.span().start.offset)
        }
        _ => FormatError::new(format!("`{text}` cannot be compiled: {failure}")),
    }
}

fn parse_error(error: &ast::Error) -> FormatError {
    let kind = error.kind();
    let found = FormatError::new(lower_first(&kind.to_string())).at(error.span().start.offset);
    match kind {
        ast::ErrorKind::UnsupportedLookAround | ast::ErrorKind::UnsupportedBackreference => found
            .with_hint(
                "REGEX takes time in proportion to the line and has neither look-around nor \
                 backreferences; match the text beside the group as well, or use GROK, which has them",
            ),
        ast::ErrorKind::EscapeUnrecognized => {
            found.with_hint("a letter that stands for itself has no backslash")
        }
        ast::ErrorKind::GroupUnclosed | ast::ErrorKind::GroupUnopened => {
            found.with_hint(r"a bracket that stands for itself is written \( or \)")
        }
        ast::ErrorKind::RepetitionMissing => {
            found.with_hint(r"a sign that stands for itself is written \*, \+ or \?")
        }
        _ => found,
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
