//! `strip_ansi`, `log_template`.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use gleam_sql_formats::text::{log_template, strip_ansi};

use super::LogFunction;

pub(super) fn functions() -> Vec<LogFunction> {
    let text = |name| (name, DataType::Utf8View);
    vec![
        LogFunction::new(
            "strip_ansi",
            &[text("text")],
            DataType::Utf8View,
            "The text without the escape sequences of terminals, such as colours.",
            |columns| map(columns, |text| Some(strip_ansi(text))),
        ),
        LogFunction::new(
            "log_template",
            &[text("line")],
            DataType::Utf8View,
            "The line with `<*>` for numbers, addresses, identifiers and the like, so that lines \
             of one kind are equal.",
            |columns| map(columns, |line| Some(Cow::Owned(log_template(line)))),
        ),
    ]
}

/// A text made of each text of the first column.
pub(super) fn map(
    columns: &[ArrayRef],
    of: impl for<'a> Fn(&'a str) -> Option<Cow<'a, str>>,
) -> Result<ArrayRef> {
    let texts: &StringViewArray = columns[0].as_string_view();
    let mut values = StringViewBuilder::with_capacity(texts.len());
    for text in texts {
        values.append_option(text.and_then(&of));
    }
    Ok(Arc::new(values.finish()))
}
