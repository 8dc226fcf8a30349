//! FROM clauses, their items and the operators behind an item.

use std::ops::Range;

use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use crate::cut::{Cutter, Place, is_name};
use crate::diagnostic::Diagnostic;
use crate::marker::text_name;
use crate::operator::{Form, recognise};
use crate::step::Step;
use crate::tokens::Tokens;

/// How far a FROM clause has been read.
#[derive(Default)]
pub(crate) struct FromClause {
    /// Whether a comma begins another item.
    pub(crate) open: bool,
    /// Where the current item begins in the output.
    pub(crate) item: Option<usize>,
    /// A JOIN that has no condition yet.
    join: Option<PendingJoin>,
}

/// A join that still needs its condition.
#[derive(Default)]
struct PendingJoin {
    /// The USING that an operator of the join's right side took.
    taken: Option<Span>,
}

impl FromClause {
    pub(crate) fn begin_item(&mut self, output_length: usize) {
        self.open = true;
        self.item = Some(output_length);
    }
}

impl Cutter<'_, '_> {
    /// Follows the keywords that begin and end FROM clauses and their items.
    pub(crate) fn keyword(
        &self,
        at: usize,
        place: Place,
        from: &mut FromClause,
        output_length: usize,
    ) -> Result<(), Diagnostic> {
        let tokens = self.tokens;
        let Some(word) = tokens.word(at) else { return Ok(()) };
        match word.as_str() {
            "FROM" if place != Place::Arguments && !self.is_distinct_from(at) => {
                self.finish_from(from)?;
                from.begin_item(output_length);
            }
            "JOIN" if from.open || place == Place::JoinStep => {
                from.begin_item(output_length);
                from.join = (!self.joins_everything(at)).then(PendingJoin::default);
            }
            "LATERAL" | "ONLY" if from.item == Some(output_length - 1) => {
                from.begin_item(output_length);
            }
            "WITH" if from.open && self.is_with_offset(at) => {
                return Err(Diagnostic::new("not supported: WITH OFFSET")
                    .at(tokens.span_of(at..at + 2))
                    .with_hint("|> EXTEND row_number() OVER () AS n numbers rows"));
            }
            "ON" | "USING" => {
                from.item = None;
                from.join = None;
            }
            "LEFT" | "RIGHT" | "FULL" | "INNER" | "CROSS" | "NATURAL" | "SEMI" | "ANTI"
            | "ASOF" | "OUTER" => from.item = None,
            "INTERSECT" | "EXCEPT" if tokens.is_word(at + 1, "ALL") => {
                return Err(set_operation_all(tokens, at));
            }
            "SELECT" | "WHERE" | "GROUP" | "HAVING" | "QUALIFY" | "WINDOW" | "ORDER" | "LIMIT"
            | "OFFSET" | "FETCH" | "UNION" | "INTERSECT" | "EXCEPT" | "MINUS" | "RETURNING"
            | "SET" | "SETTINGS" => self.finish_from(from)?,
            _ => {}
        }
        Ok(())
    }

    /// Ends a FROM clause. A join that lost its USING to an operator would silently pair every
    /// row with every other.
    pub(crate) fn finish_from(&self, from: &mut FromClause) -> Result<(), Diagnostic> {
        let pending = std::mem::take(from).join;
        match pending.and_then(|join| join.taken) {
            None => Ok(()),
            Some(taken) => Err(Diagnostic::new(
                "this USING belongs to the operator before it, and the join has no condition",
            )
            .at(taken)
            .with_hint(
                "put the item with its operator in parentheses: JOIN (b PIPE '…') USING (…)",
            )),
        }
    }

    /// `UNNEST(…) WITH OFFSET`, and not a CTE of that name.
    fn is_with_offset(&self, at: usize) -> bool {
        let tokens = self.tokens;
        let behind = at + 2 + usize::from(tokens.is_word(at + 2, "AS"));
        tokens.is_word(at + 1, "OFFSET") && !tokens.is(behind, &Token::LParen)
    }

    /// `IS [NOT] DISTINCT FROM`.
    fn is_distinct_from(&self, at: usize) -> bool {
        let word = |back: usize| at.checked_sub(back).and_then(|index| self.tokens.word(index));
        word(1).as_deref() == Some("DISTINCT") && matches!(word(2).as_deref(), Some("IS" | "NOT"))
    }

    /// CROSS and NATURAL joins need no condition.
    fn joins_everything(&self, join: usize) -> bool {
        (0..join)
            .rev()
            .map_while(|index| self.tokens.word(index))
            .take(4)
            .take_while(|word| {
                matches!(
                    word.as_str(),
                    "LEFT" | "RIGHT" | "FULL" | "INNER" | "OUTER" | "CROSS" | "NATURAL"
                )
            })
            .any(|word| word == "CROSS" || word == "NATURAL")
    }

    /// `text('glob')` as a FROM item becomes one quoted name; the index behind it.
    pub(crate) fn text_call(
        &self,
        at: usize,
        from: &FromClause,
        output: &mut Vec<TokenWithSpan>,
    ) -> Result<Option<usize>, Diagnostic> {
        let tokens = self.tokens;
        let is_call = from.item == Some(output.len())
            && tokens.is_word(at, "TEXT")
            && tokens.is(at + 1, &Token::LParen);
        if !is_call {
            return Ok(None);
        }
        let close = tokens.partner(at + 1);
        match tokens.token(at + 2) {
            Some(Token::SingleQuotedString(path)) if close == at + 3 => {
                let span = tokens.span_of(at..close + 1);
                let token = Token::SingleQuotedString(text_name(path));
                output.push(TokenWithSpan::new(token, span));
                Ok(Some(close + 1))
            }
            _ => Err(Diagnostic::new("text(…) takes one path or glob in quotes")
                .at(tokens.span_of(at..close + 1))
                .with_hint("for example text('logs/*.log')")),
        }
    }

    /// Whether the word at `at` begins an operator, as it can only behind a FROM item.
    pub(crate) fn begins_operator(
        &self,
        at: usize,
        range: &Range<usize>,
        from: &FromClause,
        output_length: usize,
    ) -> Result<bool, Diagnostic> {
        let tokens = self.tokens;
        let behind_item = from.item.is_some_and(|start| start < output_length);
        if is_name(tokens, at, range) {
            return Ok(false);
        }
        match recognise(tokens, at, behind_item)? {
            false => Ok(false),
            true if behind_item => Ok(true),
            true => Err(self.misplaced(at, from)),
        }
    }

    fn misplaced(&self, at: usize, from: &FromClause) -> Diagnostic {
        let name = self.tokens.word(at).unwrap_or_default();
        let message = if from.item.is_some() {
            format!("{name} has no input: nothing stands between FROM and it")
        } else if from.open {
            format!("{name} cannot follow a join condition")
        } else {
            format!("{name} stands outside a FROM clause")
        };
        let hint = if from.item.is_none() && from.open {
            "put the operator behind a FROM item, or after `|>`, where it takes the whole join"
        } else {
            "an operator follows a FROM item or `|>`: FROM 'access.log' |> PIPE 'grep …'"
        };
        Diagnostic::new(message).at(self.tokens.span(at)).with_hint(hint)
    }

    /// Wraps the current item and the operators behind it: `(FROM item |> CALL … |> CALL …)`.
    pub(crate) fn operators_behind_item(
        &mut self,
        at: usize,
        end: usize,
        from: &mut FromClause,
        output: &mut Vec<TokenWithSpan>,
    ) -> Result<usize, Diagnostic> {
        let item = from.item.unwrap_or(output.len());
        let opening = output.get(item).map_or(self.tokens.span(at), |token| token.span);
        let before = [Token::LParen, Token::make_keyword("FROM")];
        output.splice(item..item, before.map(|token| TokenWithSpan::new(token, opening)));
        let mut next = at;
        while next < end
            && matches!(self.tokens.token(next), Some(Token::Word(_)))
            && recognise(self.tokens, next, true)?
        {
            let keyword = self.tokens.span(next);
            let form = if from.join.is_some() { Form::Joined } else { Form::Classic };
            let (operator, using, behind) = self.operator(next, end, form)?;
            if let (Some(using), Some(join)) = (using, &mut from.join) {
                join.taken = Some(using);
            }
            self.call(Step::Operator(operator), keyword, output);
            next = behind;
        }
        let closing = self.tokens.span(next.saturating_sub(1));
        output.push(TokenWithSpan::new(Token::RParen, closing));
        Ok(next)
    }
}

/// DataFusion plans the ALL forms as semi and anti joins, which count rows wrongly.
fn set_operation_all(tokens: &Tokens<'_>, at: usize) -> Diagnostic {
    let operator = tokens.word(at).unwrap_or_default();
    Diagnostic::new(format!("not supported: {operator} ALL"))
        .at(tokens.span_of(at..at + 2))
        .with_hint(format!("{operator} DISTINCT is"))
}
