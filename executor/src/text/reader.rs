use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use datafusion::physical_plan::metrics::{
    Count, ExecutionPlanMetricsSet, MetricBuilder, MetricCategory,
};

use super::columns::{Columns, FileColumns};
use super::count::LineCounter;
use super::input::Input;
use super::names::FileName;
use super::{Arrival, LineBatcher, LinePlace, LineTooLong, TextError};

/// The metric that counts lines which were not UTF-8 and had bytes replaced by U+FFFD.
pub const INVALID_UTF8_LINES: &str = "invalid_utf8_lines";

/// The metric that counts the bytes of files that were read, as they are stored: compressed ones
/// before they are decompressed.
pub const BYTES_SCANNED: &str = "bytes_scanned";

/// Text in a batch; also what is read at once.
const BATCH_BYTES: usize = 2 * 1024 * 1024;
/// What is read at once where lines are only counted: it should stay in the cache.
const COUNT_BYTES: usize = 256 * 1024;
/// After how many bytes without a line that is wanted there is a batch without rows, so that whoever
/// waits for one can look at other things.
const SILENT_BYTES: usize = 8 * 1024 * 1024;

/// What a scan makes of each of its files.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) columns: Columns,
    pub(crate) batch_rows: usize,
    pub(crate) batch_bytes: usize,
    /// Lines without it are not wanted.
    pub(crate) literal: Option<Arc<str>>,
    pub(crate) invalid_lines: Count,
    pub(crate) scanned: Count,
}

impl Recipe {
    /// For one partition of a scan, which counts in `metrics`.
    pub(crate) fn new(
        columns: Columns,
        batch_rows: usize,
        metrics: &ExecutionPlanMetricsSet,
        partition: usize,
    ) -> Self {
        let count = |name| MetricBuilder::new(metrics).counter(name, partition);
        let (invalid_lines, scanned) = (count(INVALID_UTF8_LINES), bytes(metrics, partition));
        let batch_bytes = BATCH_BYTES;
        Self { columns, batch_rows, batch_bytes, literal: None, invalid_lines, scanned }
    }

    pub(crate) fn sieving(self, literal: Option<Arc<str>>) -> Self {
        Self { literal, ..self }
    }
}

fn bytes(metrics: &ExecutionPlanMetricsSet, partition: usize) -> Count {
    let builder = MetricBuilder::new(metrics).with_category(MetricCategory::Bytes);
    builder.counter(BYTES_SCANNED, partition)
}

/// The batches of one input. Blocks while it reads.
pub(crate) struct TextReader {
    file: String,
    file_columns: FileColumns,
    recipe: Recipe,
    input: Input,
    arrival: Arrival,
    work: Work,
    is_done: bool,
}

enum Work {
    Cut(LineBatcher),
    /// `rows` lines have been counted and not handed out; the first of them is `line_no`.
    Count {
        counter: LineCounter,
        bytes: Vec<u8>,
        rows: usize,
        line_no: u64,
    },
}

impl TextReader {
    /// Reads `input`, which is that of `file`.
    pub(crate) fn new(file: FileName, input: Input, recipe: Recipe) -> Self {
        let is_inside = input.offset > 0;
        let needs_all = recipe.columns.need_all_lines(input.origin);
        let literal = recipe.literal.clone().filter(|_| !needs_all);
        let recipe = Recipe { literal: literal.clone(), ..recipe };
        let work = if recipe.columns.need_text() {
            let batcher = LineBatcher::new(recipe.batch_rows, recipe.batch_bytes)
                .starting_at(input.offset, input.line_no);
            let batcher = if is_inside { batcher } else { batcher.skipping_bom() };
            Work::Cut(match &literal {
                Some(literal) => batcher.sieving(literal),
                None => batcher,
            })
        } else {
            let counter = LineCounter::default();
            let counter = if is_inside { counter.inside() } else { counter };
            let line_no = input.line_no;
            Work::Count { counter, bytes: Vec::with_capacity(COUNT_BYTES), rows: 0, line_no }
        };
        let file_columns = FileColumns::new(&file);
        let file = file.shown;
        Self { file, file_columns, recipe, input, arrival: Arrival::Flowing, work, is_done: false }
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, TextError> {
        match &mut self.work {
            Work::Cut(_) => self.next_lines(),
            Work::Count { .. } => self.next_counted(),
        }
    }

    fn next_lines(&mut self) -> Result<Option<RecordBatch>, TextError> {
        let Work::Cut(batcher) = &mut self.work else { return Ok(None) };
        let mut silent_bytes = 0;
        loop {
            let lines = batcher
                .next_lines(self.arrival)
                .map_err(|error| too_long(&self.file, &self.input, &self.recipe, error))?;
            self.recipe.invalid_lines.add(batcher.take_invalid_lines());
            if let Some(lines) = lines {
                let (batch, invalid_lines) =
                    self.recipe.columns.batch_of(&lines, &self.file_columns, self.input.origin);
                self.recipe.invalid_lines.add(invalid_lines);
                return Ok(Some(batch));
            }
            if self.arrival == Arrival::Ended {
                return Ok(None);
            }
            if self.recipe.literal.is_some() && silent_bytes >= SILENT_BYTES {
                let schema = Arc::clone(self.recipe.columns.schema());
                return Ok(Some(RecordBatch::new_empty(schema)));
            }
            let wanted = batcher.room_bytes();
            silent_bytes += wanted;
            self.arrival = self
                .input
                .read(batcher.room(), wanted)
                .map_err(|error| TextError::reading(&self.file, self.input.compression, error))?;
        }
    }

    fn next_counted(&mut self) -> Result<Option<RecordBatch>, TextError> {
        let Work::Count { counter, bytes, rows, line_no } = &mut self.work else { return Ok(None) };
        while *rows < self.recipe.batch_rows && self.arrival != Arrival::Ended {
            if self.arrival == Arrival::Idle && *rows > 0 {
                break;
            }
            bytes.clear();
            self.arrival = self
                .input
                .read(bytes, COUNT_BYTES)
                .map_err(|error| TextError::reading(&self.file, self.input.compression, error))?;
            *rows += counter.push(bytes);
            if self.arrival == Arrival::Ended {
                *rows += counter.finish();
            }
        }
        if *rows == 0 {
            return Ok(None);
        }
        let batch_rows = self.recipe.batch_rows.min(*rows);
        let batch = self.recipe.columns.counted(&self.file_columns, *line_no, batch_rows);
        *rows -= batch_rows;
        *line_no += batch_rows as u64;
        Ok(Some(batch))
    }
}

impl Iterator for TextReader {
    type Item = Result<RecordBatch, TextError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_done {
            return None;
        }
        let item = self.next_batch().transpose();
        self.is_done = !matches!(item, Some(Ok(_)));
        item
    }
}

fn too_long(file: &str, input: &Input, recipe: &Recipe, error: LineTooLong) -> TextError {
    let LineTooLong { line_no, offset, max_bytes } = error;
    let place = match (input.offset, &recipe.literal) {
        (0, None) => LinePlace::Number(line_no),
        _ => LinePlace::Offset(offset),
    };
    TextError::LineTooLong { file: file.to_owned(), place, max_bytes }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    use proptest::prelude::*;
    use tempfile::NamedTempFile;

    use super::*;

    const LINE_AND_OFFSET: [usize; 2] = [2, 4];

    /// Lines as plainly as can be: (offset, text).
    fn naive_lines(text: &[u8]) -> Vec<(i64, String)> {
        let mut offset = if text.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let pieces = text[offset..].split_inclusive(|&byte| byte == b'\n');
        pieces
            .map(|piece| {
                let start = offset as i64;
                offset += piece.len();
                let line = match piece {
                    [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] | line => line,
                };
                (start, String::from_utf8_lossy(line).into_owned())
            })
            .collect()
    }

    fn read(
        file: &NamedTempFile,
        range: std::ops::Range<u64>,
        columns: &[usize],
        sizes: (usize, usize),
    ) -> Vec<RecordBatch> {
        read_sieving(file, range, columns, sizes, None)
    }

    fn read_sieving(
        file: &NamedTempFile,
        range: std::ops::Range<u64>,
        columns: &[usize],
        (batch_rows, batch_bytes): (usize, usize),
        literal: Option<&str>,
    ) -> Vec<RecordBatch> {
        let columns = Columns::new(columns.to_vec());
        let needs_line_no = columns.need_line_no();
        let (invalid_lines, scanned) = (Count::new(), Count::new());
        let input = Input::of_file(file.reopen().unwrap(), Some(range), needs_line_no, &scanned);
        let input = input.unwrap();
        let literal = literal.map(Into::into);
        let recipe = Recipe { columns, batch_rows, batch_bytes, literal, invalid_lines, scanned };
        let name = FileName { shown: "f".to_owned(), path: None };
        let reader = input.map(|input| TextReader::new(name, input, recipe));
        reader.into_iter().flatten().map(Result::unwrap).collect()
    }

    fn rows(batches: &[RecordBatch]) -> usize {
        batches.iter().map(RecordBatch::num_rows).sum()
    }

    prop_compose! {
        fn text()(
            pieces in prop::collection::vec(
                prop::sample::select(vec![
                    "a", "bc", "a line that is longer than twelve bytes", "\n", "\n", "\r\n",
                    "\r", "\0", "ä", "\u{1f980}", "\u{feff}",
                ]),
                0..40,
            ),
            bad_byte: Option<prop::sample::Index>,
        ) -> Vec<u8> {
            let mut text = pieces.concat().into_bytes();
            if let Some(at) = bad_byte && !text.is_empty() {
                let at = at.index(text.len());
                text[at] = 0xff;
            }
            text
        }
    }

    proptest! {
        /// Any ranges, side by side, give the lines of the whole file, each once.
        #[test]
        fn ranges_give_each_line_once(
            text in text(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
            sizes in (1..6usize, 1..50usize),
        ) {
            let mut file = NamedTempFile::new().unwrap();
            file.write_all(&text).unwrap();
            let length = text.len() as u64;
            let mut cuts = cuts.iter().map(|cut| cut.index(text.len() + 1) as u64).collect::<Vec<_>>();
            cuts.extend([0, length]);
            cuts.sort_unstable();

            let mut lines = Vec::new();
            let mut counted = 0;
            let mut line_numbers = Vec::new();
            for (&start, &end) in cuts.iter().zip(&cuts[1..]) {
                for batch in read(&file, start..end, &LINE_AND_OFFSET, sizes) {
                    prop_assert!(batch.num_rows() <= sizes.0);
                    let texts = batch.column(0).as_string_view().iter().flatten();
                    let offsets = batch.column(1).as_primitive::<Int64Type>().values();
                    lines.extend(offsets.iter().copied().zip(texts.map(str::to_owned)));
                }
                counted += rows(&read(&file, start..end, &[], sizes));
                for batch in read(&file, start..end, &[1], sizes) {
                    line_numbers.extend(batch.column(0).as_primitive::<Int64Type>().values().to_vec());
                }
            }
            let expected = naive_lines(&text);
            prop_assert_eq!(counted, expected.len());
            prop_assert_eq!(line_numbers, (1..=expected.len() as i64).collect::<Vec<_>>());
            prop_assert_eq!(lines, expected);
        }
    }

    proptest! {
        /// What a sieve lets through holds all lines with the literal, as they are, and in order.
        #[test]
        fn a_sieve_loses_no_line_with_the_literal(
            text in text(),
            literal in prop::sample::select(vec!["a", "bc", "longer", "e b", "ä", "\u{1f980}", "\r", "x"]),
            cut in any::<prop::sample::Index>(),
            sizes in (1..6usize, 1..50usize),
            has_gzip in any::<bool>(),
        ) {
            let mut file = NamedTempFile::new().unwrap();
            let length = if has_gzip {
                let mut packed = flate2::write::GzEncoder::new(&mut file, flate2::Compression::fast());
                packed.write_all(&text).unwrap();
                packed.finish().unwrap();
                file.as_file().metadata().unwrap().len()
            } else {
                file.write_all(&text).unwrap();
                text.len() as u64
            };
            let cut = if has_gzip { length } else { cut.index(text.len() + 1) as u64 };
            for columns in [&LINE_AND_OFFSET[..], &[1, 2], &[2]] {
                let read = |literal: Option<&str>| {
                    let mut lines = Vec::new();
                    let cut = if columns == [1, 2] { length } else { cut };
                    for range in [0..cut, cut..length] {
                        for batch in read_sieving(&file, range, columns, sizes, literal) {
                            for row in 0..batch.num_rows() {
                                let shown = |column: &arrow::array::ArrayRef| {
                                    arrow::util::display::array_value_to_string(column, row).unwrap()
                                };
                                let row: Vec<String> = batch.columns().iter().map(shown).collect();
                                lines.push(row);
                            }
                        }
                    }
                    let line = columns.iter().position(|column| *column == 2).unwrap();
                    lines.retain(|row: &Vec<String>| row[line].contains(literal.unwrap_or_default()));
                    lines
                };
                let mut expected = read(None);
                let line = columns.iter().position(|column| *column == 2).unwrap();
                expected.retain(|row| row[line].contains(literal));
                prop_assert_eq!(read(Some(literal)), expected);
            }
        }
    }

    #[test]
    fn a_sieve_passes_over_lines() {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(b"one\r\ntwo\nthree\r\ntwo and a half").unwrap();
        let batches = read_sieving(&file, 0..33, &LINE_AND_OFFSET, (10, 100), Some("two"));
        assert_eq!(batches.len(), 1);
        let lines: Vec<_> = batches[0].column(0).as_string_view().iter().flatten().collect();
        assert_eq!(lines, ["two", "two and a half"]);
        let offsets = batches[0].column(1).as_primitive::<Int64Type>().values();
        assert_eq!(offsets.as_ref(), [5, 16]);
    }

    #[test]
    fn lines_that_are_passed_over_are_counted_when_they_are_not_utf_8() {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(b"good\nbad \xff\nok bad \xfe\n\xff\nok\nbad \xff").unwrap();
        for literal in [None, Some("ok"), Some("none"), Some("bad")] {
            let input = Input::of_file(file.reopen().unwrap(), None, false, &Count::new());
            let recipe = Recipe {
                columns: Columns::new(vec![2]),
                batch_rows: 10,
                batch_bytes: 100,
                literal: literal.map(Into::into),
                invalid_lines: Count::new(),
                scanned: Count::new(),
            };
            let name = FileName { shown: "f".to_owned(), path: None };
            let invalid_lines = recipe.invalid_lines.clone();
            let reader = TextReader::new(name, input.unwrap().unwrap(), recipe);
            assert!(reader.map(Result::unwrap).count() < 2);
            assert_eq!(invalid_lines.value(), 4, "{literal:?}");
        }
    }

    #[test]
    fn a_sieve_that_finds_nothing_tells_that_it_goes_on() {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(&b"no such word in it\n".repeat(SILENT_BYTES * 3 / 19)).unwrap();
        let length = file.as_file().metadata().unwrap().len();
        let batches = read_sieving(&file, 0..length, &[2], (8192, BATCH_BYTES), Some("absent"));
        assert_eq!(rows(&batches), 0);
        assert!((2..=4).contains(&batches.len()), "{}", batches.len());
        let batches = read_sieving(&file, 0..length, &[2], (8192, BATCH_BYTES), Some("word"));
        assert_eq!(rows(&batches), SILENT_BYTES * 3 / 19, "a sieve that is given up loses nothing");
    }

    #[test]
    fn a_line_too_long_is_named() {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(b"one\ntwo\n123456789\n").unwrap();
        let columns = Columns::new(vec![2]);
        let scanned = Count::new();
        let input = Input::of_file(file.reopen().unwrap(), None, false, &scanned).unwrap().unwrap();
        let invalid_lines = Count::new();
        let (batch_rows, batch_bytes, literal) = (2, 4, None);
        let recipe = Recipe { columns, batch_rows, batch_bytes, literal, invalid_lines, scanned };
        let name = FileName { shown: "f.log".to_owned(), path: None };
        let mut reader = TextReader::new(name, input, recipe);
        if let Work::Cut(batcher) = &mut reader.work {
            let small = std::mem::replace(batcher, LineBatcher::new(2, 4));
            *batcher = small.with_max_line_bytes(8);
        }
        let error = reader.find_map(Result::err).unwrap();
        assert_eq!(error.to_string(), "line 3 of f.log is longer than 8 bytes");
        assert!(reader.next().is_none());
    }
}
