//! What Tab offers.

use std::sync::Arc;
use std::time::Duration;

use rustyline::completion::Pair;

use crate::prompt::chart::Kind;
use crate::prompt::commands::{self, pset};
use crate::prompt::vocabulary::Vocabulary;

use super::context::{self, Context};
use super::scope::{self, Source};
use super::{paths, words};

/// How long Tab waits for the columns of a file that was named just now: shorter than one feels.
const PATIENCE: Duration = Duration::from_millis(120);
/// The columns of text.
const TEXT_COLUMNS: [&str; 3] = ["file", "line_no", "line"];

/// The byte at which the candidates begin, and the candidates.
pub(super) fn complete(vocabulary: &Arc<Vocabulary>, entry: &str, at: usize) -> (usize, Vec<Pair>) {
    let here = context::of(entry, at);
    let behind = if entry[at..].starts_with('\'') { "" } else { "'" };
    match here {
        Context::Command { start } => {
            let names = commands::ALL.iter().map(|command| command.name);
            (start, exactly(&entry[start..at], names))
        }
        Context::Argument { command, start } => {
            (start, of_argument(vocabulary, &command, entry, start..at, behind))
        }
        Context::Path { start } => (start, paths::candidates(&entry[start..at], behind, true)),
        Context::ShellWord { start } => (start, paths::candidates(&entry[start..at], "", true)),
        Context::Setting { start } => {
            let known = vocabulary.words();
            let names = known.settings.iter().map(|setting| setting.name.as_str());
            (start, up_to_point(&entry[start..at], names.chain(["ALL"])))
        }
        Context::Statement { start } => (start, keywords(&entry[start..at], words::STATEMENTS)),
        Context::Step { start } => (start, keywords(&entry[start..at], words::STEPS)),
        Context::Table { start } => (start, tables(vocabulary, &entry[start..at])),
        Context::ColumnOf { table, start } => {
            (start, columns_of(vocabulary, entry, at, &table, &entry[start..at]))
        }
        Context::Expression { start, is_open } => {
            (start, of_expression(vocabulary, entry, at, &entry[start..at], is_open))
        }
        Context::Nothing => (at, Vec::new()),
    }
}

fn of_argument(
    vocabulary: &Arc<Vocabulary>,
    command: &str,
    entry: &str,
    typed: std::ops::Range<usize>,
    behind: &str,
) -> Vec<Pair> {
    let is_quoted = entry[..typed.start].ends_with('\'');
    let typed = &entry[typed];
    match command {
        "\\d" if is_quoted => paths::candidates(typed, behind, true),
        "\\d" => tables(vocabulary, typed),
        "\\i" | "\\o" if is_quoted => paths::candidates(typed, behind, true),
        "\\i" | "\\o" => paths::candidates(typed, "", false),
        "\\chart" => exactly(typed, Kind::NAMES.into_iter()),
        "\\x" | "\\timing" => exactly(typed, ["on", "off"].into_iter()),
        "\\df" => {
            let known = vocabulary.words();
            exactly(typed, known.functions.iter().map(String::as_str))
        }
        "\\pset" => match typed.strip_prefix("format ") {
            Some(format) => {
                let formats = pset::formats();
                let found = exactly(format, formats.iter().map(String::as_str));
                let pair = |pair: Pair| Pair {
                    replacement: format!("format {}", pair.replacement),
                    ..pair
                };
                found.into_iter().map(pair).collect()
            }
            None => exactly(typed, pset::NAMES.into_iter()),
        },
        _ => Vec::new(),
    }
}

/// Columns before all else: where one fits, nothing else is offered. Behind a value no column does.
fn of_expression(
    vocabulary: &Arc<Vocabulary>,
    entry: &str,
    at: usize,
    typed: &str,
    is_open: bool,
) -> Vec<Pair> {
    if typed.is_empty() && !is_open {
        return keywords(typed, words::KEYWORDS);
    }
    let mut columns = Vec::new();
    for (source, _) in scope::at(entry, at) {
        columns.extend(columns_from(vocabulary, &source));
    }
    columns.sort();
    columns.dedup();
    let found = names(typed, columns.iter().map(String::as_str));
    if !found.is_empty() {
        return found;
    }
    let known = vocabulary.words();
    let functions = known.functions.iter().map(|name| format!("{name}("));
    let functions: Vec<String> = functions.collect();
    let mut all = keywords(typed, words::KEYWORDS);
    if !typed.is_empty() {
        all.extend(names(typed, functions.iter().map(String::as_str)));
    }
    all
}

fn columns_of(
    vocabulary: &Arc<Vocabulary>,
    entry: &str,
    at: usize,
    table: &str,
    typed: &str,
) -> Vec<Pair> {
    let is_meant = |source: &Source, alias: &Option<String>| match (source, alias) {
        (_, Some(alias)) => alias.eq_ignore_ascii_case(table),
        (Source::Table(name), None) => name.eq_ignore_ascii_case(table),
        _ => false,
    };
    let sources = scope::at(entry, at);
    let meant = sources.iter().find(|(source, alias)| is_meant(source, alias));
    let columns = meant.map(|(source, _)| columns_from(vocabulary, source)).unwrap_or_default();
    names(typed, columns.iter().map(String::as_str))
}

fn columns_from(vocabulary: &Arc<Vocabulary>, source: &Source) -> Vec<String> {
    match source {
        Source::Column(name) => vec![name.clone()],
        Source::Text => TEXT_COLUMNS.map(str::to_owned).to_vec(),
        Source::File(name) => {
            vocabulary.columns_of(name, PATIENCE).map(|found| found.to_vec()).unwrap_or_default()
        }
        Source::Table(name) => {
            let known = vocabulary.words();
            let found = known.tables.iter().find(|(table, _)| table.eq_ignore_ascii_case(name));
            found.map(|(_, columns)| columns.clone()).unwrap_or_default()
        }
    }
}

fn tables(vocabulary: &Arc<Vocabulary>, typed: &str) -> Vec<Pair> {
    let known = vocabulary.words();
    let tables = known.tables.iter().map(|(name, _)| name.as_str());
    names(typed, tables.chain(words::SOURCES.iter().copied()))
}

/// Keywords in the letters that were typed: small ones for small ones.
fn keywords(typed: &str, all: &[&str]) -> Vec<Pair> {
    let is_small = typed.contains(|c: char| c.is_lowercase());
    let found = all.iter().filter(|word| begins(word, typed));
    let cased = |word: &&str| if is_small { word.to_lowercase() } else { (**word).to_owned() };
    found.map(cased).map(pair).collect()
}

/// Names, in quotes where they need them.
fn names<'a>(typed: &str, all: impl Iterator<Item = &'a str>) -> Vec<Pair> {
    let found = all.filter(|name| begins(name, typed) && !name.contains(char::is_control));
    found.map(|name| Pair { display: name.to_owned(), replacement: written(name) }).collect()
}

/// A name as it stands in a statement. A name with a parenthesis is that of a function.
fn written(name: &str) -> String {
    let plain = name.strip_suffix('(').unwrap_or(name);
    let is_plain = plain.chars().all(|c| c.is_lowercase() || c.is_ascii_digit() || c == '_')
        && !plain.starts_with(|c: char| c.is_ascii_digit());
    if is_plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

fn exactly<'a>(typed: &str, all: impl Iterator<Item = &'a str>) -> Vec<Pair> {
    all.filter(|word| word.starts_with(typed)).map(str::to_owned).map(pair).collect()
}

/// Names with points, level by level.
fn up_to_point<'a>(typed: &str, all: impl Iterator<Item = &'a str>) -> Vec<Pair> {
    let level = |name: &str| match name[typed.len()..].find('.') {
        Some(point) => name[..typed.len() + point + 1].to_owned(),
        None => name.to_owned(),
    };
    let mut found: Vec<String> = all.filter(|name| begins(name, typed)).map(level).collect();
    found.sort();
    found.dedup();
    found.into_iter().map(pair).collect()
}

fn begins(word: &str, typed: &str) -> bool {
    word.get(..typed.len()).is_some_and(|start| start.eq_ignore_ascii_case(typed))
}

fn pair(word: String) -> Pair {
    Pair { display: word.clone(), replacement: word }
}
