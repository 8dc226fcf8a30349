use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, ByteView, Int64Array, StringViewArray, make_view};
use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

use super::names::FileName;
use super::{Lines, line_views};

/// The column of [`schema_with_origin`] that tells a line's file: its name as in `file`, and behind a
/// NUL, which no name has, the path that was read. The path is absolute, because an agent's directory
/// is not the one that the name was written in; without one the file cannot be read again.
pub const ORIGIN_FILE: &str = "__gleam_file";
/// The column of [`schema_with_origin`] that tells a line's place in its file: the offset of
/// its first byte, or where that leads nowhere (compressed text, standard input) the negative
/// line number. [`line_number_of`](super::line_number_of) reads both.
pub const ORIGIN_OFFSET: &str = "__gleam_offset";

/// Between the name and the path in [`ORIGIN_FILE`].
const ORIGIN_SEPARATOR: char = '\0';

/// The name of a file and the path that was read, of a value of [`ORIGIN_FILE`].
pub fn name_and_path(origin: &str) -> (&str, Option<&str>) {
    match origin.split_once(ORIGIN_SEPARATOR) {
        Some((name, path)) => (name, Some(path)),
        None => (origin, None),
    }
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(Schema::new(text_fields())));
static SCHEMA_WITH_ORIGIN: LazyLock<SchemaRef> = LazyLock::new(|| {
    let mut fields = text_fields();
    fields.push(Field::new(ORIGIN_FILE, DataType::Utf8View, false));
    fields.push(Field::new(ORIGIN_OFFSET, DataType::Int64, false));
    Arc::new(Schema::new(fields))
});

fn text_fields() -> Vec<Field> {
    vec![
        Field::new("file", DataType::Utf8View, false),
        Field::new("line_no", DataType::Int64, false),
        Field::new("line", DataType::Utf8View, false),
    ]
}

/// The columns of text: `file`, `line_no` (from 1), `line` (without its end).
pub fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// The columns of text, and the two that tell an operator where a row comes from.
pub fn schema_with_origin() -> SchemaRef {
    Arc::clone(&SCHEMA_WITH_ORIGIN)
}

const FILE: usize = 0;
const LINE_NO: usize = 1;
pub(super) const LINE: usize = 2;
const ORIGIN_FILE_INDEX: usize = 3;

/// The columns that a scan makes, by their places in the schema.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    indices: Vec<usize>,
    schema: SchemaRef,
}

impl Columns {
    /// The columns at `indices`, which are places in [`schema_with_origin`].
    pub(crate) fn new(indices: Vec<usize>) -> Self {
        let fields = indices.iter().map(|&index| SCHEMA_WITH_ORIGIN.field(index).clone());
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Self { indices, schema }
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// True when a row cannot be made without knowing its number.
    pub(crate) fn need_line_no(&self) -> bool {
        self.indices.contains(&LINE_NO)
    }

    /// True when a row cannot be made without the numbers of the lines before it.
    pub(crate) fn need_all_lines(&self, origin: OriginKind) -> bool {
        let has_origin = self.indices.iter().any(|&index| index > ORIGIN_FILE_INDEX);
        self.need_line_no() || has_origin && origin == OriginKind::NegativeLineNo
    }

    /// True when a row cannot be made by counting.
    pub(crate) fn need_text(&self) -> bool {
        self.indices.iter().any(|&index| index == LINE || index > ORIGIN_FILE_INDEX)
    }

    /// A batch of `rows` numbered from `line_no`, of which nobody needs the text.
    pub(crate) fn counted(&self, file: &FileColumns, line_no: u64, rows: usize) -> RecordBatch {
        let arrays = self.indices.iter().map(|&index| match index {
            LINE_NO => line_numbers(line_no, rows),
            ORIGIN_FILE_INDEX => file.origins.array(rows),
            _ => file.names.array(rows),
        });
        self.batch(arrays.collect(), rows)
    }

    /// A batch of lines, and how many of them were not UTF-8.
    pub(crate) fn batch_of(
        &self,
        lines: &Lines,
        file: &FileColumns,
        origin: OriginKind,
    ) -> (RecordBatch, usize) {
        let mut invalid_lines = 0;
        let rows = lines.rows();
        let arrays = self.indices.iter().map(|&index| match index {
            FILE => file.names.array(rows),
            ORIGIN_FILE_INDEX => file.origins.array(rows),
            LINE_NO => line_numbers(lines.line_no(), rows),
            LINE => {
                let views = line_views(lines);
                invalid_lines += views.invalid_lines;
                Arc::new(views.array)
            }
            _ => origins(lines, origin),
        });
        let arrays = arrays.collect();
        (self.batch(arrays, rows), invalid_lines)
    }

    fn batch(&self, arrays: Vec<ArrayRef>, rows: usize) -> RecordBatch {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .expect("arrays and schema are made from the same indices")
    }
}

/// How [`ORIGIN_OFFSET`] tells a line's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OriginKind {
    Offset,
    NegativeLineNo,
}

fn line_numbers(first: u64, rows: usize) -> ArrayRef {
    let first = first as i64;
    Arc::new(Int64Array::from_iter_values(first..first + rows as i64))
}

fn origins(lines: &Lines, kind: OriginKind) -> ArrayRef {
    let first = lines.line_no() as i64;
    Arc::new(match kind {
        OriginKind::Offset => Int64Array::from_iter_values(lines.offsets().map(|o| o as i64)),
        OriginKind::NegativeLineNo => {
            Int64Array::from_iter_values((first..first + lines.rows() as i64).map(|n| -n))
        }
    })
}

/// The values of `file` and [`ORIGIN_FILE`] in the rows of one file.
#[derive(Debug)]
pub(crate) struct FileColumns {
    names: RepeatedText,
    origins: RepeatedText,
}

impl FileColumns {
    pub(crate) fn new(file: &FileName) -> Self {
        let origin = match &file.path {
            Some(path) => format!("{}{ORIGIN_SEPARATOR}{path}", file.shown),
            None => file.shown.clone(),
        };
        Self { names: RepeatedText::new(&file.shown), origins: RepeatedText::new(&origin) }
    }
}

/// One text, many times, stored once.
#[derive(Debug)]
struct RepeatedText {
    view: u128,
    buffers: Vec<Buffer>,
}

impl RepeatedText {
    fn new(name: &str) -> Self {
        let bytes = name.as_bytes();
        let view = make_view(bytes, 0, 0);
        let is_inline = bytes.len() <= 12;
        debug_assert!(is_inline || ByteView::from(view).offset == 0);
        let buffers = if is_inline { vec![] } else { vec![Buffer::from(bytes)] };
        Self { view, buffers }
    }

    fn array(&self, rows: usize) -> ArrayRef {
        let views = ScalarBuffer::from(vec![self.view; rows]);
        // SAFETY: the one view was made from a `&str` that is all of the one buffer.
        Arc::new(unsafe { StringViewArray::new_unchecked(views, self.buffers.clone(), None) })
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;

    #[test]
    fn file_columns_repeat_the_name() {
        for name in ["", "a.log", "twelve.bytes", "a/longer/name/ü.log"] {
            let array = RepeatedText::new(name).array(3);
            array.to_data().validate_full().unwrap();
            let names = array.as_string_view().iter().flatten().collect::<Vec<_>>();
            assert_eq!(names, [name; 3]);
        }
    }

    #[test]
    fn only_line_and_offset_need_the_text() {
        let need_text = |indices: &[usize]| Columns::new(indices.to_vec()).need_text();
        assert!(!need_text(&[]) && !need_text(&[0, 1, 3]));
        assert!(need_text(&[2]) && need_text(&[0, 4]));
    }
}
