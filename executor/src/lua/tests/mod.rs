//! The child from outside: frames in, frames out, within this process.

mod errors;
mod folds;
mod frames;
mod operators;
mod properties;
mod sandbox;
mod values;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{DataType, Int64Type};
use arrow::util::display::array_value_to_string;

use super::*;

/// A chain under construction.
struct Chain(LuaProgram);

fn column(name: &str, data_type: LuaType) -> LuaColumn {
    LuaColumn::new(name, data_type)
}

/// A chain on inputs with the names and types of `batch`.
fn chain(inputs: &[(&str, ArrayRef)]) -> Chain {
    let inputs = inputs
        .iter()
        .map(|(name, array)| column(name, LuaType::try_from(array.data_type()).unwrap()))
        .collect();
    Chain(LuaProgram { inputs, steps: Vec::new() })
}

impl Chain {
    fn step(mut self, verb: LuaVerb, code: &str, columns: &[(&str, LuaType)]) -> Self {
        let args = (0..self.0.columns_before(self.0.steps.len()).len()).collect();
        let name = match verb {
            LuaVerb::Map => "MAP LUA",
            LuaVerb::FlatMap => "FLATMAP LUA",
            LuaVerb::Filter => "FILTER LUA",
            LuaVerb::Call => "FUNCTION",
            LuaVerb::Reduce => "REDUCE LUA",
        };
        let columns = columns.iter().map(|(name, t)| column(name, t.clone())).collect();
        self.0.steps.push(LuaStep { args, columns, ..LuaStep::new(verb, code, name) });
        self
    }

    fn map(self, code: &str, columns: &[(&str, LuaType)]) -> Self {
        self.step(LuaVerb::Map, code, columns)
    }

    fn flat_map(self, code: &str, columns: &[(&str, LuaType)]) -> Self {
        self.step(LuaVerb::FlatMap, code, columns)
    }

    fn filter(self, code: &str) -> Self {
        self.step(LuaVerb::Filter, code, &[])
    }

    fn args(mut self, args: &[usize]) -> Self {
        self.0.steps.last_mut().unwrap().args = args.to_vec();
        self
    }

    fn on_error(mut self, on_error: OnError) -> Self {
        self.0.steps.last_mut().unwrap().on_error = on_error;
        self
    }
}

/// All that a child said.
#[derive(Debug, Default)]
struct Answer {
    rows: Vec<RecordBatch>,
    tolerated: Vec<Tolerated>,
    batches_done: usize,
    failure: Option<Failure>,
    fault: Option<String>,
    interpreted: BTreeMap<String, u64>,
}

fn decode_all(program: &LuaProgram, mut bytes: &[u8]) -> Answer {
    let mut decoder = ReplyDecoder::new(program.clone());
    let mut answer = Answer::default();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_first_chunk::<HEADER_BYTES>().unwrap();
        let (tag, length) = parse_header(head).unwrap();
        match decoder.decode(tag, rest[..length].to_vec()).unwrap() {
            Reply::Rows(batch) => answer.rows.push(batch),
            Reply::BatchDone(tolerated) => {
                answer.batches_done += 1;
                answer.tolerated.extend(tolerated);
            }
            Reply::Beat => {}
            Reply::Interpreted(interpreted) => answer.interpreted = interpreted,
            Reply::Failed(failure) => answer.failure = Some(failure),
            Reply::Fault(message) => answer.fault = Some(message),
        }
        bytes = &rest[length..];
    }
    answer
}

/// Runs a program over batches, each a list of columns.
fn run_batches(program: &LuaProgram, batches: &[Vec<ArrayRef>], rows: usize) -> Answer {
    let mut input = encode_setup(program).unwrap();
    let mut encoder = BatchEncoder::try_new(program).unwrap();
    for columns in batches {
        let rows = columns.first().map_or(rows, |column| column.len());
        input.extend(encoder.encode(&to_child(program, columns, rows).unwrap()).unwrap());
    }
    if program.reply_shape() == ReplyShape::Groups {
        input.extend(encode_flush());
    }
    input.extend(encode_end());
    let mut output = Vec::new();
    let served = serve(&input[..], &mut output);
    let answer = decode_all(program, &output);
    assert_eq!(served.is_err(), answer.fault.is_some(), "{served:?}");
    answer
}

fn run_chain(chain: Chain, columns: &[(&str, ArrayRef)]) -> Answer {
    let arrays: Vec<ArrayRef> = columns.iter().map(|(_, array)| Arc::clone(array)).collect();
    run_batches(&chain.0, &[arrays], 1)
}

/// The rows as text, one string a row, columns separated by `|`, NULL as `~`.
fn rendered(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.failure, None);
    assert_eq!(answer.fault, None);
    let mut rows = Vec::new();
    for batch in &answer.rows {
        for row in 0..batch.num_rows() {
            let cells = batch.columns().iter().map(|column| {
                if column.is_null(row) || column.data_type() == &DataType::Null {
                    return "~".to_owned();
                }
                array_value_to_string(column, row).unwrap()
            });
            rows.push(cells.collect::<Vec<_>>().join("|"));
        }
    }
    rows
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn ints(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}
