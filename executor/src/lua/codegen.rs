//! Generates the row loop of a program: Lua source that LuaJIT compiles.
//!
//! The text only wires the prelude's readers, fitters and writers to the user's functions. Steps
//! are written last to first, so that each refers to the next as an upvalue that never changes.
//! Tables hold what there is one of per column, since a Lua function has at most 60 upvalues:
//! `R`/`B` read and bind input nodes, `C` fits, `W` writes, `A` keeps arguments for messages.

use std::fmt::Write as _;

use super::program::{LuaColumn, LuaProgram, LuaStep, LuaVerb, OnError};
use super::types::LuaType;

/// The Lua source of the loop. Called with the host, the user's functions, the handles of the
/// output nodes in preorder, and the output; gives `run(rows)`, which gives nil or a failure.
pub(super) fn generate(program: &LuaProgram) -> String {
    let mut text = String::from(
        "local host, F, S, output = ...\n\
         local position, pcall, select = host.position, host.pcall, host.select\n\
         local readers, fit, writers, end_row = \
         host.readers, host.fit, host.writers, host.end_row(output)\n\
         local R, B, W = {}, {}, {}\n",
    );
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

/// A Lua string literal for any bytes.
fn quote(text: &str) -> String {
    let mut quoted = String::from("'");
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b' ' | b'[' | b']' | b'.' => {
                quoted.push(char::from(byte));
            }
            other => quoted.push_str(&format!("\\{other:03}")),
        }
    }
    quoted.push('\'');
    quoted
}

fn name_table<'a>(columns: impl IntoIterator<Item = &'a LuaColumn>) -> String {
    let quoted: Vec<_> = columns.into_iter().map(|column| quote(&column.name)).collect();
    format!("{{ {} }}", quoted.join(", "))
}

/// Writes a reader for each input node, children first; gives the nodes of the columns.
fn write_readers(text: &mut String, inputs: &[LuaColumn]) -> Vec<usize> {
    let mut next_node = 0;
    inputs.iter().map(|column| write_reader(text, &column.data_type, &mut next_node)).collect()
}

fn write_reader(text: &mut String, data_type: &LuaType, next_node: &mut usize) -> usize {
    let node = *next_node;
    *next_node += 1;
    let slot = node * super::input::SLOTS_PER_NODE;
    let reader = match data_type {
        LuaType::Null => "readers.null()".to_owned(),
        LuaType::Boolean => format!("readers.boolean({slot})"),
        LuaType::UInt64 => format!("readers.uint({slot})"),
        LuaType::Text | LuaType::Binary => format!("readers.bytes({slot})"),
        LuaType::Float32 | LuaType::Float64 | LuaType::Timestamp | LuaType::Date => {
            format!("readers.float({slot})")
        }
        LuaType::List(item) => {
            let item = write_reader(text, item, next_node);
            format!("readers.list({slot}, R[{item}], B[{item}])")
        }
        LuaType::Struct(fields) => {
            let mut children = Vec::new();
            for field in fields {
                children.push(write_reader(text, &field.data_type, next_node));
            }
            let of = |table| {
                children.iter().map(|c| format!("{table}[{c}]")).collect::<Vec<_>>().join(", ")
            };
            let (names, read, bind) = (name_table(fields), of("R"), of("B"));
            format!("readers.struct({slot}, {names}, {{ {read} }}, {{ {bind} }})")
        }
        _ => format!("readers.int({slot})"),
    };
    let _ = writeln!(text, "R[{node}], B[{node}] = {reader}");
    node
}

/// The expression of a fitter for a column called `name`.
fn fitter(name: &str, data_type: &LuaType) -> String {
    let place = format!("{}, {}", quote(name), quote(&data_type.to_string()));
    let ranged = |low: &str, high: &str| format!("fit.int({place}, {low}, {high})");
    match data_type {
        LuaType::Null => format!("fit.null({place})"),
        LuaType::Boolean => format!("fit.boolean({place})"),
        LuaType::Int8 => ranged("-128LL", "127LL"),
        LuaType::Int16 => ranged("-32768LL", "32767LL"),
        LuaType::Int32 => ranged("-2147483648LL", "2147483647LL"),
        LuaType::Int64 => ranged("-9223372036854775807LL - 1LL", "9223372036854775807LL"),
        LuaType::UInt8 => ranged("0LL", "255LL"),
        LuaType::UInt16 => ranged("0LL", "65535LL"),
        LuaType::UInt32 => ranged("0LL", "4294967295LL"),
        LuaType::UInt64 => format!("fit.uint({place})"),
        LuaType::Float32 => format!("fit.float({place}, {:e})", f32::MAX),
        LuaType::Float64 => format!("fit.float({place})"),
        LuaType::Text => format!("fit.text({place})"),
        LuaType::Binary => format!("fit.binary({place})"),
        LuaType::Timestamp => format!("fit.timestamp({place})"),
        LuaType::Date => format!("fit.date({place})"),
        LuaType::List(item) => {
            format!("fit.list({place}, {})", fitter(&format!("{name}[]"), item))
        }
        LuaType::Struct(fields) => {
            let inner: Vec<_> = fields
                .iter()
                .map(|field| fitter(&format!("{name}.{}", field.name), &field.data_type))
                .collect();
            format!("fit.struct({place}, {}, {{ {} }})", name_table(fields), inner.join(", "))
        }
    }
}

/// The expression of a writer; nodes are numbered in preorder, from 1.
fn writer(data_type: &LuaType, next_node: &mut usize) -> String {
    *next_node += 1;
    let column = format!("S[{next_node}]");
    let kind = match data_type {
        LuaType::Null => "null",
        LuaType::Boolean => "boolean",
        LuaType::UInt64 => "uint",
        LuaType::Float32 | LuaType::Float64 => "float",
        LuaType::Text | LuaType::Binary => "bytes",
        LuaType::Timestamp => "timestamp",
        LuaType::Date => "date",
        LuaType::List(item) => {
            return format!("writers.list({column}, {})", writer(item, next_node));
        }
        LuaType::Struct(fields) => {
            let inner: Vec<_> =
                fields.iter().map(|field| writer(&field.data_type, next_node)).collect();
            let names = name_table(fields);
            return format!("writers.struct({column}, {names}, {{ {} }})", inner.join(", "));
        }
        _ => "int",
    };
    format!("writers.{kind}({column})")
}

/// The end of the chain: pushes the row, or the index of the row where only FILTERs ran.
fn write_sink(text: &mut String, program: &LuaProgram) {
    let index = [LuaColumn::new("row", LuaType::UInt32)];
    let columns = if program.replies_with_indexes() { &index[..] } else { program.outputs() };
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
    let count = step.args.len();
    let values: Vec<_> = if program.reads_input(index) {
        step.args.iter().map(|arg| format!(", (R[{}](position.row))", nodes[*arg])).collect()
    } else {
        let _ = writeln!(text, "local A{index} = {{}}");
        (1..=count).map(|k| format!(", A{index}[{k}]")).collect()
    };
    let values = values.concat();
    let _ =
        writeln!(text, "host.arguments[{index}] = function() return {{ n = {count}{values} }} end");
}

fn write_filter(text: &mut String, step: &LuaStep, index: usize) {
    let args = names("a", step.args.len());
    let _ = writeln!(text, "local call{index} = F[{}]", index + 1);
    let _ = writeln!(text, "local function enter{index}({args})\n  position.step = {index}");
    if step.on_error == OnError::Fail {
        let _ = writeln!(text, "  return call{index}({args})\nend");
    } else {
        let call = [&format!("call{index}"), args.as_str()].join(", ");
        let call = call.trim_end_matches(", ");
        let _ = writeln!(
            text,
            "  local ok, kept = pcall({call})\n  if ok then return kept end\n  \
             host.note({index}, kept)\n  return false\nend"
        );
    }
}

/// Writes `convert<k>(returned values)`: false for no value, else true and the fitted columns.
fn write_convert(text: &mut String, step: &LuaStep, index: usize) {
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
    let _ = writeln!(
        text,
        "local function convert{index}(...)\n  local count = select('#', ...)\n  \
         if count == 0 then return false end\n  \
         if count > {count} then host.surplus(count, {count}) end\n  local {values} = ..."
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

fn write_map(text: &mut String, step: &LuaStep, index: usize) {
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
         local function enter{index}({args})\n  position.step = {index}\n  \
         settle{index}(pcall(attempt{index}{comma}{args}))\nend"
    );
}

/// What follows the note of a tolerated failure: a row of NULLs, or nothing.
fn on_failure(step: &LuaStep, index: usize, next: &str) -> String {
    if step.on_error != OnError::Null {
        return String::new();
    }
    let nulls = vec!["nil"; step.columns.len()].join(", ");
    format!("  position.step = {index}\n  {next}({nulls})\n")
}

fn write_flat_map(text: &mut String, step: &LuaStep, index: usize, steps: usize) {
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
    let column_names = name_table(&step.columns);
    let _ = writeln!(
        text,
        "local function give{index}(...)\n  deliver{index}(convert{index}(...))\n  \
         position.step = {index}\nend\n\
         local expand{index} = host.expander({column_names}, {nested}, give{index})\n\
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
    let _ = writeln!(
        text,
        "  local ok, err = pcall(run{index}{comma}{args})\n  active[{index}] = false\n  \
         host.check_unwinding()\n  if ok then return end\n  host.note({index}, err)\n\
         {on_failure}end"
    );
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
        if step.verb == LuaVerb::Filter {
            let _ = writeln!(body, "    if enter{index}({args}) then");
            depth += 1;
        } else {
            let _ = writeln!(body, "    enter{index}({args})");
        }
    }
    if program.replies_with_indexes() {
        let _ = writeln!(body, "    row{}(i)", program.steps.len());
    }
    body.push_str(&"    end\n".repeat(depth));
    let _ = writeln!(text, "  for i = 0, rows - 1 do\n    position.row = i\n{body}  end\nend");
    let binds: Vec<_> = nodes.iter().map(|node| format!("B[{node}]() ")).collect();
    let _ = writeln!(
        text,
        "local guarded = host.guard_loop(loop)\n\
         return function(rows)\n  {}\n  return guarded(rows)\nend",
        binds.concat()
    );
}
