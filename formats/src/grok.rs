//! `GROK '%{IPORHOST:client} %{WORD:verb} %{NUMBER:bytes:int}'`: expressions made of named patterns.
//!
//! `%{NAME}` stands for the pattern of that name, `%{NAME:field}` makes a column of it and
//! `%{NAME:field:int}` or `:float` a column of numbers; a field `[source][ip]` is the column
//! `source.ip`. Everything else is a regular expression, whose named groups are columns too. The
//! patterns are those of the crate `grok`, which has them from Logstash
//! (<https://github.com/logstash-plugins/logstash-patterns-core>, Apache-2.0).
//!
//! Many of these patterns contain look-around, which takes an engine that backtracks. Most
//! expressions do not depend on it, because of what stands beside the patterns: they run on the
//! engine of REGEX. See [`guard`].

mod expand;
mod guard;
mod library;
mod template;
mod token;

use std::sync::Arc;

use fancy_regex::{Regex as Backtracking, RegexBuilder};
use regex_automata::{PatternID, meta};

use crate::column::ColumnSpec;
use crate::expression::{self, Target};
use crate::scan::{Fields, Mismatch, Scanner};
use crate::spec::FormatError;
use expand::{Expanded, Field};
use guard::Bounds;

/// Steps back that the backtracking engine takes for one line before it gives up.
const MAX_STEPS_BACK: usize = 1_000_000;

/// Finds fields with one expression.
#[derive(Debug)]
struct Grok {
    /// The engine that needs time in proportion to the line, and which matches are its own.
    linear: Option<(meta::Regex, Vec<Target>, Bounds)>,
    exact: Backtracking,
    exact_targets: Vec<Target>,
}

/// The columns that the expression names, in their order.
pub(crate) fn columns(text: &str) -> Result<Vec<ColumnSpec>, FormatError> {
    let fields = compile(text)?.0.fields;
    Ok(fields.into_iter().map(|field| ColumnSpec::new(field.name, field.data_type)).collect())
}

/// A scanner that fills `columns`.
pub(crate) fn scanner(text: &str, columns: &[ColumnSpec]) -> Result<Arc<dyn Scanner>, FormatError> {
    let (expanded, exact) = compile(text)?;
    let names: Vec<_> = exact.capture_names().collect();
    let exact_targets = expression::targets(&groups_of(&expanded.fields, &names), columns)?;
    let linear = linear(text, columns);
    Ok(Arc::new(Grok { linear, exact, exact_targets }))
}

/// The expression as it stands.
fn compile(text: &str) -> Result<(Expanded, Backtracking), FormatError> {
    let expanded = expand::expand(text, false)?;
    if expanded.fields.is_empty() {
        return Err(FormatError::new("the expression names no field")
            .with_hint("write %{NAME:field} for what becomes a column, such as %{IP:client}"));
    }
    let exact = RegexBuilder::new(&expanded.text())
        .backtrack_limit(MAX_STEPS_BACK)
        .build()
        .map_err(|error| FormatError::new(format!("the expression is wrong: {error}")))?;
    Ok((expanded, exact))
}

/// The expression for the linear engine, where its look-around makes no difference to most lines.
fn linear(text: &str, columns: &[ColumnSpec]) -> Option<(meta::Regex, Vec<Target>, Bounds)> {
    let relaxed = expand::expand(text, true).ok()?;
    let bounds = guard::bounds(&relaxed)?;
    let regex = expression::compile(&relaxed.text()).ok()?;
    let names: Vec<_> = regex.group_info().pattern_names(PatternID::ZERO).collect();
    let targets = expression::targets(&groups_of(&relaxed.fields, &names), columns).ok()?;
    Some((regex, targets, bounds))
}

/// The numbers of the groups of each field, in an expression whose groups have `names`.
fn groups_of<'a>(fields: &'a [Field], names: &[Option<&str>]) -> Vec<(&'a str, Vec<usize>)> {
    let number = |group: &String| names.iter().position(|name| *name == Some(group.as_str()));
    let groups = |field: &'a Field| {
        (field.name.as_str(), field.groups.iter().filter_map(number).collect::<Vec<_>>())
    };
    fields.iter().map(groups).collect()
}

impl Scanner for Grok {
    fn scan(&self, line: &str, fields: &mut Fields) -> Result<(), Mismatch> {
        let Some((regex, targets, bounds)) = &self.linear else {
            return self.scan_exactly(line, fields);
        };
        let found = expression::search(regex, targets, bounds.are_needed(), line, fields);
        // The relaxed expression matches whatever the exact one does.
        let (start, end) = found.ok_or(Mismatch { offset: 0, part: 0 })?;
        if bounds.allow(line, start, end) {
            return Ok(());
        }
        for target in targets {
            fields.set_null(target.slot);
        }
        self.scan_exactly(line, fields)
    }

    fn describe(&self, _line: &str, _mismatch: Mismatch) -> String {
        "the expression is found nowhere in the line".into()
    }
}

impl Grok {
    fn scan_exactly(&self, line: &str, fields: &mut Fields) -> Result<(), Mismatch> {
        let mismatch = Mismatch { offset: 0, part: 0 };
        // A line that takes too many steps does not match.
        let captures = self.exact.captures(line).ok().flatten().ok_or(mismatch)?;
        for target in &self.exact_targets {
            if let Some(found) = target.groups.iter().find_map(|group| captures.get(*group)) {
                fields.set(target.slot, found.range());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
