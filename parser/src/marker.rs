//! The names by which a parsed statement refers to things that SQL has no words for.

use sqlparser::ast::{Ident, TableAlias, TableFactor};

/// Identifiers that begin with this are ours; a script may not use them.
pub(crate) const RESERVED_PREFIX: &str = "__gleam_";
/// The procedure that a pipe step is called by between cutting and desugaring.
pub(crate) const STEP_PROCEDURE: &str = "__gleam_step";
const OPERATOR_PREFIX: &str = "__gleam_op_";
const TEXT_SCHEME: &str = "text://";

/// The operator that a table factor stands for: `Some(n)` for the marker of operator n, a derived
/// table over the operator's input.
pub fn marker_index(factor: &TableFactor) -> Option<usize> {
    let TableFactor::Derived { lateral: false, alias: Some(alias), sample: None, .. } = factor
    else {
        return None;
    };
    if alias.name.quote_style.is_some() {
        return None;
    }
    alias.name.value.strip_prefix(OPERATOR_PREFIX)?.parse().ok()
}

/// The alias that makes a derived table the marker of operator `index`.
pub(crate) fn marker_alias(index: usize) -> TableAlias {
    TableAlias {
        explicit: true,
        name: Ident::new(format!("{OPERATOR_PREFIX}{index}")),
        columns: Vec::new(),
        at: None,
    }
}

/// The path or glob of a table name that `text('…')` was written for, to be read as text whatever
/// its extension. The same name may be written by hand: `'text://…'`.
pub fn text_source(name: &str) -> Option<&str> {
    name.strip_prefix(TEXT_SCHEME)
}

/// The table name for `text('path')`.
pub(crate) fn text_name(path: &str) -> String {
    format!("{TEXT_SCHEME}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_source_is_recognised_by_its_scheme() {
        assert_eq!(text_source(&text_name("logs/*.gz")), Some("logs/*.gz"));
        assert_eq!(text_source("logs/*.gz"), None);
    }
}
