//! Types in CREATE FUNCTION, and `RETURNS`.

use sqlparser::ast::DataType;
use sqlparser::dialect::GenericDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Span, Token};

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::error::{self, Boundary};

use super::options::begins_option;

impl Cutter<'_, '_> {
    /// `RETURNS type` at `at`: the type with its place, and the token behind it.
    pub(super) fn returns(&self, at: usize) -> Result<(DataType, Span, usize), Diagnostic> {
        let tokens = self.tokens;
        let start = at + 1;
        let not_supported = |what: &str, hint: &str| {
            Err(Diagnostic::new(format!("not supported: RETURNS {what}"))
                .at(tokens.span_of(at..start + 1))
                .with_hint(hint))
        };
        match tokens.word(start).as_deref() {
            Some("TABLE") => {
                return not_supported("TABLE", "FLATMAP LUA makes several rows of one");
            }
            Some("SETOF") => {
                return not_supported("SETOF", "FLATMAP LUA makes several rows of one");
            }
            Some("VOID") => return not_supported("VOID", "a function returns a value"),
            Some("TRIGGER") => return not_supported("TRIGGER", "a function returns a value"),
            _ => {}
        }
        let (data_type, behind) = self.data_type(start, tokens.len(), "a type after RETURNS")?;
        Ok((data_type, tokens.span_of(start..behind), behind))
    }

    /// The type at `at`, which ends before `end` at the latest, and the token behind it.
    pub(super) fn data_type(
        &self,
        at: usize,
        end: usize,
        expected: &str,
    ) -> Result<(DataType, usize), Diagnostic> {
        let tokens = self.tokens;
        if !matches!(tokens.token(at), Some(Token::Word(_))) || begins_option(tokens, at) {
            return Err(Diagnostic::new(format!(
                "expected {expected}, found {}",
                tokens.describe(at)
            ))
            .at(tokens.span(at)));
        }
        let input = (at..end).filter_map(|index| tokens.get(index).cloned()).collect();
        let mut parser = Parser::new(&GenericDialect).with_tokens_with_locations(input);
        let boundary = Boundary { index: end };
        let data_type = parser
            .parse_data_type()
            .map_err(|error| error::from_parser_error(&error, tokens, boundary))?;
        let next = parser.peek_token_ref();
        let behind = match next.token {
            Token::EOF => end,
            _ => tokens.index_at(next.span.start).unwrap_or(end),
        };
        Ok((data_type, behind))
    }
}
