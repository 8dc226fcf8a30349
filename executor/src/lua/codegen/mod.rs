//! Generates the row loop of a program: Lua source that LuaJIT compiles.
//!
//! The text only wires the host's readers, fitters and writers to the user's functions. Steps
//! are written last to first, so that each refers to the next as an upvalue that never changes.
//! Tables hold what there is one of per column, since a Lua function has at most 60 upvalues:
//! `R`/`B` read and bind input nodes, `C` fits, `W` writes, `A` keeps arguments for messages, `N` notes
//! tolerated errors.

use std::fmt::Write as _;

mod call;
mod columns;
mod reduce;
mod steps;

use self::call::write_call;
use self::columns::{write_readers, writer};
use self::reduce::write_reduce;
use self::steps::{write_filter, write_flat_map, write_map};
use super::program::{LuaProgram, LuaVerb, OnError, ReplyShape};

/// Up to this many arguments and columns, a step's loop was seen to compile with LuaJIT's loop
/// optimisation.
const NARROW_COLUMNS: usize = 8;

/// How many rows lie between two looks at the clock.
const ROWS_A_BEAT: usize = 8;

/// The Lua source of the loop. Called with the host, the user's functions, the handles of the
/// output nodes in preorder, and the output; gives `run(rows)`, and of a REDUCE `finish()`. Both give
/// nil or a failure.
pub(super) fn generate(program: &LuaProgram) -> String {
    let mut text = String::from(
        "local host, F, S, output = ...\n\
         local position, pcall, select = host.position, host.pcall, host.select\n\
         local readers, fit, writers, end_row, beat = \
         host.readers, host.fit, host.writers, host.end_row(output), host.beat(output)\n\
         local R, B, W, N = {}, {}, {}, host.noted\n",
    );
    for (index, step) in program.steps.iter().enumerate() {
        if step.on_error != OnError::Fail {
            let _ = writeln!(text, "host.forget({index})");
        }
    }
    if program.steps.iter().any(|step| step.args.len() + step.columns.len() > NARROW_COLUMNS) {
        text.push_str("host.expect_wide_rows()\n");
    }
    let nodes = write_readers(&mut text, &program.inputs);
    write_sink(&mut text, program);
    for index in (0..program.steps.len()).rev() {
        write_step(&mut text, program, index, &nodes);
    }
    write_loop(&mut text, program, &nodes);
    text
}

/// `a1, a2, a3` for the letter `a`; columns are numbered from 1, as in Lua.
fn names(letter: &str, count: usize) -> String {
    (1..=count).map(|k| format!("{letter}{k}")).collect::<Vec<_>>().join(", ")
}

fn chosen(letter: &str, args: &[usize]) -> String {
    args.iter().map(|arg| format!("{letter}{}", arg + 1)).collect::<Vec<_>>().join(", ")
}

/// The end of the chain: pushes the row, or the index of the row where only FILTERs ran.
fn write_sink(text: &mut String, program: &LuaProgram) {
    let columns = program.reply_columns();
    let mut next_node = 0;
    for (k, column) in columns.iter().enumerate() {
        let writer = writer(&column.data_type, &mut next_node);
        let _ = writeln!(text, "W[{}] = {writer}", k + 1);
    }
    let values = names("v", columns.len());
    let _ = writeln!(text, "local function row{}({values})", program.steps.len());
    for k in 1..=columns.len() {
        let _ = writeln!(text, "  W[{k}](v{k})");
    }
    text.push_str("  end_row()\nend\n");
}

/// Writes `enter<k>(arguments)` of a step and, where its arguments are not input columns,
/// `row<k>(current row)`, which the step before calls.
fn write_step(text: &mut String, program: &LuaProgram, index: usize, nodes: &[usize]) {
    let step = &program.steps[index];
    write_arguments(text, program, index, nodes);
    match step.verb {
        LuaVerb::Filter => write_filter(text, step, index),
        LuaVerb::Map => write_map(text, step, index),
        LuaVerb::FlatMap => write_flat_map(text, step, index, program.steps.len()),
        LuaVerb::Call => write_call(text, step, index),
        LuaVerb::Reduce => write_reduce(text, step, &program.inputs),
    }
    if program.reads_input(index) {
        return;
    }
    let values = names("v", program.columns_before(index).len());
    let args = chosen("v", &step.args);
    let _ = writeln!(text, "local function row{index}({values})");
    for (k, arg) in step.args.iter().enumerate() {
        let _ = writeln!(text, "  A{index}[{}] = v{}", k + 1, arg + 1);
    }
    if step.verb == LuaVerb::Filter {
        let _ = writeln!(text, "  if enter{index}({args}) then row{}({values}) end", index + 1);
    } else {
        let _ = writeln!(text, "  enter{index}({args})");
    }
    text.push_str("end\n");
}

/// Tells the host how to find the arguments of a failing call.
fn write_arguments(text: &mut String, program: &LuaProgram, index: usize, nodes: &[usize]) {
    let step = &program.steps[index];
    let args = step.function_args();
    let count = args.len();
    let values: Vec<_> = if program.reads_input(index) {
        args.iter().map(|arg| format!(", (R[{}](position.row))", nodes[*arg])).collect()
    } else {
        let _ = writeln!(text, "local A{index} = {{}}");
        (1..=count).map(|k| format!(", A{index}[{k}]")).collect()
    };
    let values = values.concat();
    let _ =
        writeln!(text, "host.arguments[{index}] = function() return {{ n = {count}{values} }} end");
}

/// The loop over the rows of a batch, with the steps whose arguments are input columns; each
/// column is read just before the first step that takes it.
fn write_loop(text: &mut String, program: &LuaProgram, nodes: &[usize]) {
    text.push_str("local function loop(rows)\n");
    let inputs = (0..program.steps.len()).take_while(|index| program.reads_input(*index));
    let mut read = vec![false; nodes.len()];
    let mut body = String::new();
    let mut depth = 0;
    for index in inputs {
        let step = &program.steps[index];
        for arg in &step.args {
            if !std::mem::replace(&mut read[*arg], true) {
                let _ = writeln!(body, "    local x{} = R[{}](i)", arg + 1, nodes[*arg]);
            }
        }
        let args = chosen("x", &step.args);
        let _ = match step.verb {
            LuaVerb::Filter => {
                depth += 1;
                writeln!(body, "    if enter{index}({args}) then")
            }
            LuaVerb::Call => writeln!(body, "    local y{} = enter{index}({args})", index + 1),
            LuaVerb::Reduce => writeln!(body, "    enter{index}(R[{}](i), {args})", nodes[0]),
            LuaVerb::Map | LuaVerb::FlatMap => writeln!(body, "    enter{index}({args})"),
        };
    }
    let last = program.steps.len();
    match program.reply_shape() {
        ReplyShape::Kept => {
            let _ = writeln!(body, "    row{last}(i)");
        }
        ReplyShape::Beside => {
            let _ = writeln!(body, "    row{last}({})", names("y", last));
        }
        ReplyShape::Made | ReplyShape::Groups => {}
    }
    body.push_str(&"    end\n".repeat(depth));
    let _ = writeln!(
        text,
        "  for i = 0, rows - 1 do\n    position.row = i\n    if i % {ROWS_A_BEAT} == 0 then beat() end\n{body}  end\nend"
    );
    let binds: Vec<_> = nodes.iter().map(|node| format!("B[{node}]() ")).collect();
    let _ = writeln!(
        text,
        "local guarded = host.guard_loop(loop)\n\
         return function(rows)\n  {}\n  return guarded(rows)\nend{}",
        binds.concat(),
        if program.reply_shape() == ReplyShape::Groups { ", host.guard_loop(finish)" } else { "" },
    );
}
