//! How fast text becomes rows and rows cross to a child and back, on one core, in MB of lines a second.
//!
//! `cargo bench --workspace --bench kernels [-- ROUNDS [WORD]]`: a line for each case whose name holds
//! the word, of the median batch of all rounds and of the fastest tenth. (With `--workspace`, because
//! with `-p` Cargo builds DataFusion once more, with other features.)

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use arrow::array::{Array, ArrayRef, AsArray, StringViewArray};
use gleam_sql_executor::lua::{
    BatchEncoder, HEADER_BYTES, LuaColumn, LuaProgram, LuaStep, LuaType, LuaVerb, Reply,
    ReplyDecoder, encode_end, encode_setup, parse_header, serve, to_child,
};
use gleam_sql_executor::text::{Arrival, LineBatcher, line_views};
use gleam_sql_executor::wire::{FieldReader, RecordBatcher, WireFormat, encode};
use gleam_sql_formats::Extractor;

const BATCHES: usize = 32;
const BATCH_ROWS: usize = 8192;

/// A batch of lines, in all the forms in which they cross.
struct Batch {
    text: Vec<u8>,
    lines: StringViewArray,
}

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with('-'));
    let rounds = words.next().and_then(|word| word.parse().ok()).unwrap_or(9);
    let filter = words.next().unwrap_or_default();
    let batches: Vec<Batch> = (0..BATCHES).map(batch).collect();
    let mut output = std::io::stdout();
    let mut report = |name: &str, run: &mut dyn FnMut(&Batch)| {
        if name.contains(&filter) {
            let (median, fast) = measure(rounds, &batches, run);
            writeln!(output, "{name:<44} {median:>7.0} MB/s, a tenth from {fast:.0} on").unwrap();
        }
    };
    report("newlines counted by memchr", &mut |batch| {
        black_box(memchr::memchr_iter(b'\n', &batch.text).count());
    });
    report("bytes copied", &mut |batch| {
        black_box(batch.text.clone());
    });
    report("lines split, as views", &mut |batch| {
        black_box(split(&batch.text));
    });
    let finder = memchr::memmem::Finder::new("curl/8");
    report("a literal searched for in each line", &mut |batch| {
        let found =
            batch.lines.iter().flatten().filter(|line| finder.find(line.as_bytes()).is_some());
        black_box(found.count());
    });
    let extractor = Extractor::try_new("[A-Za-z0-9]+", 0).unwrap();
    report("regexp_extract_all of [A-Za-z0-9]+", &mut |batch| {
        black_box(extractor.extract(&batch.lines));
    });
    let extractor = Extractor::try_new("[A-Za-z]{5,}", 0).unwrap();
    report("regexp_extract_all of [A-Za-z]{5,}", &mut |batch| {
        black_box(extractor.extract(&batch.lines));
    });
    let names = ["line".to_owned()];
    for format in [WireFormat::Raw, WireFormat::Tsv, WireFormat::Csv, WireFormat::Json] {
        report(&format!("to a pipe, {format}"), &mut |batch| {
            let column: ArrayRef = Arc::new(batch.lines.clone());
            black_box(encode(format, &names, &[column]).unwrap());
        });
    }
    for format in [WireFormat::Raw, WireFormat::Tsv] {
        report(&format!("from a pipe, {format}"), &mut |batch| {
            black_box(read(format, &batch.text));
        });
    }
    let program = program();
    let mut encoder = BatchEncoder::try_new(&program).unwrap();
    report("to Lua, Arrow IPC", &mut |batch| {
        black_box(shipped(&program, &mut encoder, &batch.lines));
    });
    report("through LuaJIT, MAP #line, in this process", &mut |batch| {
        let mut encoder = BatchEncoder::try_new(&program).unwrap();
        let mut input = encode_setup(&program).unwrap();
        input.extend(shipped(&program, &mut encoder, &batch.lines));
        input.extend(encode_end());
        let mut reply = Vec::new();
        serve(&input[..], &mut reply).unwrap();
        assert_eq!(rows_of(&program, &reply), batch.lines.len());
    });
}

fn batch(number: usize) -> Batch {
    let mut text = Vec::new();
    for row in 0..BATCH_ROWS {
        let line = number * BATCH_ROWS + row;
        let agent =
            if line.is_multiple_of(10) { "curl/8.14.1" } else { "Mozilla/5.0 (X11; Linux x86_64)" };
        writeln!(
            text,
            "10.0.{}.{} - - [01/Nov/2025:00:00:{:02} +0000] \"GET /docs/page-{} HTTP/1.1\" 200 {} \"-\" \"{agent}\"",
            line / 256 % 256,
            line % 256,
            line % 60,
            line % 997,
            line * 7 % 100_000,
        )
        .unwrap();
    }
    let lines = split(&text);
    Batch { text, lines }
}

fn split(text: &[u8]) -> StringViewArray {
    let mut batcher = LineBatcher::new(BATCH_ROWS, 64 << 20);
    batcher.room().extend_from_slice(text);
    line_views(&batcher.next_lines(Arrival::Ended).unwrap().unwrap()).array
}

fn read(format: WireFormat, text: &[u8]) -> usize {
    let mut batcher = RecordBatcher::new(format, BATCH_ROWS, 64 << 20);
    batcher.room().extend_from_slice(text);
    let reader = FieldReader::new(format, ["line"]);
    let mut rows = 0;
    while let Some(records) = batcher.next_records(Arrival::Ended).unwrap() {
        rows += reader.read(&records).columns[0].len();
    }
    rows
}

/// `MAP LUA 'function(line) return #line end' AS (n INT)`.
fn program() -> LuaProgram {
    let step = LuaStep {
        args: vec![0],
        columns: vec![LuaColumn::new("n", LuaType::Int32)],
        ..LuaStep::new(LuaVerb::Map, "function(line) return #line end", "MAP LUA")
    };
    LuaProgram { inputs: vec![LuaColumn::new("line", LuaType::Text)], steps: vec![step] }
}

fn shipped(program: &LuaProgram, encoder: &mut BatchEncoder, lines: &StringViewArray) -> Vec<u8> {
    let column: ArrayRef = Arc::new(lines.clone());
    encoder.encode(&to_child(program, &[column], lines.len()).unwrap()).unwrap()
}

fn rows_of(program: &LuaProgram, mut reply: &[u8]) -> usize {
    let mut decoder = ReplyDecoder::new(program.clone());
    let mut rows = 0;
    while let Some((header, rest)) = reply.split_first_chunk::<HEADER_BYTES>() {
        let (tag, length) = parse_header(header).unwrap();
        if let Reply::Rows(batch) = decoder.decode(tag, rest[..length].to_vec()).unwrap() {
            black_box(batch.column(0).as_primitive::<arrow::datatypes::Int32Type>());
            rows += batch.num_rows();
        }
        reply = &rest[length..];
    }
    rows
}

/// MB a second in the median batch, and in the one that only a tenth of the batches are faster than.
fn measure(rounds: usize, batches: &[Batch], run: &mut dyn FnMut(&Batch)) -> (f64, f64) {
    let mut speeds = Vec::with_capacity(rounds * batches.len());
    for _ in 0..rounds {
        for batch in batches {
            let start = Instant::now();
            run(batch);
            speeds.push(batch.text.len() as f64 / 1e6 / start.elapsed().as_secs_f64());
        }
    }
    speeds.sort_by(f64::total_cmp);
    (speeds[speeds.len() / 2], speeds[speeds.len() * 9 / 10])
}
