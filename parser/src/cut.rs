//! Cuts the dialect's clauses out of a statement's tokens.
//!
//! Each `|>` step, and each operator behind a FROM item, is parsed on its own and leaves
//! `|> CALL __gleam_step(n)` in its place, which sqlparser accepts wherever a query may stand.
//! What remains is plain SQL. Inner clauses are cut before the clause around them is parsed, so no
//! clause is ever parsed twice.

use std::ops::Range;

use sqlparser::dialect::GenericDialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Span, Token, TokenWithSpan};

use crate::diagnostic::Diagnostic;
use crate::error::{self, Boundary};
use crate::from_clause::FromClause;
use crate::hint;
use crate::marker::STEP_PROCEDURE;
use crate::query_start::{QueryStart, selects_later};
use crate::statement::{Operator, OperatorKind};
use crate::step::Step;
use crate::tokens::Tokens;

/// Each step becomes a level of the query tree, which is walked recursively.
const MAX_STEPS: usize = 200;

/// What was cut out of a statement, and what is left of it.
pub(crate) struct Cut {
    pub(crate) rest: Vec<TokenWithSpan>,
    pub(crate) steps: Vec<Step>,
    pub(crate) operators: Vec<Operator>,
}

/// Cuts a whole statement.
pub(crate) fn cut(tokens: &Tokens<'_>) -> Result<Cut, Diagnostic> {
    let mut cutter = Cutter::new(tokens);
    let rest = cutter.group(0..tokens.len(), Place::Statement)?;
    Ok(Cut { rest, steps: cutter.steps, operators: cutter.operators })
}

/// What the tokens of a group are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A statement, or anything else that may hold a FROM clause.
    Statement,
    /// `( … )` where a FROM item may stand.
    FromItem,
    /// What follows the keyword of a step: no query begins in it without parentheses.
    Step,
    /// What follows `|>` in a join.
    JoinStep,
    /// The arguments of a function: `FROM` and `AS` mean other things in there.
    Arguments,
    /// `OPTIONS ( … )`: words and values without grammar.
    Options,
}

pub(crate) struct Cutter<'c, 'a> {
    pub(crate) tokens: &'c Tokens<'a>,
    pub(crate) steps: Vec<Step>,
    pub(crate) operators: Vec<Operator>,
}

impl<'c, 'a> Cutter<'c, 'a> {
    pub(crate) fn new(tokens: &'c Tokens<'a>) -> Self {
        Self { tokens, steps: Vec::new(), operators: Vec::new() }
    }
}

impl Cutter<'_, '_> {
    /// Cuts the tokens of one level, and those of the parentheses in it.
    pub(crate) fn group(
        &mut self,
        range: Range<usize>,
        place: Place,
    ) -> Result<Vec<TokenWithSpan>, Diagnostic> {
        let tokens = self.tokens;
        let mut output = Vec::with_capacity(range.len());
        let mut from = FromClause::default();
        let mut queries = QueryStart::new(tokens, &range);
        if place == Place::FromItem {
            from.begin_item(0);
        }
        let mut at = range.start;
        while let Some(token) = tokens.get(at).filter(|_| at < range.end) {
            match &token.token {
                Token::VerticalBarRightAngleBracket => {
                    self.finish_from(&mut from)?;
                    let end = self.step_end(at, range.end);
                    let step = self.step(at, end)?;
                    self.call(step, token.span, &mut output);
                    at = end;
                    continue;
                }
                Token::LParen => {
                    at = self.parentheses(at, range.start, &from, &mut output)?;
                    continue;
                }
                Token::Comma if from.open => {
                    output.push(token.clone());
                    from.begin_item(output.len());
                }
                Token::Word(word) if word.quote_style.is_none() && place != Place::Options => {
                    if let Some(next) = self.text_call(at, &from, &mut output)? {
                        at = next;
                        continue;
                    }
                    if self.begins_operator(at, &range, &from, output.len())? {
                        at = self.operators_behind_item(at, range.end, &mut from, &mut output)?;
                        continue;
                    }
                    let begins_query =
                        place == Place::Statement && queries.begins_with_from(tokens, at, &range);
                    if begins_query && !selects_later(tokens, at + 1, range.end) {
                        let star = [Token::make_keyword("SELECT"), Token::Mul];
                        output.extend(star.map(|star| TokenWithSpan::new(star, token.span)));
                    }
                    // GoogleSQL's third method, which samples exactly, is what ROWS means here.
                    if !(tokens.is_word(at, "RESERVOIR")
                        && at > range.start
                        && tokens.is_word(at - 1, "TABLESAMPLE"))
                    {
                        output.push(token.clone());
                    }
                    if begins_query || !is_name(tokens, at, &range) {
                        self.keyword(at, place, &mut from, output.len())?;
                    }
                }
                _ => output.push(token.clone()),
            }
            at += 1;
        }
        self.finish_from(&mut from)?;
        Ok(output)
    }

    /// Copies `( … )` with its inside cut; the index behind it.
    fn parentheses(
        &mut self,
        open: usize,
        group_start: usize,
        from: &FromClause,
        output: &mut Vec<TokenWithSpan>,
    ) -> Result<usize, Diagnostic> {
        let tokens = self.tokens;
        let close = tokens.partner(open);
        let previous = open.checked_sub(1).filter(|previous| *previous >= group_start);
        let begins_query = ["SELECT", "FROM", "WITH", "VALUES", "TABLE"]
            .iter()
            .any(|word| tokens.is_word(open + 1, word));
        let place = if from.item == Some(output.len()) {
            Place::FromItem
        } else if previous.is_some_and(|previous| tokens.is_word(previous, "OPTIONS")) {
            Place::Options
        } else if !begins_query
            && previous
                .is_some_and(|previous| matches!(tokens.token(previous), Some(Token::Word(_))))
        {
            Place::Arguments
        } else {
            Place::Statement
        };
        output.extend(tokens.get(open).cloned());
        let inside = self.group(open + 1..close, place)?;
        output.extend(inside);
        output.extend(tokens.get(close).cloned());
        Ok(close + 1)
    }

    /// Keeps a step aside and puts a call of it into the output.
    pub(crate) fn call(&mut self, step: Step, span: Span, output: &mut Vec<TokenWithSpan>) {
        let number = self.steps.len().to_string();
        self.steps.push(step);
        let call = [
            Token::VerticalBarRightAngleBracket,
            Token::make_keyword("CALL"),
            Token::make_word(STEP_PROCEDURE, None),
            Token::LParen,
            Token::Number(number, false),
            Token::RParen,
        ];
        output.extend(call.map(|token| TokenWithSpan::new(token, span)));
    }

    /// The operator's index in the statement.
    pub(crate) fn keep(&mut self, range: Range<usize>, keyword: Span, kind: OperatorKind) -> usize {
        let span = self.tokens.span_of(range);
        self.operators.push(Operator { span, keyword, kind });
        self.operators.len() - 1
    }

    /// The end of the step at `at`: the next `|>` on the same level.
    fn step_end(&self, at: usize, end: usize) -> usize {
        let mut index = at + 1;
        while index < end {
            match self.tokens.token(index) {
                Some(Token::VerticalBarRightAngleBracket) => return index,
                Some(Token::LParen) => index = self.tokens.partner(index),
                _ => {}
            }
            index += 1;
        }
        end
    }

    /// Has sqlparser read the tokens, all of them; `end` is the token behind them.
    pub(crate) fn parse<T>(
        &self,
        input: Vec<TokenWithSpan>,
        end: usize,
        read: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>,
    ) -> Result<T, Diagnostic> {
        let boundary = Boundary { index: end };
        let mut parser = Parser::new(&GenericDialect).with_tokens_with_locations(input);
        let parsed = read(&mut parser)
            .map_err(|error| error::from_parser_error(&error, self.tokens, boundary))?;
        let left = parser.peek_token_ref();
        if left.token == Token::EOF {
            return Ok(parsed);
        }
        let index = self.tokens.index_at(left.span.start).unwrap_or(end);
        Err(self.unexpected(index))
    }

    /// For a token that does not belong to the step it stands in.
    pub(crate) fn unexpected(&self, index: usize) -> Diagnostic {
        let tokens = self.tokens;
        if let Some(diagnostic) = error::misread_keyword(tokens, index) {
            return diagnostic;
        }
        let mut diagnostic = Diagnostic::new(format!("unexpected {}", tokens.describe(index)))
            .at(tokens.span(index));
        let word = tokens.word(index).unwrap_or_default();
        diagnostic.hint = match word.as_str() {
            word if hint::PIPE_STEPS.contains(&word) && word != "AS" => {
                Some(format!("put `|>` before {word}"))
            }
            "FROM" => {
                Some("the rows are those of the step before; |> JOIN adds a table".to_string())
            }
            "GROUP" | "HAVING" => Some(
                "in pipe syntax this is |> AGGREGATE … GROUP BY …, then |> WHERE …".to_string(),
            ),
            _ => hint::for_unexpected(tokens, index),
        };
        diagnostic
    }

    pub(crate) fn check_step_count(&self, at: usize) -> Result<(), Diagnostic> {
        if self.steps.len() < MAX_STEPS {
            return Ok(());
        }
        Err(Diagnostic::new(format!("more than {MAX_STEPS} pipe steps in one statement"))
            .at(self.tokens.span(at))
            .with_hint("split it with CREATE VIEW"))
    }
}

/// `t.word` and `AS word`. The query of `CREATE VIEW v AS FROM …` stands behind AS as well.
pub(crate) fn is_name(tokens: &Tokens<'_>, at: usize, range: &Range<usize>) -> bool {
    at > range.start && (tokens.is(at - 1, &Token::Period) || tokens.is_word(at - 1, "AS"))
}
