//! Where the cursor is in an entry.
//!
//! **Invariant:** nothing here knows a session or looks at a file.

use std::ops::Range;

use gleam_sql_parser::{HighlightClass, highlight, is_complete};

use super::words::{BEFORE_TABLES, BEFORE_VALUES};

/// What could stand at the cursor, with the byte at which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Context {
    /// The name of a command.
    Command { start: usize },
    /// An argument of a command.
    Argument { command: String, start: usize },
    /// A path in an open quote.
    Path { start: usize },
    /// A file name in the open program of a shell.
    ShellWord { start: usize },
    /// The name of a setting.
    Setting { start: usize },
    /// The first word of a statement.
    Statement { start: usize },
    /// The first word behind `|>`.
    Step { start: usize },
    /// A table.
    Table { start: usize },
    /// A column of the table that stands before a point.
    ColumnOf { table: String, start: usize },
    /// A column, a function, a keyword; `is_open` where a value has to follow.
    Expression { start: usize, is_open: bool },
    /// Nothing that could be completed.
    Nothing,
}

/// The part of the entry that the cursor's statement is: behind the last `;` before the cursor, up to
/// the next one.
pub(super) fn statement(entry: &str, at: usize) -> Range<usize> {
    let ends = highlight(entry)
        .into_iter()
        .filter(|(range, class)| *class == HighlightClass::Symbol && &entry[range.clone()] == ";");
    let (mut start, mut end) = (0, entry.len());
    for (range, _) in ends {
        if range.end <= at {
            start = range.end;
        } else if range.start >= at {
            end = end.min(range.start);
        }
    }
    start..end
}

pub(super) fn of(entry: &str, at: usize) -> Context {
    let before = &entry[..at];
    let trimmed = before.trim_start();
    if trimmed.starts_with('\\') {
        return of_command(before, before.len() - trimmed.len());
    }
    let start = statement(entry, at).start;
    in_statement(&before[start..], start)
}

fn of_command(before: &str, name_start: usize) -> Context {
    let Some(length) = before[name_start..].find(char::is_whitespace) else {
        return Context::Command { start: name_start };
    };
    let name_end = name_start + length;
    let command = before[name_start..name_end].to_owned();
    let rest = &before[name_end..];
    let start = match rest.find('\'') {
        Some(quote) => name_end + quote + 1,
        None => name_end + rest.len() - rest.trim_start().len(),
    };
    // Behind a closed quote there is nothing.
    let is_closed = rest.matches('\'').count() == 2;
    if is_closed { Context::Nothing } else { Context::Argument { command, start } }
}

/// `before` is the statement up to the cursor, and begins at byte `offset` of the entry.
fn in_statement(before: &str, offset: usize) -> Context {
    let pieces = highlight(before);
    let is_open = !is_complete(&format!("{before};"));
    if let Some((range, class)) = pieces.last().filter(|_| is_open) {
        return in_quotes(before, &pieces, range.clone(), *class, offset);
    }
    if matches!(pieces.last(), Some((_, HighlightClass::Comment)))
        && !before.trim_end_matches([' ', '\t']).ends_with('\n')
        && before.rfind("--") > before.rfind('\n')
    {
        return Context::Nothing;
    }
    let word_start = before.len() - trailing(before, |c| c.is_alphanumeric() || c == '_');
    let dotted = before.len() - trailing(before, |c| c.is_alphanumeric() || "_.".contains(c));
    let pieces: Vec<_> = pieces
        .into_iter()
        .filter(|(range, class)| *class != HighlightClass::Comment && range.start < dotted)
        .collect();
    let words: Vec<&str> = pieces.iter().map(|(range, _)| &before[range.clone()]).collect();
    let is = |word: Option<&&str>, wanted: &[&str]| {
        word.is_some_and(|word| wanted.iter().any(|wanted| word.eq_ignore_ascii_case(wanted)))
    };
    if words.len() == 1 && is(words.first(), &["SET", "SHOW", "RESET"]) {
        return Context::Setting { start: offset + dotted };
    }
    if dotted < word_start {
        let table = before[dotted..word_start - 1].rsplit('.').next().unwrap_or_default();
        return Context::ColumnOf { table: table.to_owned(), start: offset + word_start };
    }
    let start = offset + word_start;
    match words.last() {
        None => Context::Statement { start },
        Some(&"|>") => Context::Step { start },
        last if is(last, BEFORE_TABLES) => Context::Table { start },
        last if is(last, &["EXPLAIN", "ANALYZE"]) && words.len() < 3 => {
            Context::Statement { start }
        }
        Some(_) => Context::Expression { start, is_open: wants_value(&words) },
    }
}

/// Whether a value has to follow the words of a statement.
fn wants_value(words: &[&str]) -> bool {
    let is_one_of = |word: &str, all: &[&str]| all.iter().any(|one| one.eq_ignore_ascii_case(word));
    match words {
        // All columns, or a product.
        [.., before, "*"] => {
            !matches!(*before, "(" | "," | ".") && !is_one_of(before, &["SELECT", "DISTINCT"])
        }
        [.., ")" | "]" | "}" | "|>" | ";"] | [] => false,
        [.., last] => {
            last.chars().all(|c| c.is_ascii_punctuation() && !"'\"_$".contains(c))
                || is_one_of(last, BEFORE_VALUES)
        }
    }
}

/// The cursor is in a quote that is open.
fn in_quotes(
    before: &str,
    pieces: &[(Range<usize>, HighlightClass)],
    quoted: Range<usize>,
    class: HighlightClass,
    offset: usize,
) -> Context {
    let previous = pieces.len().checked_sub(2).map(|at| &before[pieces[at].0.clone()]);
    let follows = |word: &str| previous.is_some_and(|found| found.eq_ignore_ascii_case(word));
    let is_code = class == HighlightClass::Code;
    if follows("PIPE") {
        let inside =
            before.len() - trailing(before, |c| !c.is_whitespace() && !"'\"|;<>=$".contains(c));
        return Context::ShellWord { start: offset + inside };
    }
    if is_code || class != HighlightClass::String || follows("LUA") {
        return Context::Nothing;
    }
    let mark = before[quoted.clone()].find('\'').map_or(0, |at| at + 1);
    Context::Path { start: offset + quoted.start + mark }
}

/// The bytes of the longest end of which all characters are as wanted.
fn trailing(text: &str, wanted: impl Fn(char) -> bool) -> usize {
    text.len() - text.trim_end_matches(wanted).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `|` marks the cursor, unless it is part of `|>`.
    fn check(marked: &str, expected: Context) {
        let at = marked.find('¦').unwrap();
        let entry = marked.replace('¦', "");
        assert_eq!(of(&entry, at), expected, "{marked}");
    }

    #[test]
    fn places() {
        use Context::*;
        check("\\d¦", Command { start: 0 });
        check(" \\¦", Command { start: 1 });
        check("\\d acc¦", Argument { command: "\\d".to_owned(), start: 3 });
        check("\\d 'acc¦", Argument { command: "\\d".to_owned(), start: 4 });
        check("\\d 'acc' ¦", Nothing);
        check("FROM 'logs/a¦", Path { start: 6 });
        check("FROM 'logs/a¦' |> LIMIT 1", Path { start: 6 });
        check("SELECT 1; FROM '¦", Path { start: 16 });
        check("FROM 'x' |> PIPE 'grep -f wor¦", ShellWord { start: 26 });
        check("FROM 'x' |> MAP LUA 'fun¦", Nothing);
        check("FROM 'x' |> MAP LUA $$ fun¦", Nothing);
        check("SELECT 1 -- fr¦", Nothing);
        check("SELECT 1 /* fr¦", Nothing);
        check("SET gleam.op¦", Setting { start: 4 });
        check("show ¦", Setting { start: 5 });
        check("¦", Statement { start: 0 });
        check("SELECT 1;\n fr¦", Statement { start: 11 });
        check("EXPLAIN fr¦", Statement { start: 8 });
        check("FROM 'x' |> wh¦", Step { start: 12 });
        check("FROM 'x' |>¦", Step { start: 11 });
        check("SELECT * FROM ta¦", Table { start: 14 });
        check("FROM 'x' |> JOIN ¦", Table { start: 17 });
        check("FROM t |> WHERE t.na¦", ColumnOf { table: "t".to_owned(), start: 18 });
        check("FROM 'x' |> WHERE li¦", Expression { start: 18, is_open: true });
        check("SELECT st¦ FROM 'x'", Expression { start: 7, is_open: true });
        check("SELECT count(st¦", Expression { start: 13, is_open: true });
        check("FROM 'x' |> WHERE ¦", Expression { start: 18, is_open: true });
        check("FROM 'x' |> WHERE n ¦", Expression { start: 20, is_open: false });
        check("FROM 'x' |> WHERE n > ¦", Expression { start: 22, is_open: true });
        check("FROM 'x' |> WHERE n > 4 ¦", Expression { start: 24, is_open: false });
        check("FROM 'x' |> WHERE n IS NULL ¦", Expression { start: 28, is_open: false });
        check("FROM 'x' |> WHERE n IS ¦", Expression { start: 23, is_open: false });
        check("FROM 'x' |> ORDER ¦", Expression { start: 18, is_open: false });
        check("FROM 'x' |> ORDER BY ¦", Expression { start: 21, is_open: true });
        check("FROM 'x' |> EXTEND n * ¦", Expression { start: 23, is_open: true });
        check("SELECT * ¦", Expression { start: 9, is_open: false });
        check("SELECT 'a' ¦", Expression { start: 11, is_open: false });
        check("SELECT count(*) ¦", Expression { start: 16, is_open: false });
    }

    #[test]
    fn statements_of_an_entry() {
        let entry = "SELECT ';'; FROM 'x' |> LIMIT 1; SELECT 2";
        assert_eq!(&entry[statement(entry, 15)], " FROM 'x' |> LIMIT 1");
        assert_eq!(&entry[statement(entry, 3)], "SELECT ';'");
        assert_eq!(&entry[statement(entry, entry.len())], " SELECT 2");
    }
}
