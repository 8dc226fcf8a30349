//! A script to its statements, one at a time.

use std::ops::Range;

use datafusion_sql::parser::{DFParserBuilder, Statement as DfStatement};
use sqlparser::dialect::GenericDialect;
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::cut::{Cut, cut};
use crate::desugar::desugar;
use crate::diagnostic::Diagnostic;
use crate::error::{self, Boundary};
use crate::format::format;
use crate::function::function;
use crate::place::Script;
use crate::script::split;
use crate::stack::with_deep_stack;
use crate::statement::Statement;
use crate::tokens::Tokens;
use crate::variables::Variables;

/// Parses the statements of a script, each when it is asked for: an error in the second one does
/// not keep the first one back. What follows an erroneous statement is still handed out.
pub fn parse_script(script: &str) -> Statements<'_> {
    Statements { script: Script::new(script), ranges: split(script).into_iter(), variables: None }
}

/// The statements of a script.
pub struct Statements<'a> {
    script: Script<'a>,
    ranges: std::vec::IntoIter<Range<usize>>,
    variables: Option<&'a Variables>,
}

impl<'a> Statements<'a> {
    /// The same statements with values in the places of `:name`, `:'name'` and `:"name"`. A variable
    /// without a value is an error of its statement.
    #[must_use]
    pub fn with_variables(self, variables: &'a Variables) -> Self {
        Self { variables: Some(variables), ..self }
    }
}

impl Iterator for Statements<'_> {
    type Item = Result<Statement, Diagnostic>;

    fn next(&mut self) -> Option<Self::Item> {
        let range = self.ranges.next()?;
        Some(with_deep_stack(|| parse_statement(&self.script, range, self.variables)))
    }
}

fn parse_statement(
    script: &Script<'_>,
    range: Range<usize>,
    variables: Option<&Variables>,
) -> Result<Statement, Diagnostic> {
    let tokens = Tokens::new(script, range.clone(), variables)?;
    if let Some((function, body)) = function(&tokens)? {
        let operators = Vec::new();
        return Ok(Statement {
            text: range,
            body,
            operators,
            function: Some(function),
            format: None,
        });
    }
    if let Some((format, body)) = format(&tokens)? {
        let operators = Vec::new();
        return Ok(Statement {
            text: range,
            body,
            operators,
            function: None,
            format: Some(format),
        });
    }
    let Cut { rest, steps, mut operators } = cut(&tokens)?;
    let mut body = parse_plain(&tokens, rest)?;
    desugar(&tokens, &mut body, &mut operators, steps)?;
    Ok(Statement { text: range, body, operators, function: None, format: None })
}

/// Has DataFusion parse what was left of a statement.
fn parse_plain(tokens: &Tokens<'_>, rest: Vec<TokenWithSpan>) -> Result<DfStatement, Diagnostic> {
    let boundary = Boundary { index: tokens.len() };
    let mut parser = DFParserBuilder::new(rest)
        .with_dialect(&GenericDialect)
        .build()
        .map_err(|error| error::from_datafusion(&error, tokens, boundary))?;
    let statement = parser
        .parse_statement()
        .map_err(|error| error::from_datafusion(&error, tokens, boundary))?;
    let left = parser.parser.peek_token_ref();
    if left.token == Token::EOF {
        return Ok(statement);
    }
    let index = tokens.index_at(left.span.start).unwrap_or(tokens.len());
    Err(error::trailing(tokens, index))
}
