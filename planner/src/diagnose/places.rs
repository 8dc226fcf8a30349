//! Where in a statement a message belongs.

use std::ops::Range;

use gleam_sql_parser::{HighlightClass, Location, Span, highlight};

/// Finds places in one statement of a script.
pub(super) struct Places<'a> {
    pub(super) script: &'a str,
    pub(super) text: Range<usize>,
}

impl Places<'_> {
    pub(super) fn start(&self) -> Span {
        let at = self.location(self.text.start);
        Span::new(at, at)
    }

    /// The first name or keyword that is `word`.
    pub(super) fn of_word(&self, word: &str) -> Option<Span> {
        self.find(|class, text| {
            let is_code = !matches!(class, HighlightClass::String | HighlightClass::Comment);
            is_code && text.trim_matches('"').eq_ignore_ascii_case(word)
        })
    }

    /// The first quoted text that says `name`.
    pub(super) fn of_quoted(&self, name: &str) -> Option<Span> {
        let quoted = format!("'{}'", name.replace('\'', "''"));
        self.find(|_, text| text == quoted)
    }

    fn find(&self, is_it: impl Fn(HighlightClass, &str) -> bool) -> Option<Span> {
        let text = self.script.get(self.text.clone())?;
        let (range, _) = highlight(text)
            .into_iter()
            .find(|(range, class)| is_it(*class, &text[range.clone()]))?;
        let place = |byte| self.location(self.text.start + byte);
        Some(Span::new(place(range.start), place(range.end)))
    }

    fn location(&self, byte: usize) -> Location {
        let before = &self.script[..byte];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        Location::new(line as u64, before[line_start..].chars().count() as u64 + 1)
    }
}
