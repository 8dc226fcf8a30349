//! `PIPE '…' …`

use crate::clause::{Clause, Grammar};
use crate::cut::Cutter;
use crate::diagnostic::Diagnostic;
use crate::statement::{OperatorKind, PipeClause};

use super::{Form, Read, unquoted_command};

const GRAMMAR: Grammar = Grammar {
    name: "PIPE",
    clauses: &[
        Clause::Using,
        Clause::PartitionBy,
        Clause::Single,
        Clause::PerRow,
        Clause::OrderBy,
        Clause::Format,
        Clause::Columns,
        Clause::OkExit,
        Clause::Timeout,
        Clause::OnError,
    ],
    order: "USING, PARTITION BY or SINGLE or PER ROW, ORDER BY, FORMAT, AS, OK EXIT, TIMEOUT, \
            ON ERROR",
    has_time_formats: false,
};

impl Cutter<'_, '_> {
    pub(super) fn pipe(&mut self, at: usize, end: usize, form: Form) -> Result<Read, Diagnostic> {
        let tokens = self.tokens;
        if !tokens.is_code(at + 1) || at + 1 >= end {
            return Err(unquoted_command(tokens, at + 1));
        }
        self.refuse_open_code(at + 1, end)?;
        let code = self.code(at + 1);
        let (clauses, behind) = self.clauses(&GRAMMAR, at + 2, end, form)?;
        if form == Form::Pipe && clauses.columns.is_none() {
            self.refuse_bare_columns(behind, end)?;
        }
        let using = clauses.span(Clause::Using);
        let clause = PipeClause {
            code,
            using: clauses.using,
            scope: clauses.scope,
            order_by: clauses.order_by,
            format: clauses.format,
            columns: clauses.columns,
            ok_exit: clauses.ok_exit,
            timeout: clauses.timeout,
            on_error: clauses.on_error,
        };
        Ok((OperatorKind::Pipe(clause), using, behind))
    }
}
