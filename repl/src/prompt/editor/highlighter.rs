//! Entries in colour.

use std::ops::Range;

use gleam_sql_parser::{CodeClass, HighlightClass, highlight as classes, highlight_code};

use crate::paint::PLAIN;
use crate::prompt::commands;

const KEYWORD: &str = "\x1b[1;34m";
const STRING: &str = "\x1b[32m";
const CODE: &str = "\x1b[33m";
const NUMBER: &str = "\x1b[36m";
const COMMENT: &str = "\x1b[90m";
const PIPE: &str = "\x1b[1;35m";
const ERROR: &str = "\x1b[31m";

/// The entry with colours, and nothing else changed.
pub(super) fn highlight(entry: &str) -> String {
    if entry.trim_start().starts_with('\\') {
        return command(entry);
    }
    let inner = highlight_code(entry);
    let mut inner = inner.as_slice();
    let mut painted = String::with_capacity(entry.len() * 2);
    let mut end = 0;
    for (range, class) in classes(entry) {
        painted.push_str(&entry[end..range.start]);
        end = range.end;
        let within = inner.partition_point(|(piece, _)| piece.start < range.end);
        let (pieces, rest) = inner.split_at(within);
        inner = rest;
        if pieces.is_empty() {
            paint(&mut painted, colour(class), &entry[range]);
        } else {
            program(&mut painted, entry, range, pieces);
        }
    }
    painted.push_str(&entry[end..]);
    painted
}

fn program(
    painted: &mut String,
    entry: &str,
    whole: Range<usize>,
    pieces: &[(Range<usize>, CodeClass)],
) {
    let mut end = whole.start;
    for (range, class) in pieces {
        paint(painted, CODE, &entry[end..range.start]);
        let colour = match class {
            CodeClass::Keyword | CodeClass::Operator => PIPE,
            CodeClass::String => STRING,
            CodeClass::Value => NUMBER,
            CodeClass::Comment => COMMENT,
        };
        paint(painted, colour, &entry[range.clone()]);
        end = range.end;
    }
    paint(painted, CODE, &entry[end..whole.end]);
}

fn command(entry: &str) -> String {
    let indent = entry.len() - entry.trim_start().len();
    let length = entry[indent..].find(char::is_whitespace).unwrap_or(entry.len() - indent);
    let name = &entry[indent..indent + length];
    let is_known = commands::ALL.iter().any(|command| command.name == name);
    let may_become = commands::ALL.iter().any(|command| command.name.starts_with(name));
    let mut painted = entry[..indent].to_owned();
    paint(&mut painted, if is_known || may_become { KEYWORD } else { ERROR }, name);
    painted + &entry[indent + length..]
}

fn colour(class: HighlightClass) -> &'static str {
    match class {
        HighlightClass::Keyword => KEYWORD,
        HighlightClass::String => STRING,
        HighlightClass::Code => CODE,
        HighlightClass::Number => NUMBER,
        HighlightClass::Comment => COMMENT,
        HighlightClass::Pipe => PIPE,
        HighlightClass::Error => ERROR,
        HighlightClass::Identifier | HighlightClass::Symbol => "",
    }
}

fn paint(painted: &mut String, colour: &str, text: &str) {
    if colour.is_empty() || text.is_empty() {
        painted.push_str(text);
        return;
    }
    painted.push_str(colour);
    painted.push_str(text);
    painted.push_str(PLAIN);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Colours as letters: K keyword, S string, C code, N number, P pipe, E error.
    fn check(entry: &str, expected: &str) {
        let painted = highlight(entry);
        let mut shown = painted.clone();
        for (colour, letter) in
            [(KEYWORD, "K"), (STRING, "S"), (CODE, "C"), (NUMBER, "N"), (PIPE, "P"), (ERROR, "E")]
        {
            shown = shown.replace(colour, &format!("{letter}["));
        }
        assert_eq!(shown.replace(PLAIN, "]"), expected);
        let mut plain = painted;
        while let Some(start) = plain.find('\x1b') {
            let end = plain[start..].find('m').map_or(plain.len(), |end| start + end + 1);
            plain.replace_range(start..end, "");
        }
        assert_eq!(plain, entry, "only colours are added");
    }

    #[test]
    fn statements_commands_and_programs() {
        check("FROM 'x' |> LIMIT 1;", "K[FROM] S['x'] P[|>] K[LIMIT] N[1];");
        check(
            "FROM 'x' PIPE 'grep \"a\" | wc'",
            "K[FROM] S['x'] K[PIPE] C['grep ]S[\"a\"]C[ ]P[|]C[ wc']",
        );
        check("|> MAP LUA $$return 1", "P[|>] K[MAP] K[LUA] C[$$]P[return]C[ ]N[1]");
        check(" \\d 'x'", " K[\\d] 'x'");
        check("\\nosuch", "E[\\nosuch]");
    }
}
