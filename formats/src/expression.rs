//! What REGEX and GROK share: an expression whose groups fill columns.

mod error;

use regex_automata::util::primitives::NonMaxUsize;
use regex_automata::{Input, meta};

use crate::column::ColumnSpec;
use crate::scan::Fields;
use crate::spec::FormatError;

pub(crate) use error::error;

/// What a compiled expression may take, in bytes; the crate `regex` has the same limit.
const MAX_PROGRAM_BYTES: usize = 10 * 1024 * 1024;

/// What the caches of one search may take, in bytes.
const MAX_CACHE_BYTES: usize = 2 * 1024 * 1024;

/// Bounds of groups that need no memory of their own.
const BOUNDS_ON_STACK: usize = 64;

/// Compiles an expression.
pub(crate) fn compile(text: &str) -> Result<meta::Regex, FormatError> {
    let config = meta::Config::new()
        .nfa_size_limit(Some(MAX_PROGRAM_BYTES))
        .hybrid_cache_capacity(MAX_CACHE_BYTES);
    meta::Builder::new().configure(config).build(text).map_err(|failure| error(text, &failure))
}

/// A slot and the groups that fill it: the first of them that took part.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) slot: usize,
    pub(crate) groups: Vec<usize>,
}

/// A target for each of `columns`, of fields with a name and their groups.
pub(crate) fn targets(
    fields: &[(&str, Vec<usize>)],
    columns: &[ColumnSpec],
) -> Result<Vec<Target>, FormatError> {
    let target = |(slot, column): (usize, &ColumnSpec)| {
        let Some((_, groups)) = fields.iter().find(|(name, _)| *name == column.name) else {
            let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
            return Err(FormatError::no_field(&column.name, &names));
        };
        Ok(Target { slot, groups: groups.clone() })
    };
    columns.iter().enumerate().map(target).collect()
}

/// Searches `line` and puts the groups into the slots that are needed. Gives the bounds of the
/// match when there is one; they are only known when `with_bounds` or a group is asked for.
pub(crate) fn search(
    regex: &meta::Regex,
    targets: &[Target],
    with_bounds: bool,
    line: &str,
    fields: &mut Fields,
) -> Option<(usize, usize)> {
    let needed = targets.iter().filter(|target| fields.is_needed(target.slot));
    let last = needed.flat_map(|target| &target.groups).max();
    // A search gets slower the more it must tell: no bounds, those of the match, those of groups.
    let bounds = last.map_or(if with_bounds { 2 } else { 0 }, |group| 2 * (group + 1));
    if bounds == 0 {
        return regex.is_match(line).then_some((0, 0));
    }
    let mut on_stack = [None; BOUNDS_ON_STACK];
    let mut on_heap;
    let found: &mut [Option<NonMaxUsize>] = if bounds <= BOUNDS_ON_STACK {
        &mut on_stack[..bounds]
    } else {
        on_heap = vec![None; bounds];
        &mut on_heap
    };
    regex.search_slots(&Input::new(line), found)?;
    for target in targets {
        if !fields.is_needed(target.slot) {
            continue;
        }
        if let Some((start, end)) = target.groups.iter().find_map(|group| pair(found, *group)) {
            fields.set(target.slot, start..end);
        }
    }
    pair(found, 0)
}

fn pair(found: &[Option<NonMaxUsize>], group: usize) -> Option<(usize, usize)> {
    Some((found[2 * group]?.get(), found[2 * group + 1]?.get()))
}
