//! Which clause begins at a token, and whether it may stand there.

use sqlparser::keywords::{Keyword, RESERVED_FOR_TABLE_ALIAS};
use sqlparser::tokenizer::{Span, Token};

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::operator::{Form, recognise};

/// A clause of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clause {
    Using,
    PartitionBy,
    Single,
    PerRow,
    By,
    OrderBy,
    Format,
    Columns,
    OkExit,
    Timeout,
    OnError,
}

impl Clause {
    /// The words that it begins with.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Using => "USING",
            Self::PartitionBy => "PARTITION BY",
            Self::Single => "SINGLE",
            Self::PerRow => "PER ROW",
            Self::By => "BY",
            Self::OrderBy => "ORDER BY",
            Self::Format => "FORMAT",
            Self::Columns => "AS",
            Self::OkExit => "OK EXIT",
            Self::Timeout => "TIMEOUT",
            Self::OnError => "ON ERROR",
        }
    }

    /// How many words these are.
    pub(crate) fn word_count(self) -> usize {
        self.words().split(' ').count()
    }

    /// Where it stands among the clauses; those of equal rank exclude each other.
    fn rank(self) -> u8 {
        match self {
            Self::Using => 0,
            Self::PartitionBy | Self::Single | Self::PerRow | Self::By => 1,
            Self::OrderBy => 2,
            Self::Format => 3,
            Self::Columns => 4,
            Self::OkExit => 5,
            Self::Timeout => 6,
            Self::OnError => 7,
        }
    }
}

/// The clauses of one operator, and how messages name it.
pub(crate) struct Grammar {
    pub(crate) name: &'static str,
    pub(crate) clauses: &'static [Clause],
    /// All of them in their order.
    pub(crate) order: &'static str,
    /// Whether its columns may say how times are written.
    pub(crate) has_time_formats: bool,
}

impl Cutter<'_, '_> {
    /// The clause at `at`, checked against those before it. What could as well be an alias, or a
    /// clause of the join or of the query around the operator, is none.
    pub(crate) fn clause_at(
        &self,
        grammar: &Grammar,
        at: usize,
        end: usize,
        form: Form,
        seen: &[(Clause, Span)],
    ) -> Result<Option<Clause>, Diagnostic> {
        let Some(clause) = self.begins_clause(at, end, form)? else { return Ok(None) };
        let words = self.tokens.span_of(at..at + clause.word_count());
        let is_classic = form != Form::Pipe;
        if !grammar.clauses.contains(&clause) {
            let belongs_elsewhere =
                is_classic && matches!(clause, Clause::Single | Clause::By | Clause::OrderBy);
            let is_of_the_join = clause == Clause::Using && form == Form::Joined;
            if belongs_elsewhere || is_of_the_join || clause == Clause::OrderBy {
                return Ok(None);
            }
            return Err(foreign(grammar, clause).at(words));
        }
        let follows = |rank: u8| seen.iter().any(|(other, _)| other.rank() >= rank);
        let is_of_the_join = clause == Clause::Using && form == Form::Joined && !seen.is_empty();
        let is_of_the_query =
            clause == Clause::OrderBy && is_classic && follows(Clause::OrderBy.rank());
        if is_of_the_join || is_of_the_query {
            return Ok(None);
        }
        check_order(grammar, clause, form, seen).map_err(|diagnostic| diagnostic.at(words))?;
        Ok(Some(clause))
    }

    fn begins_clause(
        &self,
        at: usize,
        end: usize,
        form: Form,
    ) -> Result<Option<Clause>, Diagnostic> {
        let tokens = self.tokens;
        let Some(word) = tokens.word(at).filter(|_| at < end) else { return Ok(None) };
        let next = tokens.word(at + 1).filter(|_| at + 1 < end);
        let next = next.as_deref();
        let opens = at + 1 < end && tokens.is(at + 1, &Token::LParen);
        let is_alias = form != Form::Pipe && !self.is_value(at + 1, end);
        Ok(match (word.as_str(), next) {
            ("USING", _) => Some(Clause::Using),
            ("PARTITION", Some("BY")) => Some(Clause::PartitionBy),
            ("PARTITION", _) => return Err(self.incomplete(at, "PARTITION", "BY")),
            ("SINGLE", _) => (form == Form::Pipe || !opens).then_some(Clause::Single),
            ("PER", Some("ROW")) => Some(Clause::PerRow),
            ("PER", _) if !is_alias => return Err(self.incomplete(at, "PER", "ROW")),
            ("BY", _) => Some(Clause::By),
            ("ORDER", _) => Some(Clause::OrderBy),
            ("FORMAT", _) => Some(Clause::Format),
            ("AS", _) if opens => Some(Clause::Columns),
            ("OK", Some("EXIT")) => Some(Clause::OkExit),
            ("OK", _) if !is_alias => return Err(self.incomplete(at, "OK", "EXIT")),
            ("TIMEOUT", _) if !is_alias || next == Some("INTERVAL") => Some(Clause::Timeout),
            ("ON", Some("ERROR")) => self.begins_policy(at + 2, end, form)?,
            _ => None,
        })
    }

    /// What cannot follow an alias.
    fn is_value(&self, at: usize, end: usize) -> bool {
        // An alias may stand between two operators.
        if at >= end || matches!(recognise(self.tokens, at, true), Ok(true)) {
            return false;
        }
        match self.tokens.token(at) {
            Some(Token::Word(word)) => {
                word.quote_style.is_some() || word.keyword == Keyword::NoKeyword
            }
            Some(Token::LParen) => matches!(self.tokens.token(at + 1), Some(Token::Number(..))),
            Some(token) => matches!(
                token,
                Token::SingleQuotedString(_)
                    | Token::DollarQuotedString(_)
                    | Token::Number(..)
                    | Token::Minus
            ),
            None => false,
        }
    }

    /// For a clause of two words that lacks the second one.
    pub(super) fn incomplete(&self, at: usize, word: &str, missing: &str) -> Diagnostic {
        let found = self.tokens.describe(at + 1);
        Diagnostic::new(format!("expected {missing} after {word}, found {found}"))
            .at(self.tokens.span(at + 1))
    }

    /// Whether `ON ERROR` is ours: a join may have the condition `error = 1`.
    fn begins_policy(
        &self,
        at: usize,
        end: usize,
        form: Form,
    ) -> Result<Option<Clause>, Diagnostic> {
        let policy = self.tokens.word(at).filter(|_| at < end);
        if matches!(policy.as_deref(), Some("FAIL" | "NULL" | "SKIP")) {
            return Ok(Some(Clause::OnError));
        }
        if form == Form::Joined && self.may_follow_condition(at, end) {
            return Ok(None);
        }
        let found = self.tokens.describe(at);
        Err(Diagnostic::new(format!("ON ERROR is FAIL, NULL or SKIP, found {found}"))
            .at(self.tokens.span(at)))
    }

    /// Whether the token may stand behind a column in the condition of a join.
    fn may_follow_condition(&self, at: usize, end: usize) -> bool {
        const OPERATORS: &[&str] = &[
            "AND", "OR", "IS", "IN", "NOT", "LIKE", "ILIKE", "SIMILAR", "RLIKE", "REGEXP",
            "BETWEEN", "COLLATE", "AT", "DIV", "XOR",
        ];
        match self.tokens.token(at).filter(|_| at < end) {
            Some(Token::Word(word)) => {
                word.quote_style.is_none()
                    && (RESERVED_FOR_TABLE_ALIAS.contains(&word.keyword)
                        || OPERATORS.contains(&word.value.to_uppercase().as_str()))
            }
            Some(token) => !matches!(
                token,
                Token::SingleQuotedString(_) | Token::DollarQuotedString(_) | Token::Number(..)
            ),
            None => true,
        }
    }
}

/// For a clause of another operator.
fn foreign(grammar: &Grammar, clause: Clause) -> Diagnostic {
    let Grammar { name, order, .. } = grammar;
    Diagnostic::new(format!("{name} takes no {}", clause.words())).with_hint(match clause {
        Clause::By => "BY is a clause of REDUCE LUA".to_string(),
        Clause::PartitionBy if grammar.clauses.contains(&Clause::By) => {
            format!("{name} groups with BY (expression, …)")
        }
        _ => format!("{} is a clause of PIPE; {name} takes {order}", clause.words()),
    })
}

/// Each clause once, and in its place.
fn check_order(
    grammar: &Grammar,
    clause: Clause,
    form: Form,
    seen: &[(Clause, Span)],
) -> Result<(), Diagnostic> {
    let words = clause.words();
    let has = |clause: Clause| seen.iter().any(|(other, _)| *other == clause);
    if has(clause) {
        return Err(Diagnostic::new(format!("{words} is given twice")));
    }
    if let Some((other, _)) = seen.iter().find(|(other, _)| other.rank() == clause.rank()) {
        let other = other.words();
        return Err(Diagnostic::new(format!("{other} and {words} exclude each other")).with_hint(
            "PARTITION BY brings equal keys into one child, SINGLE all rows, PER ROW none",
        ));
    }
    let later = seen.iter().filter(|(other, _)| other.rank() > clause.rank());
    if let Some((later, _)) = later.min_by_key(|(other, _)| other.rank()) {
        let hint = match clause {
            Clause::Single if form != Form::Pipe => "an alias is written AS single".to_string(),
            _ => format!("the order is {}", grammar.order),
        };
        return Err(
            Diagnostic::new(format!("{words} comes before {}", later.words())).with_hint(hint)
        );
    }
    if clause == Clause::OrderBy && has(Clause::PerRow) {
        return Err(Diagnostic::new("PER ROW takes no ORDER BY: each row has a child of its own")
            .with_hint(match form {
                Form::Pipe => "to sort the result of PIPE, put `|>` before ORDER BY",
                Form::Classic | Form::Joined => {
                    "to sort the result of the query, put the item in parentheses: \
                 FROM ('…' PIPE '…' PER ROW) ORDER BY …"
                }
            }));
    }
    Ok(())
}
