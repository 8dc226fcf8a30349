//! `MAP | FLATMAP | FILTER LUA '…' …`

use crate::clause::{Clause, Grammar};
use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::statement::{Code, LuaClause, LuaVerb, OperatorKind};

use super::{Form, Read, without_language};

const CLAUSES: &[Clause] = &[Clause::Using, Clause::Columns, Clause::OnError];
const ORDER: &str = "USING, AS, ON ERROR";

impl Cutter<'_, '_> {
    pub(super) fn lua(
        &mut self,
        at: usize,
        end: usize,
        form: Form,
        verb: LuaVerb,
    ) -> Result<Read, Diagnostic> {
        let grammar = match verb {
            LuaVerb::Map => {
                Grammar { name: "MAP LUA", clauses: CLAUSES, order: ORDER, has_time_formats: false }
            }
            LuaVerb::FlatMap => Grammar {
                name: "FLATMAP LUA",
                clauses: CLAUSES,
                order: ORDER,
                has_time_formats: false,
            },
            LuaVerb::Filter => Grammar {
                name: "FILTER LUA",
                clauses: CLAUSES,
                order: "USING, ON ERROR",
                has_time_formats: false,
            },
        };
        let code = self.lua_code(at, end)?;
        let (clauses, behind) = self.clauses(&grammar, at + 3, end, form)?;
        match (verb, clauses.span(Clause::Columns)) {
            (LuaVerb::Filter, Some(columns)) => {
                return Err(Diagnostic::new("FILTER LUA keeps rows as they are and takes no AS")
                    .at(columns)
                    .with_hint("MAP LUA makes new columns"));
            }
            (LuaVerb::Filter, None) if form == Form::Pipe => {
                self.refuse_bare_columns(behind, end)?;
            }
            (LuaVerb::Map | LuaVerb::FlatMap, None) => {
                self.refuse_bare_columns(behind, end)?;
                return Err(Diagnostic::new(format!("{verb} LUA needs AS (column, …)"))
                    .at(self.tokens.span_of(at..at + 2))
                    .with_hint(
                        "the values that the function returns are these columns, in order",
                    ));
            }
            _ => {}
        }
        let using = clauses.span(Clause::Using);
        let clause = LuaClause {
            verb,
            code,
            using: clauses.using,
            columns: clauses.columns,
            on_error: clauses.on_error,
        };
        Ok((OperatorKind::Lua(clause), using, behind))
    }

    /// The function behind `MAP LUA` and its like at `at`.
    pub(super) fn lua_code(&self, at: usize, end: usize) -> Result<Code, Diagnostic> {
        let tokens = self.tokens;
        if !tokens.is_word(at + 1, "LUA") || at + 1 >= end {
            return Err(without_language(tokens, at));
        }
        if !tokens.is_code(at + 2) || at + 2 >= end {
            let verb = tokens.word(at).unwrap_or_default();
            let parameters = if verb == "REDUCE" { "sum, value" } else { "line" };
            return Err(Diagnostic::new(format!(
                "{verb} LUA takes its function in quotes, found {}",
                tokens.describe(at + 2)
            ))
            .at(tokens.span(at + 2))
            .with_hint(format!("write {verb} LUA 'function({parameters}) return … end'")));
        }
        self.refuse_open_code(at + 2, end)?;
        Ok(self.code(at + 2))
    }
}
