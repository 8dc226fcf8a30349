//! Which format, and the columns that it fills.

use std::sync::Arc;

use arrow_array::StringViewArray;

use crate::builtin;
use crate::column::ColumnSpec;
use crate::combined;
use crate::grok;
use crate::json;
use crate::logfmt;
use crate::pattern;
use crate::regex;
use crate::scan::Scanner;
use crate::syslog;

/// A format as a query names it; this is what travels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FormatSpec {
    /// Apache's and nginx's access log without referer and user agent.
    Common,
    /// Apache's and nginx's usual access log.
    Combined,
    /// Syslog, of RFC 3164 or RFC 5424.
    Syslog,
    /// An object of JSON on each line.
    Json,
    /// `key=value key="other value"`.
    Logfmt,
    /// Literals and captures: `<ip> - - [<ts>] <_>`.
    Pattern(String),
    /// A regular expression with named groups.
    Regex(String),
    /// A grok expression: `%{IP:client} %{GREEDYDATA:message}`.
    Grok(String),
    /// A format of a well-known system, by its name in upper case.
    Builtin(&'static str),
}

impl FormatSpec {
    /// The format of a name that needs no text of its own, in any case of letters.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_uppercase();
        Some(match name.as_str() {
            "COMMON" => Self::Common,
            "COMBINED" => Self::Combined,
            "SYSLOG" => Self::Syslog,
            "JSON" => Self::Json,
            "LOGFMT" => Self::Logfmt,
            other => Self::Builtin(builtin::name(other)?),
        })
    }

    /// The format of a keyword, with its text where the keyword takes one: the opposite of
    /// [`keyword`](Self::keyword) and [`text`](Self::text).
    pub fn from_parts(keyword: &str, text: Option<&str>) -> Option<Self> {
        Some(match (keyword, text) {
            ("PATTERN", Some(text)) => Self::Pattern(text.into()),
            ("REGEX", Some(text)) => Self::Regex(text.into()),
            ("GROK", Some(text)) => Self::Grok(text.into()),
            (name, None) => Self::named(name)?,
            (_, Some(_)) => return None,
        })
    }

    /// The names of all formats that need no text of their own, in upper case.
    pub fn names() -> impl Iterator<Item = &'static str> {
        ["COMMON", "COMBINED", "SYSLOG", "JSON", "LOGFMT"].into_iter().chain(builtin::names())
    }

    /// The word that names the format behind PARSE.
    pub fn keyword(&self) -> &str {
        match self {
            Self::Common => "COMMON",
            Self::Combined => "COMBINED",
            Self::Syslog => "SYSLOG",
            Self::Json => "JSON",
            Self::Logfmt => "LOGFMT",
            Self::Pattern(_) => "PATTERN",
            Self::Regex(_) => "REGEX",
            Self::Grok(_) => "GROK",
            Self::Builtin(name) => name,
        }
    }

    /// The text behind the keyword.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Pattern(text) | Self::Regex(text) | Self::Grok(text) => Some(text),
            _ => None,
        }
    }

    /// The columns of the format, or none where they depend on the lines.
    ///
    /// # Errors
    /// When the format's text is wrong.
    pub fn columns(&self) -> Result<Option<Vec<ColumnSpec>>, FormatError> {
        match self {
            Self::Common => Ok(Some(combined::columns(combined::Kind::Common))),
            Self::Combined => Ok(Some(combined::columns(combined::Kind::Combined))),
            Self::Syslog => Ok(Some(syslog::columns())),
            Self::Json | Self::Logfmt => Ok(None),
            Self::Pattern(text) => pattern::columns(text).map(Some),
            Self::Regex(text) => regex::columns(text).map(Some),
            Self::Grok(text) => grok::columns(text).map(Some),
            Self::Builtin(name) => Ok(Some(builtin::columns(name))),
        }
    }

    /// The columns that a sample of lines shows, where they depend on the lines: each key once, in
    /// the order of its first appearance, of the narrowest type that all its values fit.
    pub fn discover(&self, sample: &StringViewArray) -> Vec<ColumnSpec> {
        match self {
            Self::Json => json::discover(sample),
            Self::Logfmt => logfmt::discover(sample),
            _ => Vec::new(),
        }
    }

    /// The scanner that fills `columns`, a slot for each.
    ///
    /// # Errors
    /// When the format's text is wrong, or it has no field of a column's name.
    pub(crate) fn scanner(&self, columns: &[ColumnSpec]) -> Result<Arc<dyn Scanner>, FormatError> {
        match self {
            Self::Common => combined::scanner(combined::Kind::Common, columns),
            Self::Combined => combined::scanner(combined::Kind::Combined, columns),
            Self::Syslog => syslog::scanner(columns),
            Self::Json => json::scanner(columns),
            Self::Logfmt => logfmt::scanner(columns),
            Self::Pattern(text) => pattern::scanner(text, columns),
            Self::Regex(text) => regex::scanner(text, columns),
            Self::Grok(text) => grok::scanner(text, columns),
            Self::Builtin(name) => builtin::scanner(name, columns),
        }
    }
}

/// What is wrong with a format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FormatError {
    /// What, in lower case.
    pub message: String,
    /// Where in the text of the format, in bytes, when it is there.
    pub offset: Option<usize>,
    /// What to do.
    pub hint: Option<String>,
}

impl FormatError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), offset: None, hint: None }
    }

    pub(crate) fn at(self, offset: usize) -> Self {
        Self { offset: Some(offset), ..self }
    }

    pub(crate) fn with_hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// A column whose name is no field of the format.
    pub(crate) fn no_field(name: &str, fields: &[&str]) -> Self {
        Self::new(format!("the format has no field `{name}`"))
            .with_hint(format!("its fields are {}", fields.join(", ")))
    }
}
