//! The text of a function's call.

use std::fmt::Write as _;

use super::names;
use super::steps::write_convert;
use crate::lua::program::LuaStep;

/// Writes `enter<k>(arguments)`, which gives the fitted value.
pub(super) fn write_call(text: &mut String, step: &LuaStep, index: usize) {
    let first = 1 + usize::from(step.is_guarded);
    let all = names("a", step.args.len());
    let given: Vec<String> = (first..=step.args.len()).map(|k| format!("a{k}")).collect();
    write_convert(text, step, index);
    let _ = writeln!(text, "local call{index} = F[{}]", index + 1);
    let _ = writeln!(text, "local function enter{index}({all})\n  position.step = {index}");
    if step.is_guarded {
        text.push_str("  if not a1 then return nil end\n");
    }
    if step.is_strict {
        for argument in &given {
            let _ = writeln!(text, "  if {argument} == nil then return nil end");
        }
    }
    let given = given.join(", ");
    let _ = writeln!(
        text,
        "  local _, value = convert{index}(call{index}({given}))\n  return value\nend"
    );
}
