//! The parts of the generated text that follow from column types.

use std::fmt::Write as _;

use crate::lua::input::SLOTS_PER_NODE;
use crate::lua::program::LuaColumn;
use crate::lua::types::LuaType;

/// Writes a reader for each input node, children first; gives the nodes of the columns.
pub(super) fn write_readers(text: &mut String, inputs: &[LuaColumn]) -> Vec<usize> {
    let mut next_node = 0;
    inputs.iter().map(|column| write_reader(text, &column.data_type, &mut next_node)).collect()
}

fn write_reader(text: &mut String, data_type: &LuaType, next_node: &mut usize) -> usize {
    let node = *next_node;
    *next_node += 1;
    let slot = node * SLOTS_PER_NODE;
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
pub(super) fn fitter(name: &str, data_type: &LuaType) -> String {
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
pub(super) fn writer(data_type: &LuaType, next_node: &mut usize) -> String {
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

pub(super) fn name_table<'a>(columns: impl IntoIterator<Item = &'a LuaColumn>) -> String {
    let quoted: Vec<_> = columns.into_iter().map(|column| quote(&column.name)).collect();
    format!("{{ {} }}", quoted.join(", "))
}
