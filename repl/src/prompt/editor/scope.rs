//! Which tables, files and columns a statement names, as far as its text shows.
//!
//! **Invariant:** nothing here knows a session or looks at a file.

use gleam_sql_formats::FormatSpec;
use gleam_sql_parser::{HighlightClass, highlight};

use super::context;

/// Where columns come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A path or glob in quotes.
    File(String),
    /// A table or view.
    Table(String),
    /// `text('…')`, and what a PIPE gives where it says nothing else.
    Text,
    /// A column that the statement itself names.
    Column(String),
}

/// The files that an entry names behind FROM and JOIN, with their quotes closed.
pub(super) fn files(entry: &str) -> Vec<String> {
    let sources = Reader::new(entry).read();
    sources
        .into_iter()
        .filter_map(|(source, _)| match source {
            Source::File(name) => Some(name),
            Source::Table(_) | Source::Text | Source::Column(_) => None,
        })
        .collect()
}

/// What the columns at the cursor come from. In pipes, steps behind the cursor do not count, and an
/// operator leaves the columns that it declares; elsewhere all of the statement does.
pub(super) fn at(entry: &str, cursor: usize) -> Vec<(Source, Option<String>)> {
    let statement = context::statement(entry, cursor);
    let text = &entry[statement.clone()];
    let is_pipe = highlight(text).iter().any(|(_, class)| *class == HighlightClass::Pipe);
    let end = if is_pipe { cursor - statement.start } else { text.len() };
    Reader::new(&text[..end]).read()
}

struct Reader<'t> {
    /// Words, symbols and quoted texts.
    pieces: Vec<(&'t str, HighlightClass)>,
    sources: Vec<(Source, Option<String>)>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let pieces = highlight(text)
            .into_iter()
            .filter(|(_, class)| *class != HighlightClass::Comment)
            .map(|(range, class)| (&text[range], class));
        Self { pieces: pieces.collect(), sources: Vec::new() }
    }

    /// Sources with their aliases, in order.
    fn read(mut self) -> Vec<(Source, Option<String>)> {
        let mut operator: Option<&str> = None;
        let mut at = 0;
        while at < self.pieces.len() {
            if self.pieces[at].1 == HighlightClass::Pipe && operator == Some("PIPE") {
                self.sources = vec![(Source::Text, None)];
            }
            if self.pieces[at].1 == HighlightClass::Pipe {
                operator = None;
            }
            match self.word(at).as_str() {
                "FROM" | "JOIN" => at = self.source(at + 1),
                "PIPE" => operator = Some("PIPE"),
                "MAP" | "FLATMAP" | "REDUCE" if self.word(at + 1) == "LUA" => {
                    operator = Some("LUA");
                }
                "PARSE" => {
                    operator = Some("PARSE");
                    self.parsed(at + 1);
                }
                "AS" if operator.is_some() && self.is(at + 1, "(") => {
                    // PARSE adds its columns, the others have no other ones.
                    if operator != Some("PARSE") {
                        self.sources.clear();
                    }
                    at = self.declared(at + 2);
                    operator = None;
                }
                "AS" => self.alias(at + 1),
                _ => {}
            }
            at += 1;
        }
        if operator == Some("PIPE") && self.is_behind_program() {
            self.sources = vec![(Source::Text, None)];
        }
        self.sources
    }

    fn is_identifier(&self, at: usize) -> bool {
        matches!(self.pieces.get(at), Some((_, HighlightClass::Identifier)))
    }

    /// The columns of the format at `at`, where its name or its text tells them.
    fn parsed(&mut self, at: usize) {
        let text = self.pieces.get(at + 1).and_then(|(piece, _)| unquoted(piece));
        let format = match FormatSpec::from_parts(&self.word(at), text.as_deref()) {
            Some(format) => Some(format),
            None => FormatSpec::named(&self.word(at)),
        };
        let columns = format.and_then(|format| format.columns().ok()).flatten();
        let columns = columns.into_iter().flatten();
        self.sources.extend(columns.map(|column| (Source::Column(column.name), None)));
    }

    /// What stands behind FROM; gives the last piece that belongs to it.
    fn source(&mut self, at: usize) -> usize {
        let Some(&(piece, class)) = self.pieces.get(at) else { return at };
        let (source, mut end) = match class {
            HighlightClass::String => match unquoted(piece) {
                Some(name) => (Source::File(name), at),
                None => return at,
            },
            HighlightClass::Identifier if self.is(at + 1, "(") => {
                let is_text = piece.eq_ignore_ascii_case("text");
                if !is_text {
                    return at;
                }
                (Source::Text, at + 3)
            }
            HighlightClass::Identifier if piece.eq_ignore_ascii_case("stdin") => (Source::Text, at),
            HighlightClass::Identifier => (Source::Table(name(piece)), at),
            _ => return at.saturating_sub(1),
        };
        if self.word(end + 1) == "AS" {
            end += 1;
        }
        let is_parse = self.word(end + 1) == "PARSE" && self.is_identifier(end + 2);
        let alias = self.pieces.get(end + 1).filter(|_| self.is_identifier(end + 1) && !is_parse);
        let alias = alias.map(|(piece, _)| name(piece));
        end += usize::from(alias.is_some());
        self.sources.push((source, alias));
        end
    }

    /// The names in `AS (name type, …)`; gives the closing parenthesis.
    fn declared(&mut self, start: usize) -> usize {
        let (mut at, mut depth, mut is_first) = (start, 0_usize, true);
        while let Some(&(piece, class)) = self.pieces.get(at) {
            match piece {
                "(" => depth += 1,
                ")" if depth == 0 => return at,
                ")" => depth -= 1,
                "," if depth == 0 => is_first = true,
                _ if is_first && class != HighlightClass::Symbol => {
                    self.sources.push((Source::Column(name(piece)), None));
                    is_first = false;
                }
                _ => {}
            }
            at += 1;
        }
        at
    }

    fn alias(&mut self, at: usize) {
        if let Some((piece, HighlightClass::Identifier)) = self.pieces.get(at) {
            self.sources.push((Source::Column(name(piece)), None));
        }
    }

    /// Whether the last PIPE has its program, and the cursor stands behind that.
    fn is_behind_program(&self) -> bool {
        let last = self.pieces.iter().rposition(|(piece, _)| piece.eq_ignore_ascii_case("PIPE"));
        last.is_some_and(|last| self.pieces.len() > last + 2)
    }

    /// A word in upper case.
    fn word(&self, at: usize) -> String {
        let piece = self.pieces.get(at).filter(|(_, class)| {
            matches!(class, HighlightClass::Keyword | HighlightClass::Identifier)
        });
        piece.map(|(piece, _)| piece.to_uppercase()).unwrap_or_default()
    }

    fn is(&self, at: usize, symbol: &str) -> bool {
        self.pieces.get(at).is_some_and(|(piece, _)| *piece == symbol)
    }
}

/// The text of `'…'`, where its quote is closed.
fn unquoted(piece: &str) -> Option<String> {
    let inner = piece.strip_prefix('\'')?.strip_suffix('\'')?;
    Some(inner.replace("''", "'"))
}

/// A name without its quotes.
fn name(piece: &str) -> String {
    match piece.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => piece.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KLOG: [&str; 7] = ["'a'", ".ts", ".level", ".pid", ".file", ".line", ".message"];

    /// `¦` marks the cursor; the sources are written as `'file'`, `table`, `<text>`, `.column`.
    fn check(marked: &str, expected: &[&str]) {
        let cursor = marked.find('¦').unwrap();
        let found: Vec<String> = at(&marked.replace('¦', ""), cursor)
            .into_iter()
            .map(|(source, alias)| {
                let alias = alias.map(|alias| format!(" {alias}")).unwrap_or_default();
                match source {
                    Source::File(name) => format!("'{name}'{alias}"),
                    Source::Table(name) => format!("{name}{alias}"),
                    Source::Text => format!("<text>{alias}"),
                    Source::Column(name) => format!(".{name}"),
                }
            })
            .collect();
        assert_eq!(found, expected, "{marked}");
    }

    #[test]
    fn sources_at_the_cursor() {
        check("FROM 'a''b.csv' |> WHERE ¦", &["'a'b.csv'"]);
        check("SELECT ¦ FROM 'a.csv' AS a JOIN t USING (x)", &["'a.csv' a", "t"]);
        check("SELECT a.¦ FROM 'a.csv' a, t", &["'a.csv' a"]);
        check("FROM text('a.csv') |> WHERE ¦", &["<text>"]);
        check(
            "FROM 'a' |> MAP LUA 'x' AS (n INT, \"M m\" DECIMAL(1, 2)) |> WHERE ¦",
            &[".n", ".M m"],
        );
        check("FROM 'a' |> PIPE 'x' |> WHERE ¦", &["<text>"]);
        check("FROM 'a' |> PIPE 'x' AS (p) |> WHERE ¦", &[".p"]);
        check(
            "FROM 'a' |> EXTEND x + 1 AS y |> WHERE ¦ |> AGGREGATE count(*) AS n",
            &["'a'", ".y"],
        );
        check("SELECT 1 FROM 'b'; SELECT ¦ FROM 'a'; FROM 'c'", &["'a'"]);
        check("SELECT ¦ FROM (SELECT x AS y FROM 'a')", &[".y", "'a'"]);
        check("FROM 'a' |> PARSE PATTERN '<x> <_> <y>' |> WHERE ¦", &["'a'", ".x", ".y"]);
        check("SELECT ¦ FROM 'a' PARSE klog", &KLOG);
        check("FROM 'a' |> PARSE JSON AS (x, y INT) |> WHERE ¦", &["'a'", ".x", ".y"]);
        check("FROM 'a¦", &[]);
    }
}
