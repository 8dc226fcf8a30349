//! Words that sqlparser takes for names although a clause was meant.

use std::ops::ControlFlow;

use sqlparser::ast::{Ident, Select};

use crate::diagnostic::Diagnostic;
use crate::error::{is_reserved, quote_found};
use crate::tokens::Tokens;

/// An error for `SELECT a + FROM t`, in which FROM would be a column.
pub(super) fn refuse(name: &Ident, expected: &str) -> ControlFlow<Diagnostic> {
    if name.quote_style.is_some() || !is_reserved(&name.value) {
        return ControlFlow::Continue(());
    }
    let found = quote_found(&name.value);
    ControlFlow::Break(
        Diagnostic::new(format!("expected {expected}, found {found}")).at(name.span).with_hint(
            format!("a name that is spelled like this needs quotes: \"{}\"", name.value),
        ),
    )
}

/// An error for `SELECT FROM t`.
pub(super) fn empty_select(select: &Select, tokens: &Tokens<'_>) -> Diagnostic {
    let keyword = select.select_token.0.span;
    let behind = tokens.index_at(keyword.start).map_or(tokens.len(), |index| index + 1);
    Diagnostic::new(format!("expected an expression, found {}", tokens.describe(behind)))
        .at(tokens.span(behind))
}
