use arrow::array::{ByteView, StringViewArray, make_view};
use arrow::buffer::{Buffer, ScalarBuffer};

use super::Lines;

/// Strings up to this length live in the view itself.
const MAX_INLINE_BYTES: usize = 12;

/// A batch's `line` column.
#[derive(Debug)]
pub struct LineViews {
    /// One string a line, without nulls.
    pub array: StringViewArray,
    /// Lines that were not UTF-8; their bad bytes are U+FFFD.
    pub invalid_lines: usize,
}

/// Makes views on the lines' own buffer. Only lines that are not UTF-8 are copied.
pub fn line_views(lines: &Lines) -> LineViews {
    let bytes = lines.bytes();
    if simdutf8::basic::from_utf8(bytes).is_ok() {
        let mut is_shared = false;
        let views = lines.spans().map(|span| {
            let start = span.start;
            view(&bytes[span], 0, start, &mut is_shared)
        });
        let views = views.collect::<Vec<u128>>();
        // Inlined lines need no buffer, and then should not keep one alive.
        let buffers = if is_shared { vec![bytes.clone()] } else { vec![] };
        return LineViews { array: string_views(views, buffers), invalid_lines: 0 };
    }
    repaired_views(lines)
}

/// The slow path: line by line, with the repaired lines in a second buffer.
fn repaired_views(lines: &Lines) -> LineViews {
    let bytes = lines.bytes();
    let mut views = Vec::with_capacity(lines.rows());
    let mut repaired = Vec::new();
    let mut invalid_lines = 0;
    for span in lines.spans() {
        let line = &bytes[span.clone()];
        if simdutf8::basic::from_utf8(line).is_ok() {
            views.push(view(line, 0, span.start, &mut false));
            continue;
        }
        invalid_lines += 1;
        let start = repaired.len();
        repaired.extend_from_slice(String::from_utf8_lossy(line).as_bytes());
        views.push(view(&repaired[start..], 1, start, &mut false));
    }
    let buffers = vec![bytes.clone(), Buffer::from_vec(repaired)];
    LineViews { array: string_views(views, buffers), invalid_lines }
}

#[inline]
fn view(text: &[u8], buffer: u32, offset: usize, is_shared: &mut bool) -> u128 {
    if text.len() <= MAX_INLINE_BYTES {
        return make_view(text, buffer, 0);
    }
    *is_shared = true;
    ByteView::new(text.len() as u32, &text[..4])
        .with_buffer_index(buffer)
        .with_offset(offset as u32)
        .as_u128()
}

fn string_views(views: Vec<u128>, buffers: Vec<Buffer>) -> StringViewArray {
    // SAFETY: every view was made above from a slice of the buffer that it names, at the
    // offset that it names. Each is UTF-8: it was checked by itself, or is a piece of checked
    // text cut at `\n` and `\r`, which are never part of a longer character. Lines and offsets
    // are within `u32`, repaired ones too: `LineBatcher` hands out more than `max_bytes` only
    // as a single line, whose limit leaves room for the repair.
    unsafe { StringViewArray::new_unchecked(ScalarBuffer::from(views), buffers, None) }
}

#[cfg(test)]
mod tests {
    use arrow::array::Array;
    use arrow::array::ArrayData;

    use super::*;
    use crate::text::{Arrival, LineBatcher};

    fn views_of(text: &[u8]) -> LineViews {
        let mut batcher = LineBatcher::new(100, 1 << 20);
        batcher.room().extend_from_slice(text);
        let views = line_views(&batcher.next_lines(Arrival::Ended).unwrap().unwrap());
        let data: ArrayData = views.array.to_data();
        data.validate_full().unwrap();
        views
    }

    fn check(text: &[u8], expected: &[&str], invalid_lines: usize) {
        let views = views_of(text);
        assert_eq!(views.array.iter().flatten().collect::<Vec<_>>(), expected);
        assert_eq!(views.invalid_lines, invalid_lines);
    }

    #[test]
    fn views_are_the_lines() {
        check(
            b"a\r\n\n\r\nb\rc\0\nlonger than twelve bytes",
            &["a", "", "", "b\rc\0", "longer than twelve bytes"],
            0,
        );
        check(
            "twelve bytes\nthirteen byte\näöü".as_bytes(),
            &["twelve bytes", "thirteen byte", "äöü"],
            0,
        );
        check(
            b"good and long enough\nbad \xff\xfe and long enough\n\xc3\nok\n",
            &["good and long enough", "bad \u{fffd}\u{fffd} and long enough", "\u{fffd}", "ok"],
            2,
        );
    }

    #[test]
    fn short_lines_hold_no_buffer() {
        assert!(views_of(b"one\ntwo\n").array.data_buffers().is_empty());
        assert_eq!(views_of(b"one\nlonger than twelve bytes\n").array.data_buffers().len(), 1);
    }
}
