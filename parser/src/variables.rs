//! Variables of a script: `:name`, `:'name'` and `:"name"`, each replaced by the value that it has.
//!
//! Tokens are replaced, never text: a value cannot end a quote or a statement, and every place in
//! what follows is still one in the script. What looks like a variable inside quotes, `$$` and
//! comments is none, as the tokenizer has made one token of all that.

use std::collections::BTreeMap;

use sqlparser::dialect::GenericDialect;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Span, Token, TokenWithSpan, Tokenizer, Word};

use crate::diagnostic::Diagnostic;
use crate::error::{lower_first, quote_found};
use crate::tokens::is_blank;

/// The values of variables, by name; upper and lower case differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Gives `name` a value, in the place of the one that it had.
    ///
    /// # Errors
    /// When it is not a name: letters of ASCII, digits and `_`, and no digit at the beginning.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), Diagnostic> {
        if !is_name(name) {
            let shown = quote_found(name);
            return Err(Diagnostic::new(format!("{shown} is not the name of a variable"))
                .with_hint("a name has letters, digits and `_`, and no digit at its beginning"));
        }
        self.0.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// `tokens`, without blanks, with values in the places of variables.
    pub(crate) fn substitute(
        &self,
        tokens: Vec<TokenWithSpan>,
    ) -> Result<Vec<TokenWithSpan>, Diagnostic> {
        if !tokens.iter().any(|token| token.token == Token::Colon) {
            return Ok(tokens);
        }
        let mut replaced: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
        let mut before: Option<TokenWithSpan> = None;
        let mut rest = tokens.into_iter().peekable();
        while let Some(token) = rest.next() {
            let begins = token.token == Token::Colon && !continues(before.as_ref(), &token);
            let used = rest.peek().filter(|next| begins && touch(&token, next)).and_then(used);
            match used {
                Some(used) => {
                    let span = Span::new(token.span.start, used.end);
                    replaced.extend(self.value(&used, span)?);
                    before = rest.next();
                }
                None => {
                    before = Some(token.clone());
                    replaced.push(token);
                }
            }
        }
        Ok(replaced)
    }

    /// The tokens of a value, all at the place of the variable.
    fn value(&self, used: &Used, span: Span) -> Result<Vec<TokenWithSpan>, Diagnostic> {
        let value = self.get(&used.name).ok_or_else(|| self.undefined(&used.name).at(span))?;
        let at = |token| TokenWithSpan { token, span };
        Ok(match used.form {
            Form::Text => vec![at(Token::SingleQuotedString(value.to_owned()))],
            Form::Name => vec![at(Token::Word(Word {
                value: value.to_owned(),
                quote_style: Some('"'),
                keyword: Keyword::NoKeyword,
            }))],
            Form::Sql => sql(value)
                .map_err(|reason| no_sql(&used.name, value, &reason).at(span))?
                .into_iter()
                .map(at)
                .collect(),
        })
    }

    fn undefined(&self, name: &str) -> Diagnostic {
        let limit = (name.chars().count() / 3).max(1);
        let near = self
            .names()
            .map(|known| (strsim::damerau_levenshtein(name, known), known))
            .filter(|(distance, _)| *distance <= limit)
            .min();
        let hint = match near {
            Some((_, near)) => format!("did you mean :{near}?"),
            None => format!(
                "-v {name}=value gives it a value; a `:` that is none has a blank behind it"
            ),
        };
        Diagnostic::new(format!("the variable `{name}` has no value")).with_hint(hint)
    }
}

/// A variable behind its `:`.
struct Used {
    name: String,
    form: Form,
    end: sqlparser::tokenizer::Location,
}

enum Form {
    /// `:name`
    Sql,
    /// `:'name'`
    Text,
    /// `:"name"`
    Name,
}

fn used(token: &TokenWithSpan) -> Option<Used> {
    let (name, form) = match &token.token {
        Token::Word(Word { value, quote_style: None, .. }) => (value, Form::Sql),
        Token::Word(Word { value, quote_style: Some('"'), .. })
        | Token::DoubleQuotedString(value) => (value, Form::Name),
        Token::SingleQuotedString(value) => (value, Form::Text),
        _ => return None,
    };
    is_name(name).then(|| Used { name: name.clone(), form, end: token.span.end })
}

fn is_name(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(is_word) && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}

/// Whether a `:` belongs to what stands directly before it: `{'key':value}`, `list[1:n]`, `json:key`.
fn continues(before: Option<&TokenWithSpan>, colon: &TokenWithSpan) -> bool {
    before.is_some_and(|before| touch(before, colon) && ends_operand(&before.token))
}

fn ends_operand(token: &Token) -> bool {
    matches!(
        token,
        Token::Word(_)
            | Token::Number(..)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::DollarQuotedString(_)
            | Token::Placeholder(_)
            | Token::RParen
            | Token::RBracket
            | Token::RBrace
    )
}

fn touch(left: &TokenWithSpan, right: &TokenWithSpan) -> bool {
    left.span.end == right.span.start
}

/// A value as the tokens of a part of one statement.
fn sql(value: &str) -> Result<Vec<Token>, String> {
    let tokens = Tokenizer::new(&GenericDialect, value)
        .tokenize()
        .map_err(|error| lower_first(&error.message))?;
    let tokens: Vec<Token> = tokens.into_iter().filter(|token| !is_blank(token)).collect();
    match tokens.contains(&Token::SemiColon) {
        true => Err("it has a `;`, which ends a statement".to_owned()),
        false => Ok(tokens),
    }
}

fn no_sql(name: &str, value: &str, reason: &str) -> Diagnostic {
    let value = quote_found(value);
    Diagnostic::new(format!("the value {value} of the variable `{name}` is no SQL: {reason}"))
        .with_hint(format!("write :'{name}' to use it as a text"))
}
