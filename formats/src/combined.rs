//! The access logs of Apache and nginx.

use std::sync::Arc;

use crate::column::ColumnSpec;
use crate::scan::Scanner;
use crate::spec::FormatError;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Common,
    Combined,
}

/// The columns of the format.
pub(crate) fn columns(_kind: Kind) -> Vec<ColumnSpec> {
    Vec::new()
}

/// A scanner that fills `columns`.
pub(crate) fn scanner(
    _kind: Kind,
    columns: &[ColumnSpec],
) -> Result<Arc<dyn Scanner>, FormatError> {
    let _ = columns;
    Err(FormatError::new("unfinished"))
}
