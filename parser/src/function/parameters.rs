//! The parameters of a function: `(name type, …)`.

use std::collections::HashSet;

use sqlparser::ast::DataType;
use sqlparser::tokenizer::Token;

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::statement::ColumnDecl;
use crate::step::normal;

const HINT: &str = "a parameter is a name and a type: url TEXT";

impl Cutter<'_, '_> {
    /// The parameters in the parentheses that `open` begins; there may be none.
    pub(super) fn parameters(&self, open: usize) -> Result<Vec<ColumnDecl>, Diagnostic> {
        let close = self.tokens.partner(open);
        let mut parameters = Vec::new();
        let mut names = HashSet::new();
        let mut start = open + 1;
        while start < close || (start == close && !parameters.is_empty()) {
            let end = self.column_end(start, close);
            let parameter = self.parameter(start, end)?;
            if !names.insert(normal(&parameter.name).value) {
                return Err(Diagnostic::new(format!(
                    "parameter {} is declared twice",
                    parameter.name
                ))
                .at(parameter.span));
            }
            parameters.push(parameter);
            start = end + 1;
        }
        Ok(parameters)
    }

    fn parameter(&self, start: usize, end: usize) -> Result<ColumnDecl, Diagnostic> {
        let tokens = self.tokens;
        let start = self.parameter_mode(start, end)?;
        let refuse = |message: String| {
            Err(Diagnostic::new(message)
                .at(tokens.span_of(start..end.max(start + 1)))
                .with_hint(HINT))
        };
        if start >= end {
            return refuse(format!("expected a parameter, found {}", tokens.describe(start)));
        }
        let default = (start + 1..end).find(|index| {
            tokens.is_word(*index, "DEFAULT")
                || matches!(tokens.token(*index), Some(Token::Eq | Token::Assignment))
        });
        if let Some(default) = default {
            return Err(Diagnostic::new("not supported: a parameter with a default value")
                .at(tokens.span_of(default..end))
                .with_hint("every call gives all arguments"));
        }
        let as_type = self.data_type(start, end, "a type").ok();
        let is_type = as_type.is_some_and(|(data_type, behind)| {
            behind == end && !matches!(data_type, DataType::Custom(..))
        });
        let written = tokens.script.slice(tokens.span_of(start..end));
        if is_type {
            return refuse(format!("the parameter of type {written} has no name"));
        }
        let Some(Token::Word(word)) = tokens.token(start) else {
            return refuse(format!("expected a parameter name, found {}", tokens.describe(start)));
        };
        if start + 1 == end {
            return refuse(format!("parameter {written} has no type"));
        }
        let (data_type, behind) = self.data_type(start + 1, end, "a type")?;
        if behind < end {
            return Err(self.unexpected(behind));
        }
        Ok(ColumnDecl {
            name: word.clone().into_ident(tokens.span(start)),
            data_type: Some(data_type),
            time_format: None,
            span: tokens.span_of(start..end),
        })
    }

    /// Passes IN; the index behind it.
    fn parameter_mode(&self, start: usize, end: usize) -> Result<usize, Diagnostic> {
        let mode = self.tokens.word(start).filter(|_| start + 1 < end);
        match mode.as_deref() {
            Some("IN") => Ok(start + 1),
            Some(mode @ ("OUT" | "INOUT" | "VARIADIC")) => {
                Err(Diagnostic::new(format!("not supported: {mode} parameters"))
                    .at(self.tokens.span(start))
                    .with_hint(if mode == "VARIADIC" {
                        "give each parameter a name"
                    } else {
                        "a function returns one value, whose type follows RETURNS"
                    }))
            }
            _ => Ok(start),
        }
    }
}
