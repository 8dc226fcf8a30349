//! The text of one step: how it calls the user's function and what it does with the result.

use std::fmt::Write as _;

use super::columns::{fitter, name_table};
use super::names;
use crate::lua::program::{LuaStep, LuaVerb, OnError};
use crate::lua::types::LuaType;

pub(super) fn write_filter(text: &mut String, step: &LuaStep, index: usize) {
    let args = names("a", step.args.len());
    let _ = writeln!(text, "local call{index} = F[{}]", index + 1);
    let _ = writeln!(text, "local function enter{index}({args})\n  position.step = {index}");
    if step.on_error == OnError::Fail {
        let _ = writeln!(text, "  return call{index}({args})\nend");
    } else {
        let call = [&format!("call{index}"), args.as_str()].join(", ");
        let call = call.trim_end_matches(", ");
        count_call(text, index);
        let _ = writeln!(
            text,
            "  local ok, kept = pcall({call})\n  if ok then return kept end\n  \
             host.note({index}, kept)\n  return false\nend"
        );
    }
}

/// Writes `convert<k>(returned values)`: false for no value, else true and the fitted columns.
pub(super) fn write_convert(text: &mut String, step: &LuaStep, index: usize) {
    let count = step.columns.len();
    let values = names("v", count);
    let _ = writeln!(text, "local C{index} = {{}}");
    for (k, column) in step.columns.iter().enumerate() {
        let mut fitter = fitter(&column.name, &column.data_type);
        if step.on_error == OnError::Null {
            fitter = format!("fit.or_null({fitter}, {index})");
        }
        let _ = writeln!(text, "C{index}[{}] = {fitter}", k + 1);
    }
    let surplus = match step.verb {
        LuaVerb::Call => "host.surplus_of_call(count)".to_owned(),
        _ => format!("host.surplus(count, {count})"),
    };
    let _ = writeln!(
        text,
        "local function convert{index}(...)\n  local count = select('#', ...)\n  \
         if count == 0 then return false end\n  \
         if count > {count} then {surplus} end\n  local {values} = ..."
    );
    for k in 1..=count {
        let _ = writeln!(text, "  if v{k} ~= nil then v{k} = C{index}[{k}](v{k}) end");
    }
    let _ = writeln!(text, "  return true, {values}\nend");
}

/// Writes `deliver<k>(keep, columns)`, which hands a row to `next`.
fn write_deliver(text: &mut String, step: &LuaStep, index: usize, next: &str) {
    let values = names("v", step.columns.len());
    let _ = writeln!(
        text,
        "local function deliver{index}(keep, {values})\n  \
         if keep then return {next}({values}) end\nend"
    );
}

pub(super) fn write_map(text: &mut String, step: &LuaStep, index: usize) {
    let (args, next) = (names("a", step.args.len()), format!("row{}", index + 1));
    write_convert(text, step, index);
    write_deliver(text, step, index, &next);
    let _ = writeln!(text, "local call{index} = F[{}]", index + 1);
    if step.on_error == OnError::Fail {
        let _ = writeln!(
            text,
            "local function enter{index}({args})\n  position.step = {index}\n  \
             deliver{index}(convert{index}(call{index}({args})))\nend"
        );
        return;
    }
    let on_failure = on_failure(step, index, &next);
    let comma = if args.is_empty() { "" } else { ", " };
    let _ = writeln!(
        text,
        "local function attempt{index}({args}) return convert{index}(call{index}({args})) end\n\
         local function settle{index}(ok, ...)\n  if ok then return deliver{index}(...) end\n  \
         host.note({index}, (...))\n{on_failure}end\n\
         local function enter{index}({args})\n  position.step = {index}"
    );
    count_call(text, index);
    let _ = writeln!(text, "  settle{index}(pcall(attempt{index}{comma}{args}))\nend");
}

/// Counts the rows of a step whose errors are tolerated.
pub(super) fn count_call(text: &mut String, index: usize) {
    let _ = writeln!(text, "  N[{index}].calls = N[{index}].calls + 1");
}

/// What follows the note of a tolerated failure: a row of NULLs, or nothing.
fn on_failure(step: &LuaStep, index: usize, next: &str) -> String {
    if step.on_error != OnError::Null {
        return String::new();
    }
    let nulls = vec!["nil"; step.columns.len()].join(", ");
    format!("  position.step = {index}\n  {next}({nulls})\n")
}

/// Writes `each<k>(iterator, state, control)`, which hands the rows of an iterator to `next`.
///
/// A fixed number of values is taken from each call: LuaJIT compiles no loop whose calls of C functions,
/// such as those of `gmatch`, give as many as they like. A few more are taken than there are columns,
/// to tell when there is something in them.
fn write_each(text: &mut String, step: &LuaStep, index: usize, next: &str) {
    let count = step.columns.len();
    let values = names("v", count);
    let _ = writeln!(
        text,
        "local function each{index}(iterator, state, control)\n  while true do\n    \
         local {values}, s1, s2, s3, s4 = iterator(state, control)\n    \
         if v1 == nil then return end\n    \
         if s1 ~= nil or s2 ~= nil or s3 ~= nil or s4 ~= nil then\n      \
         host.surplus_of_iterator({count})\n    end\n    \
         control = v1"
    );
    for k in 1..=count {
        let _ = writeln!(text, "    if v{k} ~= nil then v{k} = C{index}[{k}](v{k}) end");
    }
    let _ = writeln!(text, "    {next}({values})\n    position.step = {index}\n  end\nend");
}

pub(super) fn write_flat_map(text: &mut String, step: &LuaStep, index: usize, steps: usize) {
    let (args, next) = (names("a", step.args.len()), format!("row{}", index + 1));
    let single = &step.columns[0].data_type;
    let nested = matches!(single, LuaType::List(_) | LuaType::Struct(_));
    // Later steps run inside the user's call, whose pcall must not swallow their errors.
    let forward = if index + 1 == steps {
        next.clone()
    } else {
        let _ = writeln!(text, "local forward{index} = host.protected({next})");
        format!("forward{index}")
    };
    write_convert(text, step, index);
    write_deliver(text, step, index, &forward);
    write_each(text, step, index, &forward);
    let column_names = name_table(&step.columns);
    let _ = writeln!(
        text,
        "local function give{index}(...)\n  deliver{index}(convert{index}(...))\n  \
         position.step = {index}\nend\n\
         local expand{index} = host.expander({column_names}, {nested}, give{index}, each{index})\n\
         local call{index}, active = F[{}], host.active\n\
         local function run{index}({args}) expand{index}(call{index}({args})) end\n\
         local function enter{index}({args})\n  position.step = {index}\n  \
         active[{index}] = give{index}",
        index + 1
    );
    if step.on_error == OnError::Fail {
        let _ = writeln!(text, "  run{index}({args})\n  active[{index}] = false");
        text.push_str("  host.check_unwinding()\nend\n");
        return;
    }
    let comma = if args.is_empty() { "" } else { ", " };
    let on_failure = on_failure(step, index, &next);
    count_call(text, index);
    let _ = writeln!(
        text,
        "  local ok, err = pcall(run{index}{comma}{args})\n  active[{index}] = false\n  \
         host.check_unwinding()\n  if ok then return end\n  host.note({index}, err)\n\
         {on_failure}end"
    );
}
