//! The text of a fold.

use std::fmt::Write as _;

use super::names;
use super::steps::{count_call, write_convert};
use crate::lua::program::{LuaColumn, LuaStep, OnError};

/// Writes `enter0(group, values)`, which folds the values into the accumulators of the group, and
/// `finish()`, which pushes them and forgets them. The first values of a group are its accumulators.
///
/// `T` holds the accumulators: a table a column, by group. They change only after a call has given
/// values that fit, so that a failing call leaves them as they were.
pub(super) fn write_reduce(text: &mut String, step: &LuaStep, inputs: &[LuaColumn]) {
    let count = step.columns.len();
    let (values, fresh) = (names("a", count), names("v", count));
    let each =
        |part: &dyn Fn(usize) -> String| (1..=count).map(part).collect::<Vec<_>>().join(", ");
    let places = each(&|k| format!("T[{k}][g]"));
    write_convert(text, step, 0);
    let _ = writeln!(
        text,
        "local T, known, groups = {{ {} }}, {{}}, 0\nlocal call0 = F[1]\n\
         local function store0(g, keep, {fresh})\n  \
         if not keep then host.no_values({count}) end\n  {places} = {fresh}\nend\n\
         local function fold0(g, {values})",
        each(&|_| "{}".to_owned()),
    );
    for (k, (column, arg)) in step.columns.iter().zip(&step.args).enumerate() {
        let is_declared = inputs.get(*arg).is_some_and(|input| input.data_type == column.data_type);
        if !is_declared {
            let k = k + 1;
            let _ = writeln!(text, "  if a{k} ~= nil then a{k} = C0[{k}](a{k}) end");
        }
    }
    let _ = writeln!(
        text,
        "  if known[g] then return store0(g, convert0(call0({places}, {values}))) end\n  \
         {places} = {values}\n  known[g] = true\n  if g >= groups then groups = g + 1 end\nend\n\
         local function enter0(g, {values})\n  position.step = 0"
    );
    if step.on_error == OnError::Fail {
        let _ = writeln!(text, "  fold0(g, {values})\nend");
    } else {
        count_call(text, 0);
        let _ = writeln!(
            text,
            "  local ok, err = pcall(fold0, g, {values})\n  \
             if not ok then host.note(0, err) end\nend"
        );
    }
    let writes: Vec<String> = (1..=count).map(|k| format!("T[{k}][g]")).collect();
    let _ = writeln!(
        text,
        "local function finish()\n  for g = 0, groups - 1 do\n    \
         if g % 1024 == 0 then beat() end\n    if known[g] then row1(g, {}) end\n  end\n  \
         T, known, groups = {{ {} }}, {{}}, 0\nend",
        writes.join(", "),
        each(&|_| "{}".to_owned()),
    );
}
