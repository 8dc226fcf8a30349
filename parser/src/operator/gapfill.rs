//! `GAPFILL column BY step [PARTITION BY (…)]`

use sqlparser::tokenizer::Token;

use crate::clause::{Clause, Grammar};
use crate::cut::{Cutter, Place};
use crate::diagnostic::Diagnostic;
use crate::statement::{GapfillClause, OperatorKind, Scope};

use super::{Form, Read};

const GRAMMAR: Grammar = Grammar {
    name: "GAPFILL",
    clauses: &[Clause::PartitionBy],
    order: "BY, PARTITION BY",
    has_time_formats: false,
};
const SHAPE: &str = "write GAPFILL column BY INTERVAL '5 minutes' [PARTITION BY (column, …)]";

impl Cutter<'_, '_> {
    pub(super) fn gapfill(
        &mut self,
        at: usize,
        end: usize,
        form: Form,
    ) -> Result<Read, Diagnostic> {
        let tokens = self.tokens;
        let expected = |what: &str, index: usize| {
            let found = tokens.describe(index);
            Diagnostic::new(format!("expected {what}, found {found}"))
                .at(tokens.span(index))
                .with_hint(SHAPE)
        };
        let by = self.primary_end(at + 1, end);
        if by == at + 1 {
            return Err(expected("the column to fill", at + 1));
        }
        let input = self.group(at + 1..by, Place::Arguments)?;
        let column = self.parse(input, by, |parser| parser.parse_expr())?;
        if by >= end || !tokens.is_word(by, "BY") {
            return Err(expected("BY", by));
        }
        let behind = self.step_width_end(by + 1, end);
        if behind == by + 1 {
            return Err(expected("the distance of two buckets", by + 1));
        }
        let step_span = tokens.span_of(by + 1..behind);
        let input = self.group(by + 1..behind, Place::Arguments)?;
        let step = self.parse(input, behind, |parser| parser.parse_expr())?;
        let (clauses, behind) = self.clauses(&GRAMMAR, behind, end, form)?;
        let partition_by = match clauses.scope {
            Scope::PartitionBy(keys) => keys,
            _ => Vec::new(),
        };
        let clause = GapfillClause { column, step, step_span, partition_by };
        Ok((OperatorKind::Gapfill(clause), None, behind))
    }

    /// The token behind `'5m'`, `10` or `INTERVAL '5' MINUTE`.
    fn step_width_end(&self, at: usize, end: usize) -> usize {
        let tokens = self.tokens;
        let is_value = |index: usize| {
            index < end
                && matches!(
                    tokens.token(index),
                    Some(Token::SingleQuotedString(_) | Token::Number(..))
                )
        };
        if is_value(at) {
            return at + 1;
        }
        if !tokens.is_word(at, "INTERVAL") || !is_value(at + 1) {
            return at;
        }
        const UNITS: &[&str] = &["SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR"];
        let unit = tokens.word(at + 2).filter(|_| at + 2 < end).unwrap_or_default();
        let is_unit = UNITS.contains(&unit.trim_end_matches('S'));
        at + if is_unit { 3 } else { 2 }
    }
}
