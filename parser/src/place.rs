//! Places in a script: bytes, lines and columns.

use sqlparser::tokenizer::{Location, Span};

/// A script and the starts of its lines.
pub(crate) struct Script<'a> {
    pub(crate) text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Script<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let line_starts =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, line_starts }
    }

    /// Line and column, both from 1, of a byte that begins a character (or of the end).
    pub(crate) fn location(&self, byte: usize) -> Location {
        let line = self.line_starts.partition_point(|start| *start <= byte);
        let column = self.text[self.line_starts[line - 1]..byte].chars().count() + 1;
        Location::new(line as u64, column as u64)
    }

    /// The byte of a place; places outside the text are moved to its nearest edge.
    pub(crate) fn byte(&self, location: Location) -> usize {
        let Some(line) = usize::try_from(location.line).ok().and_then(|line| line.checked_sub(1))
        else {
            return 0;
        };
        let Some(&start) = self.line_starts.get(line) else {
            return self.text.len();
        };
        let column = usize::try_from(location.column).unwrap_or(usize::MAX).saturating_sub(1);
        let line_text = self.line(line);
        let offset = line_text.char_indices().nth(column).map_or(line_text.len(), |(at, _)| at);
        start + offset
    }

    /// The text of a line, counted from 0, with its line end.
    fn line(&self, line: usize) -> &'a str {
        let end = self.line_starts.get(line + 1).copied().unwrap_or(self.text.len());
        &self.text[self.line_starts[line]..end]
    }

    /// The line that a place is on, without its line end; none outside the text.
    pub(crate) fn line_at(&self, location: Location) -> Option<&'a str> {
        let line = usize::try_from(location.line).ok()?.checked_sub(1)?;
        if line >= self.line_starts.len() {
            return None;
        }
        let text = self.line(line);
        let text = text.strip_suffix('\n').unwrap_or(text);
        Some(text.strip_suffix('\r').unwrap_or(text))
    }

    pub(crate) fn slice(&self, span: Span) -> &'a str {
        let (start, end) = (self.byte(span.start), self.byte(span.end));
        self.text.get(start..end).unwrap_or_default()
    }
}
