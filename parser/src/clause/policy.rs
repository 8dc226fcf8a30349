//! What is done when something goes wrong: `OK EXIT`, `ON ERROR`.

use sqlparser::tokenizer::Token;

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::statement::OnError;

impl Cutter<'_, '_> {
    /// `OK EXIT (status, …)` at `at`: the statuses, and the token behind them.
    pub(crate) fn ok_exit(&self, at: usize, end: usize) -> Result<(Vec<u8>, usize), Diagnostic> {
        let tokens = self.tokens;
        let open = at + 2;
        if open >= end || !tokens.is(open, &Token::LParen) {
            let found = self.tokens.describe(open);
            return Err(Diagnostic::new(format!(
                "OK EXIT takes its statuses in parentheses, found {found}"
            ))
            .at(tokens.span(open))
            .with_hint("write OK EXIT (0, 1)"));
        }
        let close = tokens.partner(open);
        if close == open + 1 {
            return Err(Diagnostic::new("OK EXIT needs at least one status")
                .at(tokens.span_of(at..close + 1))
                .with_hint("write OK EXIT (0, 1)"));
        }
        let mut statuses = Vec::new();
        let mut index = open + 1;
        loop {
            let status = self.exit_status(index)?;
            if !statuses.contains(&status) {
                statuses.push(status);
            }
            index += 2;
            if index > close {
                return Ok((statuses, close + 1));
            }
            if !tokens.is(index - 1, &Token::Comma) {
                return Err(Diagnostic::new(format!(
                    "expected a comma between two statuses, found {}",
                    tokens.describe(index - 1)
                ))
                .at(tokens.span(index - 1)));
            }
        }
    }

    fn exit_status(&self, at: usize) -> Result<u8, Diagnostic> {
        let status = match self.tokens.token(at) {
            Some(Token::Number(number, false)) => number.parse().ok(),
            _ => None,
        };
        status.ok_or_else(|| {
            Diagnostic::new(format!(
                "an exit status is an integer from 0 to 255, found {}",
                self.tokens.describe(at)
            ))
            .at(self.tokens.span(at))
        })
    }

    /// The word of `ON ERROR …` at `at`, which was recognised, and the token behind it.
    pub(crate) fn on_error(&self, at: usize) -> (OnError, usize) {
        let policy = match self.tokens.word(at + 2).as_deref() {
            Some("NULL") => OnError::Null,
            Some("SKIP") => OnError::Skip,
            _ => OnError::Fail,
        };
        (policy, at + 3)
    }
}
