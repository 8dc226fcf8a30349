//! Columns of text: views on the lines, which are not copied.

use arrow_array::StringViewArray;
use arrow_buffer::{Buffer, NullBufferBuilder, ScalarBuffer};

/// The longest text that a view holds in itself.
const MAX_INLINE_BYTES: usize = 12;

/// Builds a column of text over the buffers of the lines it is cut from.
#[derive(Debug)]
pub(crate) struct TextBuilder {
    views: Vec<u128>,
    nulls: NullBufferBuilder,
    /// How many buffers the lines have; the one behind them is `own`.
    line_buffers: u32,
    own: Vec<u8>,
    /// Whether a view shows a part of a line.
    shows_lines: bool,
}

/// One line with its view.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) text: &'a str,
    pub(crate) view: u128,
}

impl TextBuilder {
    pub(crate) fn new(rows: usize, line_buffers: usize) -> Self {
        Self {
            views: Vec::with_capacity(rows),
            nulls: NullBufferBuilder::new(rows),
            line_buffers: u32::try_from(line_buffers)
                .expect("an array has fewer than 2^32 buffers"),
            own: Vec::new(),
            shows_lines: false,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.views.len()
    }

    pub(crate) fn append_null(&mut self) {
        self.views.push(0);
        self.nulls.append_null();
    }

    /// Appends the bytes `start..` of the line that are `field`.
    pub(crate) fn append_of(&mut self, line: Line<'_>, start: usize, field: &str) {
        debug_assert_eq!(line.text.get(start..start + field.len()), Some(field));
        let view = if field.len() <= MAX_INLINE_BYTES {
            inline_of(line.text.as_bytes(), start, field)
        } else {
            self.shows_lines = true;
            // A line with such a field is longer than what its own view would hold.
            let buffer = (line.view >> 64) as u32;
            let offset = (line.view >> 96) as u32 + start as u32;
            outside(field, buffer, offset)
        };
        self.views.push(view);
        self.nulls.append_non_null();
    }

    /// Appends text that stands in no line.
    pub(crate) fn append_own(&mut self, text: &str) {
        let view = if text.len() <= MAX_INLINE_BYTES {
            inline(text)
        } else {
            let offset = u32::try_from(self.own.len()).expect("a batch rewrites less than 4 GiB");
            self.own.extend_from_slice(text.as_bytes());
            outside(text, self.line_buffers, offset)
        };
        self.views.push(view);
        self.nulls.append_non_null();
    }

    /// The column. `lines` is the array from which all lines came.
    pub(crate) fn finish(mut self, lines: &StringViewArray) -> StringViewArray {
        let shows_any = self.shows_lines || !self.own.is_empty();
        let mut buffers = if shows_any { lines.data_buffers().to_vec() } else { Vec::new() };
        if !self.own.is_empty() {
            buffers.push(Buffer::from_vec(self.own));
        }
        let views = ScalarBuffer::from(self.views);
        let nulls = self.nulls.finish();
        // SAFETY: a view holds its text, or says where it is: in `own`, behind which nothing was
        // taken away, or at an offset of a line's view in that line's buffer. The texts are `str`,
        // so that what the views show is UTF-8, and their lengths and prefixes are the texts' own.
        unsafe { StringViewArray::new_unchecked(views, buffers, nulls) }
    }
}

/// The view of a short field. Where the line goes on behind it, a fixed number of bytes is copied,
/// which is faster than just its own.
fn inline_of(line: &[u8], start: usize, field: &str) -> u128 {
    let Some(letters) = line.get(start..).and_then(|rest| rest.first_chunk::<MAX_INLINE_BYTES>())
    else {
        return inline(field);
    };
    let mut bytes = [0; 16];
    bytes[4..].copy_from_slice(letters);
    let kept = u128::MAX >> (8 * (MAX_INLINE_BYTES - field.len()));
    (u128::from_le_bytes(bytes) & kept) | field.len() as u128
}

fn inline(text: &str) -> u128 {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&(text.len() as u32).to_le_bytes());
    bytes[4..4 + text.len()].copy_from_slice(text.as_bytes());
    u128::from_le_bytes(bytes)
}

fn outside(text: &str, buffer: u32, offset: u32) -> u128 {
    let mut prefix = [0; 4];
    prefix.copy_from_slice(&text.as_bytes()[..4]);
    (text.len() as u32 as u128)
        | (u128::from(u32::from_le_bytes(prefix)) << 32)
        | (u128::from(buffer) << 64)
        | (u128::from(offset) << 96)
}
