//! RAW: the value of one column a line.

use arrow::array::{Array, StringViewArray};
use memchr::memchr;

use super::Unwritable;

/// # Errors
/// The first value that is NULL or has a newline in it.
pub(super) fn write(column: &StringViewArray) -> Result<Vec<u8>, Unwritable> {
    let mut text = Vec::with_capacity(column.total_bytes_len() + column.len());
    for (row, value) in column.iter().enumerate() {
        let unwritable = |reason: &str| Unwritable { row: Some(row), reason: reason.to_owned() };
        let Some(value) = value else {
            return Err(unwritable(
                "a NULL has no form in FORMAT RAW; use FORMAT TSV, or coalesce(column, '')",
            ));
        };
        if memchr(b'\n', value.as_bytes()).is_some() {
            return Err(unwritable(
                "a value with a newline in it cannot be one line of FORMAT RAW; use FORMAT TSV",
            ));
        }
        text.extend_from_slice(value.as_bytes());
        text.push(b'\n');
    }
    Ok(text)
}
