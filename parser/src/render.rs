//! A diagnostic as text: message, place, the line with a caret under it, hint.

use std::fmt::Write as _;

use sqlparser::tokenizer::Span;

use crate::diagnostic::Diagnostic;
use crate::place::Script;

/// A quoted line is cut to this many columns around its caret.
const MAX_LINE_COLUMNS: usize = 120;
/// What is kept before the caret when a line is cut.
const COLUMNS_BEFORE_CARET: usize = 40;
const TAB_COLUMNS: usize = 4;

impl Diagnostic {
    /// The error as plain text, its place quoted from the script. Ends with a newline.
    pub fn render(&self, script: &str, script_name: Option<&str>) -> String {
        let mut text = format!("error: {}\n", visible(&self.message));
        let script = Script::new(script);
        let gutter = self.span.map_or(0, |span| span.start.line.to_string().len());
        if let Some(span) = self.span {
            quote(&mut text, &script, span, script_name, gutter);
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "{:gutter$} = help: {}", "", visible(hint));
        }
        text
    }
}

fn quote(text: &mut String, script: &Script<'_>, span: Span, name: Option<&str>, gutter: usize) {
    let (line, column) = (span.start.line, span.start.column);
    let place = match name {
        Some(name) => format!("{}:{line}:{column}", visible(name)),
        None => format!("line {line}, column {column}"),
    };
    let _ = writeln!(text, "{:gutter$}--> {place}", "");
    let Some(source) = script.line_at(span.start) else { return };
    let start = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1);
    let end = if span.end.line == line {
        usize::try_from(span.end.column).unwrap_or(usize::MAX).saturating_sub(1)
    } else {
        usize::MAX
    };
    let (shown, caret) = clip(&cells(source), start, end);
    let _ = writeln!(text, "{:gutter$} |", "");
    let _ = writeln!(text, "{line} | {}", shown.trim_end());
    let _ = writeln!(text, "{:gutter$} | {caret}", "");
}

/// A character as it is shown, and the terminal columns that takes.
struct Cell {
    shown: String,
    columns: usize,
}

fn cells(line: &str) -> Vec<Cell> {
    line.chars()
        .map(|character| match character {
            '\t' => Cell { shown: " ".repeat(TAB_COLUMNS), columns: TAB_COLUMNS },
            character if is_harmful(character) => {
                let shown = character.escape_unicode().to_string();
                let columns = shown.len();
                Cell { shown, columns }
            }
            character => Cell { shown: character.to_string(), columns: columns_of(character) },
        })
        .collect()
}

/// The shown part of a line, and the line of carets under the characters `start..end`.
fn clip(cells: &[Cell], start: usize, end: usize) -> (String, String) {
    let start = start.min(cells.len());
    let end = end.clamp(start, cells.len());
    let total: usize = cells.iter().map(|cell| cell.columns).sum();
    let mut first = 0;
    let mut last = cells.len();
    if total > MAX_LINE_COLUMNS {
        first = start;
        let mut before = 0;
        while first > 0 && before + cells[first - 1].columns <= COLUMNS_BEFORE_CARET {
            first -= 1;
            before += cells[first].columns;
        }
        last = start;
        let mut after = before;
        while last < cells.len() && after + cells[last].columns <= MAX_LINE_COLUMNS {
            after += cells[last].columns;
            last += 1;
        }
    }
    let (cut_left, cut_right) = (first > 0, last < cells.len());
    let mut shown = String::new();
    let mut padding = 0;
    if cut_left {
        shown.push('…');
        padding += 1;
    }
    padding += cells[first..start].iter().map(|cell| cell.columns).sum::<usize>();
    shown.extend(cells[first..last].iter().map(|cell| cell.shown.as_str()));
    if cut_right {
        shown.push('…');
    }
    let marked = cells[start..end.min(last).max(start)].iter().map(|cell| cell.columns).sum();
    let carets = "^".repeat(std::cmp::max(1, marked));
    (shown, format!("{:padding$}{carets}", ""))
}

/// Text without anything that a terminal obeys.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_harmful(character) || character == '\t' {
            shown.extend(character.escape_debug());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Control characters, and the invisible ones that reorder text.
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2028}' | '\u{2029}'
            | '\u{2060}'..='\u{2069}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{061C}')
}

/// Terminal columns of a visible character: 0 for what combines, 2 for the wide scripts of
/// Unicode's East Asian Width annex and for emoji, 1 otherwise.
fn columns_of(character: char) -> usize {
    match character {
        '\u{0300}'..='\u{036F}'
        | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FE20}'..='\u{FE2F}' => 0,
        '\u{1100}'..='\u{115F}'
        | '\u{2E80}'..='\u{303E}'
        | '\u{3041}'..='\u{33FF}'
        | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}'
        | '\u{A000}'..='\u{A4CF}'
        | '\u{AC00}'..='\u{D7A3}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{FE30}'..='\u{FE6F}'
        | '\u{FF00}'..='\u{FF60}'
        | '\u{FFE0}'..='\u{FFE6}'
        | '\u{1F300}'..='\u{1F64F}'
        | '\u{1F680}'..='\u{1F6FF}'
        | '\u{1F900}'..='\u{1F9FF}'
        | '\u{20000}'..='\u{3FFFD}' => 2,
        _ => 1,
    }
}
