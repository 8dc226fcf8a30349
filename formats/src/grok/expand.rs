//! A grok expression as a regular expression.

use arrow_schema::DataType;

use super::library;
use super::template::{self, Part};
use super::token::{self, Token};
use crate::spec::FormatError;

/// How deep patterns may be nested in patterns.
const MAX_DEPTH: usize = 32;

/// How many tokens an expression may have.
const MAX_TOKENS: usize = 200_000;

/// What the expression became.
#[derive(Debug)]
pub(super) struct Expanded {
    pub(super) tokens: Vec<Token>,
    pub(super) fields: Vec<Field>,
    /// Whether only the backtracking engine can run it.
    pub(super) needs_backtracking: bool,
}

/// A column, and the names of the groups that fill it.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) data_type: DataType,
    pub(super) groups: Vec<String>,
}

/// Puts patterns in the place of their names; in their relaxed form where they have one.
pub(super) fn expand(text: &str, is_relaxed: bool) -> Result<Expanded, FormatError> {
    let expanded = Expanded { tokens: Vec::new(), fields: Vec::new(), needs_backtracking: false };
    let mut expander = Expander { expanded, is_relaxed, keeps_groups: has_backreference(text) };
    expander.expanded.needs_backtracking = expander.keeps_groups;
    expander.text(text, 0)?;
    Ok(expander.expanded)
}

impl Expanded {
    /// The regular expression.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for token in &self.tokens {
            token.write(&mut text);
        }
        text
    }
}

struct Expander {
    expanded: Expanded,
    is_relaxed: bool,
    /// Whether groups without a name keep their number.
    keeps_groups: bool,
}

impl Expander {
    fn text(&mut self, text: &str, depth: usize) -> Result<(), FormatError> {
        if depth > MAX_DEPTH || self.expanded.tokens.len() > MAX_TOKENS {
            return Err(FormatError::new("the expression is too big or its patterns too deep"));
        }
        for part in template::parts(text)? {
            match part {
                Part::Expression(piece) => self.piece(piece),
                Part::Named { name, field, data_type, offset } => {
                    let open = match field {
                        Some(field) => self.open_field(field, data_type),
                        None => "(?:".to_string(),
                    };
                    self.expanded.tokens.push(Token::Open(open));
                    self.named(name, depth).map_err(|error| error.at(offset))?;
                    self.expanded.tokens.push(Token::Close);
                }
            }
        }
        Ok(())
    }

    fn named(&mut self, name: &str, depth: usize) -> Result<(), FormatError> {
        if let Some(relaxed) = library::relaxed(name).filter(|_| self.is_relaxed) {
            self.expanded.tokens.push(Token::Behind(relaxed.behind));
            self.text(relaxed.body, depth + 1)?;
            self.expanded.tokens.push(Token::Ahead(relaxed.ahead));
            return Ok(());
        }
        let body = library::body(name).ok_or_else(|| {
            FormatError::new(format!("there is no pattern `{name}`"))
                .with_hint(format!("did you mean {}?", library::nearest(name)))
        })?;
        self.text(body, depth + 1)
    }

    fn piece(&mut self, piece: &str) {
        let mut rest = piece;
        while !rest.is_empty() {
            let (token, bytes) = token::next(rest);
            rest = &rest[bytes..];
            let token = match token {
                Token::Open(own) => Token::Open(self.open(own)),
                Token::Repeat(own) => {
                    self.expanded.needs_backtracking |= own.len() > 1 && own.ends_with('+');
                    Token::Repeat(own)
                }
                // Spaces and comments of the verbose form are no characters that match.
                Token::Empty(own) => {
                    self.expanded.needs_backtracking |= is_verbose(&own);
                    Token::Empty(own)
                }
                other => other,
            };
            self.expanded.tokens.push(token);
        }
    }

    /// How an opening bracket is written in the expression.
    fn open(&mut self, own: String) -> String {
        if own == "(" {
            return if self.keeps_groups { own } else { "(?:".into() };
        }
        let name = own.strip_prefix("(?P<").or_else(|| own.strip_prefix("(?<"));
        let name = name.and_then(|name| name.strip_suffix('>'));
        if let Some(name) = name {
            return self.open_field(template::column(name), DataType::Utf8View);
        }
        self.expanded.needs_backtracking |= !own.ends_with(':') || is_verbose(&own);
        own
    }

    /// A group for a field, which may have others.
    fn open_field(&mut self, name: String, data_type: DataType) -> String {
        let fields = &mut self.expanded.fields;
        let group = format!("g{}", fields.iter().map(|field| field.groups.len()).sum::<usize>());
        let open = format!("(?<{group}>");
        match fields.iter_mut().find(|field| field.name == name) {
            Some(field) => {
                if field.data_type == DataType::Utf8View {
                    field.data_type = data_type;
                }
                field.groups.push(group);
            }
            None => fields.push(Field { name, data_type, groups: vec![group] }),
        }
        open
    }
}

/// Whether flags such as `(?x)` or `(?ix:` are those of the verbose form.
fn is_verbose(flags: &str) -> bool {
    flags.strip_prefix("(?").is_some_and(|flags| flags.contains('x'))
}

fn has_backreference(text: &str) -> bool {
    let mut escapes = text.split('\\').skip(1);
    escapes.any(|rest| rest.starts_with(|c: char| matches!(c, '1'..='9' | 'k' | 'g' | 'G' | 'K')))
}
