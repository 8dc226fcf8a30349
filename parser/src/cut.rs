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
use crate::hint;
use crate::marker::{STEP_PROCEDURE, text_name};
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
    let mut cutter = Cutter { tokens, steps: Vec::new(), operators: Vec::new() };
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

/// How far a FROM clause has been read.
#[derive(Default)]
struct FromClause {
    /// Whether a comma begins another item.
    open: bool,
    /// Where the current item begins in the output.
    item: Option<usize>,
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
    fn begin_item(&mut self, output_length: usize) {
        self.open = true;
        self.item = Some(output_length);
    }
}

/// Finds queries that begin with FROM. sqlparser reads them only where it has tried nothing else:
/// not in an expression, and not with a WHERE of their own. `SELECT *` before them helps it.
struct QueryStart {
    /// Whether a query may begin in this place at all.
    possible: bool,
    /// Whether the current query has begun.
    begun: bool,
}

impl QueryStart {
    fn new(tokens: &Tokens<'_>, range: &Range<usize>) -> Self {
        let possible = tokens.is(range.start, &Token::LParen)
            || matches!(
                tokens.word(range.start).as_deref(),
                Some(
                    "FROM" | "WITH" | "SELECT" | "VALUES" | "TABLE" | "EXPLAIN" | "CREATE" | "INSERT"
                        | "PREPARE"
                )
            );
        Self { possible, begun: false }
    }

    /// Whether the word at `at` is the FROM that begins a query without SELECT.
    fn begins_with_from(&mut self, tokens: &Tokens<'_>, at: usize, range: &Range<usize>) -> bool {
        if !self.possible || (at > range.start && tokens.is(at - 1, &Token::Period)) {
            return false;
        }
        match tokens.word(at).as_deref() {
            Some("SELECT" | "VALUES") => self.begun = true,
            Some("UNION" | "INTERSECT" | "EXCEPT" | "MINUS") => self.begun = false,
            Some("FROM") if !self.begun => {
                self.begun = true;
                return !selects_later(tokens, at + 1, range.end);
            }
            _ => {}
        }
        false
    }
}

/// `FROM t SELECT a`
fn selects_later(tokens: &Tokens<'_>, start: usize, end: usize) -> bool {
    let mut index = start;
    while index < end {
        match tokens.token(index) {
            Some(Token::LParen) => index = tokens.partner(index),
            Some(Token::VerticalBarRightAngleBracket) => return false,
            Some(Token::Word(_)) => match tokens.word(index).as_deref() {
                Some("SELECT") => return true,
                Some("UNION" | "INTERSECT" | "EXCEPT" | "MINUS") => return false,
                _ => {}
            },
            _ => {}
        }
        index += 1;
    }
    false
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
                    if place == Place::Statement && queries.begins_with_from(tokens, at, &range) {
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
                    self.keyword(at, &range, place, &mut from, output.len())?;
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
            && previous.is_some_and(|previous| matches!(tokens.token(previous), Some(Token::Word(_))))
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

    /// Follows the keywords that begin and end FROM clauses and their items.
    fn keyword(
        &self,
        at: usize,
        range: &Range<usize>,
        place: Place,
        from: &mut FromClause,
        output_length: usize,
    ) -> Result<(), Diagnostic> {
        let tokens = self.tokens;
        let previous = at.checked_sub(1).filter(|previous| *previous >= range.start);
        if previous.is_some_and(|previous| {
            tokens.is(previous, &Token::Period) || tokens.is_word(previous, "AS")
        }) {
            return Ok(());
        }
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
            "ON" | "USING" => {
                from.item = None;
                from.join = None;
            }
            "LEFT" | "RIGHT" | "FULL" | "INNER" | "CROSS" | "NATURAL" | "SEMI" | "ANTI"
            | "ASOF" | "OUTER" => from.item = None,
            "SELECT" | "WHERE" | "GROUP" | "HAVING" | "QUALIFY" | "WINDOW" | "ORDER" | "LIMIT"
            | "OFFSET" | "FETCH" | "UNION" | "INTERSECT" | "EXCEPT" | "MINUS" | "RETURNING"
            | "SET" | "SETTINGS" => self.finish_from(from)?,
            _ => {}
        }
        Ok(())
    }

    /// Ends a FROM clause. A join that lost its USING to an operator would silently pair every
    /// row with every other.
    fn finish_from(&self, from: &mut FromClause) -> Result<(), Diagnostic> {
        let pending = std::mem::take(from).join;
        match pending.and_then(|join| join.taken) {
            None => Ok(()),
            Some(taken) => Err(Diagnostic::new(
                "this USING belongs to the operator before it, and the join has no condition",
            )
            .at(taken)
            .with_hint("put the item with its operator in parentheses: JOIN (b PIPE '…') USING (…)")),
        }
    }

    /// `IS [NOT] DISTINCT FROM`.
    fn is_distinct_from(&self, at: usize) -> bool {
        let word = |back: usize| at.checked_sub(back).and_then(|index| self.tokens.word(index));
        word(1).as_deref() == Some("DISTINCT")
            && matches!(word(2).as_deref(), Some("IS" | "NOT"))
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
    fn text_call(
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
    fn begins_operator(
        &self,
        at: usize,
        range: &Range<usize>,
        from: &FromClause,
        output_length: usize,
    ) -> Result<bool, Diagnostic> {
        let tokens = self.tokens;
        let behind_item = from.item.is_some_and(|start| start < output_length);
        if at > range.start
            && (tokens.is(at - 1, &Token::Period) || tokens.is_word(at - 1, "AS"))
        {
            return Ok(false);
        }
        match crate::operator::recognise(tokens, at, behind_item)? {
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
    fn operators_behind_item(
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
            && crate::operator::recognise(self.tokens, next, true)?
        {
            let keyword = self.tokens.span(next);
            let (operator, using, behind) = self.operator(next, end, crate::operator::Form::Classic)?;
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

    /// Keeps a step aside and puts a call of it into the output.
    fn call(&mut self, step: Step, span: Span, output: &mut Vec<TokenWithSpan>) {
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
    pub(crate) fn keep(
        &mut self,
        range: Range<usize>,
        keyword: Span,
        kind: OperatorKind,
    ) -> usize {
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
        let mut diagnostic = Diagnostic::new(format!("unexpected {}", tokens.describe(index)))
            .at(tokens.span(index));
        let word = tokens.word(index).unwrap_or_default();
        diagnostic.hint = match word.as_str() {
            word if hint::PIPE_STEPS.contains(&word) && word != "AS" => {
                Some(format!("put `|>` before {word}"))
            }
            "FROM" => Some("the rows are those of the step before; |> JOIN adds a table".to_string()),
            "GROUP" | "HAVING" => {
                Some("in pipe syntax this is |> AGGREGATE … GROUP BY …, then |> WHERE …".to_string())
            }
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
