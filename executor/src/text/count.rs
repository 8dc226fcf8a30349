use super::lines::BYTE_ORDER_MARK;

/// Counts lines when nobody looks at them. Agrees with [`LineBatcher`](super::LineBatcher).
#[derive(Debug, Default)]
pub(crate) struct LineCounter {
    /// Bytes at the very beginning, while they may be a byte order mark.
    mark: usize,
    is_past_mark: bool,
    has_open_line: bool,
}

impl LineCounter {
    /// A counter that begins inside a text, where a byte order mark is a character.
    pub(crate) fn inside(self) -> Self {
        Self { is_past_mark: true, ..self }
    }

    /// How many lines end in `bytes`.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> usize {
        let mut bytes = bytes;
        while !self.is_past_mark && !bytes.is_empty() {
            if BYTE_ORDER_MARK.get(self.mark) != bytes.first() {
                self.is_past_mark = true;
                self.has_open_line = self.mark > 0 && self.mark < BYTE_ORDER_MARK.len();
                break;
            }
            self.mark += 1;
            bytes = &bytes[1..];
        }
        if let Some(&last) = bytes.last() {
            self.has_open_line = last != b'\n';
        }
        memchr::memchr_iter(b'\n', bytes).count()
    }

    /// At the end: 1 if there is a last line without a newline.
    pub(crate) fn finish(&self) -> usize {
        let is_broken_mark = !self.is_past_mark && (1..BYTE_ORDER_MARK.len()).contains(&self.mark);
        usize::from(self.has_open_line || is_broken_mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], expected: usize) {
        for read in 1..=text.len().max(1) {
            let mut counter = LineCounter::default();
            let lines = text.chunks(read).map(|bytes| counter.push(bytes)).sum::<usize>();
            assert_eq!(lines + counter.finish(), expected, "{text:?} in reads of {read}");
        }
    }

    #[test]
    fn counts_as_lines_are_cut() {
        check(b"", 0);
        check(b"\n", 1);
        check(b"a", 1);
        check(b"a\nb", 2);
        check(b"a\n\nb\n", 3);
        check(b"\xEF\xBB\xBF", 0);
        check(b"\xEF\xBB\xBFa", 1);
        check(b"\xEF\xBB\xBF\n", 1);
        check(b"\xEF\xBB", 1);
        check(b"\xEF\xBBa\n", 1);
    }
}
