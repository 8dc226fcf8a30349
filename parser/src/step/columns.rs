//! Steps that name columns of their input: SET, DROP, RENAME.

use sqlparser::ast::Ident;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::Token;

use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::statement::OperatorKind;

use super::Step;

impl Cutter<'_, '_> {
    pub(crate) fn set(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        self.refuse_qualified(keyword, end)?;
        let columns = self.list(keyword + 1, end, |parser| {
            let name = parser.parse_identifier()?;
            parser.expect_token(&Token::Eq)?;
            Ok((normal(&name), parser.parse_expr()?))
        })?;
        let names = columns.iter().map(|(name, _)| name.clone()).collect();
        let operator = self.require(keyword, end, names)?;
        Ok(Step::Set { columns, operator })
    }

    pub(crate) fn drop_columns(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        self.refuse_qualified(keyword, end)?;
        let columns: Vec<Ident> = self
            .list(keyword + 1, end, |parser| parser.parse_identifier())?
            .iter()
            .map(normal)
            .collect();
        let operator = self.require(keyword, end, columns.clone())?;
        Ok(Step::Drop { columns, operator })
    }

    /// SET and DROP name columns, each once.
    fn require(
        &mut self,
        keyword: usize,
        end: usize,
        names: Vec<Ident>,
    ) -> Result<usize, Diagnostic> {
        refuse_repeated(names.iter())?;
        let span = self.tokens.span(keyword);
        Ok(self.keep(keyword..end, span, OperatorKind::Require(names)))
    }

    pub(crate) fn rename(&mut self, keyword: usize, end: usize) -> Result<Step, Diagnostic> {
        self.refuse_qualified(keyword, end)?;
        let names = self.list(keyword + 1, end, |parser| {
            let old = parser.parse_identifier()?;
            let _optional = parser.parse_keyword(Keyword::AS);
            Ok((normal(&old), normal(&parser.parse_identifier()?)))
        })?;
        refuse_repeated(names.iter().map(|(old, _)| old))?;
        refuse_repeated(names.iter().map(|(_, new)| new))?;
        let span = self.tokens.span(keyword);
        Ok(Step::Operator(self.keep(keyword..end, span, OperatorKind::Rename(names))))
    }
}

impl Cutter<'_, '_> {
    /// Refuses `t.a` where a list names a column.
    fn refuse_qualified(&self, keyword: usize, end: usize) -> Result<(), Diagnostic> {
        let tokens = self.tokens;
        let mut begins_name = true;
        let mut index = keyword + 1;
        while index + 2 < end {
            if begins_name && tokens.is(index + 1, &Token::Period) {
                let step = tokens.word(keyword).unwrap_or_default();
                return Err(Diagnostic::new(format!("{step} names columns without their table"))
                    .at(tokens.span_of(index..index + 3))
                    .with_hint(format!(
                        "write {step} {}",
                        tokens.script.slice(tokens.span(index + 2))
                    )));
            }
            if tokens.is(index, &Token::LParen) {
                index = tokens.partner(index);
            }
            begins_name = tokens.is(index, &Token::Comma);
            index += 1;
        }
        Ok(())
    }
}

fn refuse_repeated<'n>(names: impl Iterator<Item = &'n Ident>) -> Result<(), Diagnostic> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if seen.contains(&name.value.as_str()) {
            return Err(Diagnostic::new(format!("column {name} is named twice")).at(name.span));
        }
        seen.push(&name.value);
    }
    Ok(())
}

/// An identifier as the planner resolves it: in lower case unless it is quoted.
pub(crate) fn normal(name: &Ident) -> Ident {
    if name.quote_style.is_some() {
        return name.clone();
    }
    Ident { value: name.value.to_lowercase(), ..name.clone() }
}
