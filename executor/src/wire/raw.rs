//! RAW: the value of one column a line.

use arrow::array::{Array, ByteView, StringViewArray};
use arrow::buffer::Buffer;
use memchr::{memchr, memchr_iter};

use super::Unwritable;

/// Strings up to this length live in the view itself.
const MAX_INLINE_BYTES: u32 = 12;

/// Where lines stand that follow each other in one of the column's buffers, newlines included.
#[derive(Debug, Clone, Copy)]
struct Run {
    buffer: usize,
    start: usize,
    end: usize,
    /// The rows that it has, and the first of them.
    rows: usize,
    first: usize,
}

/// The lines. Where they already stand in a buffer one behind the other, as those of a file do, they
/// are taken from there as they are, and none is copied where that is all of them.
///
/// # Errors
/// The first value that is NULL or has a newline in it.
pub(super) fn write(column: &StringViewArray) -> Result<Buffer, Unwritable> {
    let mut text = Vec::new();
    let mut run: Option<Run> = None;
    for row in 0..column.len() {
        if column.is_null(row) {
            let earlier = run.map_or(Ok(()), |run| check_run(column, run));
            return earlier.and(Err(unwritable(
                row,
                "a NULL has no form in FORMAT RAW; use FORMAT TSV, or coalesce(column, '')",
            )));
        }
        let line = line_of(column, row);
        if let (Some(run), Some(line)) = (&mut run, line)
            && (run.buffer, run.end) == (line.buffer, line.start)
        {
            run.end = line.end;
            run.rows += 1;
            continue;
        }
        if text.is_empty() && row > 0 {
            text.reserve(column.total_bytes_len() + column.len());
        }
        flush(column, run.take(), &mut text)?;
        run = line;
        if line.is_none() {
            let value = column.value(row);
            check_value(value, row)?;
            text.extend_from_slice(value.as_bytes());
            text.push(b'\n');
        }
    }
    match run {
        Some(run) if text.is_empty() => {
            check_run(column, run)?;
            let buffer = &column.data_buffers()[run.buffer];
            Ok(buffer.slice_with_length(run.start, run.end - run.start))
        }
        run => {
            flush(column, run, &mut text)?;
            Ok(Buffer::from_vec(text))
        }
    }
}

/// The place of a row whose value has a newline behind it, where it stands.
fn line_of(column: &StringViewArray, row: usize) -> Option<Run> {
    let view = ByteView::from(column.views()[row]);
    if view.length <= MAX_INLINE_BYTES {
        return None;
    }
    let (buffer, start) = (view.buffer_index as usize, view.offset as usize);
    let end = start + view.length as usize;
    let newline = column.data_buffers()[buffer].get(end)?;
    (*newline == b'\n').then_some(Run { buffer, start, end: end + 1, rows: 1, first: row })
}

fn flush(column: &StringViewArray, run: Option<Run>, text: &mut Vec<u8>) -> Result<(), Unwritable> {
    if let Some(run) = run {
        check_run(column, run)?;
        text.extend_from_slice(&column.data_buffers()[run.buffer][run.start..run.end]);
    }
    Ok(())
}

/// Looks for a newline in a value: then there are more than rows.
fn check_run(column: &StringViewArray, run: Run) -> Result<(), Unwritable> {
    let lines = &column.data_buffers()[run.buffer][run.start..run.end];
    if memchr_iter(b'\n', lines).count() == run.rows {
        return Ok(());
    }
    (run.first..run.first + run.rows).try_for_each(|row| check_value(column.value(row), row))
}

fn check_value(value: &str, row: usize) -> Result<(), Unwritable> {
    if memchr(b'\n', value.as_bytes()).is_none() {
        return Ok(());
    }
    Err(unwritable(
        row,
        "a value with a newline in it cannot be one line of FORMAT RAW; use FORMAT TSV",
    ))
}

fn unwritable(row: usize, reason: &str) -> Unwritable {
    Unwritable { row: Some(row), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, UInt32Array};
    use arrow::compute::take;
    use proptest::prelude::*;

    use super::*;
    use crate::text::{Arrival, LineBatcher, line_views};

    /// The lines of a text as a scan gives them: views on the text.
    fn views(text: &[u8]) -> StringViewArray {
        let mut batcher = LineBatcher::new(1000, 1 << 20);
        batcher.room().extend_from_slice(text);
        match batcher.next_lines(Arrival::Ended).unwrap() {
            Some(lines) => line_views(&lines).array,
            None => StringViewArray::from_iter_values(std::iter::empty::<&str>()),
        }
    }

    fn expected(column: &StringViewArray) -> String {
        column.iter().flatten().map(|value| format!("{value}\n")).collect()
    }

    #[test]
    fn lines_of_a_file_are_not_copied() {
        let column = views(b"the first of the lines\nthe second of the lines\n");
        let text = write(&column).unwrap();
        assert_eq!(text.as_slice(), expected(&column).as_bytes());
        assert_eq!(text.as_ptr(), column.data_buffers()[0].as_ptr());
    }

    #[test]
    fn a_newline_or_null_is_an_error_at_its_row() {
        let long = "longer than twelve bytes";
        let column = StringViewArray::from(vec![Some(long), Some("a\nlonger one than that")]);
        assert_eq!(write(&column).unwrap_err().row, Some(1));
        let column = StringViewArray::from(vec![Some(long), Some("a\nb"), None]);
        assert_eq!(write(&column).unwrap_err().row, Some(1));
        let column = StringViewArray::from(vec![Some(long), None, Some("a\nb")]);
        assert_eq!(write(&column).unwrap_err().row, Some(1));
        // One value that is two lines of the buffer.
        let two = views(b"the first of the lines\nthe second of the lines\n");
        let both = ByteView::new(46, b"the ").with_buffer_index(0).with_offset(0).as_u128();
        let column =
            StringViewArray::try_new(vec![both].into(), two.data_buffers().to_vec(), None).unwrap();
        assert_eq!(write(&column).unwrap_err().row, Some(0));
    }

    proptest! {
        #[test]
        fn lines_are_written_whatever_is_left_of_them(
            lines in prop::collection::vec("[ab ]{0,20}\r?", 0..30),
            has_end in any::<bool>(),
            kept in prop::collection::vec(0..30_u32, 0..40),
        ) {
            let mut text = lines.join("\n");
            if has_end { text.push('\n'); }
            let column = views(text.as_bytes());
            let written = write(&column).unwrap();
            let lines = expected(&column);
            prop_assert_eq!(written.as_slice(), lines.as_bytes());
            let kept: UInt32Array =
                kept.into_iter().filter(|row| (*row as usize) < column.len()).collect();
            let column: ArrayRef = Arc::new(column);
            let column = take(&column, &kept, None).unwrap();
            let column = column.as_string_view();
            let written = write(column).unwrap();
            let lines = expected(column);
            prop_assert_eq!(written.as_slice(), lines.as_bytes());
        }
    }
}
