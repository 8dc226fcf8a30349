//! `REDUCE LUA '…' …`

use sqlparser::ast::{Expr, Ident};

use crate::clause::{Clause, Clauses, Grammar};
use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::statement::{OnError, OperatorKind, ReduceClause, ReduceKey};
use crate::step::normal;

use super::{Form, Read};

const GRAMMAR: Grammar = Grammar {
    name: "REDUCE LUA",
    clauses: &[Clause::Using, Clause::By, Clause::Columns, Clause::OnError],
    order: "USING, BY, AS, ON ERROR",
    has_time_formats: false,
};

impl Cutter<'_, '_> {
    pub(super) fn reduce(&mut self, at: usize, end: usize, form: Form) -> Result<Read, Diagnostic> {
        let code = self.lua_code(at, end)?;
        let (mut clauses, behind) = self.clauses(&GRAMMAR, at + 3, end, form)?;
        let Some(columns) = clauses.columns.take() else {
            return Err(self.without_columns(at, behind, end));
        };
        let using = clauses.span(Clause::Using);
        if let (Some(values), Some(place)) = (&clauses.using, using)
            && values.len() != columns.len()
        {
            return Err(Diagnostic::new(format!(
                "USING has {} and AS has {}",
                count(values.len(), "value"),
                count(columns.len(), "column")
            ))
            .at(place)
            .with_hint("REDUCE LUA folds one value into each column"));
        }
        refuse_null(&clauses)?;
        for column in &columns {
            let name = normal(&column.name).value;
            if clauses.keys.iter().filter_map(key_name).any(|key| normal(key).value == name) {
                return Err(Diagnostic::new(format!("column {} is in BY as well", column.name))
                    .at(column.span)
                    .with_hint("BY (expression AS name) gives a key another name"));
            }
        }
        let clause = ReduceClause {
            code,
            using: clauses.using,
            keys: clauses.keys,
            columns,
            on_error: clauses.on_error,
        };
        Ok((OperatorKind::Reduce(clause), using, behind))
    }

    fn without_columns(&self, at: usize, behind: usize, end: usize) -> Diagnostic {
        let tokens = self.tokens;
        if let Err(diagnostic) = self.refuse_bare_columns(behind, end) {
            return diagnostic;
        }
        if behind < end && tokens.is_word(behind, "GROUP") {
            return Diagnostic::new("expected AS (column, …), found `GROUP`")
                .at(tokens.span(behind))
                .with_hint("REDUCE LUA groups with BY (expression, …) before AS");
        }
        Diagnostic::new("REDUCE LUA needs AS (column, …)").at(tokens.span_of(at..at + 2)).with_hint(
            "these are the accumulators, the function's first parameters and what it returns",
        )
    }
}

fn refuse_null(clauses: &Clauses) -> Result<(), Diagnostic> {
    match clauses.span(Clause::OnError) {
        Some(place) if clauses.on_error == OnError::Null => {
            Err(Diagnostic::new("ON ERROR NULL is not for REDUCE")
                .at(place)
                .with_hint("ON ERROR SKIP leaves the row out of the fold"))
        }
        _ => Ok(()),
    }
}

/// The name of a key's column, where it is plain to see.
fn key_name(key: &ReduceKey) -> Option<&Ident> {
    match (&key.alias, &key.value) {
        (Some(alias), _) => Some(alias),
        (None, Expr::Identifier(name)) => Some(name),
        (None, Expr::CompoundIdentifier(names)) => names.last(),
        _ => None,
    }
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
