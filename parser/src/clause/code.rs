//! Quoted programs.

use sqlparser::tokenizer::{Location, Token};

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::statement::Code;

impl Cutter<'_, '_> {
    /// `'… line:match('x') …'` ends at the second quote, and the rest stands right behind it.
    pub(crate) fn refuse_open_code(&self, at: usize, end: usize) -> Result<(), Diagnostic> {
        let tokens = self.tokens;
        let is_adjacent = at + 1 < end
            && tokens.span(at + 1).start == tokens.span(at).end
            && !matches!(
                tokens.token(at + 1),
                Some(Token::RParen | Token::Comma | Token::VerticalBarRightAngleBracket)
            );
        if !is_adjacent {
            return Ok(());
        }
        Err(Diagnostic::new("the quoted code ends before this")
            .at(tokens.span(at + 1))
            .with_hint("inside '…' a quote is written ''; or put the code between $$ and $$"))
    }

    pub(crate) fn code(&self, at: usize) -> Code {
        let span = self.tokens.span(at);
        let source = self.tokens.script.slice(span);
        let (text, opening_chars) = match self.tokens.token(at) {
            Some(Token::SingleQuotedString(text)) => (text.clone(), 1),
            _ => {
                let mark_bytes =
                    source.get(1..).and_then(|rest| rest.find('$')).map_or(1, |at| at + 2);
                let body = source.get(mark_bytes..source.len().saturating_sub(mark_bytes));
                let mark_chars = source.chars().take_while({
                    let mut dollars = 0;
                    move |character| {
                        let inside = dollars < 2;
                        dollars += usize::from(*character == '$');
                        inside
                    }
                });
                (body.unwrap_or_default().to_string(), mark_chars.count() as u64)
            }
        };
        let start = Location::new(span.start.line, span.start.column + opening_chars);
        Code { text, start, span }
    }
}
