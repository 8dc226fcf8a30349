//! Records to columns of TEXT.

use std::borrow::Cow;
use std::collections::HashMap;

use arrow::array::{Array, StringViewArray, StringViewBuilder};
use memchr::memchr_iter;

use super::{Records, WireFormat, csv, json_object, tsv};
use crate::text::line_views;

/// Reads records into columns of TEXT.
///
/// In TSV escapes are undone. A program that was fed RAW lines knows nothing of escapes, so that the
/// fields between its tabs are taken as they are: `C:\new` in a log stays what it is.
#[derive(Debug, Clone)]
pub struct FieldReader {
    format: WireFormat,
    columns: usize,
    /// Where the value of a key goes, in JSON.
    keys: HashMap<String, usize>,
}

/// The columns of some records.
#[derive(Debug)]
pub struct Fields {
    /// As many values as there are records; those of a bad one are NULL.
    pub columns: Vec<StringViewArray>,
    /// In the order of the records.
    pub bad: Vec<BadRecord>,
    /// Records that were not UTF-8; their bad bytes are U+FFFD.
    pub invalid_utf8: usize,
}

/// A record that does not have the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRecord {
    /// Its index among the records.
    pub row: usize,
    /// What is wrong with it.
    pub reason: String,
    /// How many fields it has, where that is what is wrong.
    pub fields: Option<usize>,
}

impl FieldReader {
    /// A reader of rows with the columns `names`.
    pub fn new<'a>(format: WireFormat, names: impl IntoIterator<Item = &'a str>) -> Self {
        let keys: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let columns = keys.len();
        let keys = keys.into_iter().enumerate().map(|(column, key)| (key, column)).collect();
        Self { format, columns, keys }
    }

    /// The fields of `records`.
    pub fn read(&self, records: &Records) -> Fields {
        match records {
            Records::Lines(lines) => {
                let lines = line_views(lines);
                let fields = self.read_lines(&lines.array);
                Fields { invalid_utf8: lines.invalid_lines, ..fields }
            }
            Records::Csv(records) => {
                let mut rows = Rows::new(self.columns, records.rows());
                let mut invalid_utf8 = 0;
                for record in records.iter() {
                    let record = match simdutf8::basic::from_utf8(record) {
                        Ok(record) => Cow::Borrowed(record),
                        Err(_) => {
                            invalid_utf8 += 1;
                            String::from_utf8_lossy(record)
                        }
                    };
                    rows.read(&record, |take| csv::read_record(&record, take));
                }
                Fields { invalid_utf8, ..rows.finish() }
            }
        }
    }

    fn read_lines(&self, lines: &StringViewArray) -> Fields {
        if self.format == WireFormat::Raw && self.columns == 1 {
            return Fields { columns: vec![lines.clone()], bad: Vec::new(), invalid_utf8: 0 };
        }
        let mut rows = Rows::new(self.columns, lines.len());
        for line in lines.iter().map(Option::unwrap_or_default) {
            match self.format {
                WireFormat::Raw => rows.read_tabs(line, |field| Some(Cow::Borrowed(field))),
                // CSV does not come in lines.
                WireFormat::Tsv | WireFormat::Csv => rows.read_tabs(line, tsv::unescape),
                WireFormat::Json => {
                    let mut values = vec![None; self.columns];
                    let read = json_object::read(line, |key, value| {
                        if let Some(column) = self.keys.get(key) {
                            values[*column] = value;
                        }
                    });
                    match read {
                        Ok(()) => rows.push(values),
                        Err(reason) => rows.push_bad(format!("{reason}: {}", clipped(line)), None),
                    }
                }
            }
        }
        rows.finish()
    }
}

/// Columns in the making.
struct Rows {
    builders: Vec<StringViewBuilder>,
    rows: usize,
    bad: Vec<BadRecord>,
}

impl Rows {
    fn new(columns: usize, capacity: usize) -> Self {
        let builder = || StringViewBuilder::with_capacity(capacity);
        Self { builders: (0..columns).map(|_| builder()).collect(), rows: 0, bad: Vec::new() }
    }

    /// A row of the fields between the tabs of a line.
    fn read_tabs<'a>(&mut self, line: &'a str, value: impl Fn(&'a str) -> Option<Cow<'a, str>>) {
        let found = memchr_iter(b'\t', line.as_bytes()).count() + 1;
        if found != self.builders.len() {
            return self.push_wrong_count(line, found);
        }
        for (builder, field) in self.builders.iter_mut().zip(line.split('\t')) {
            builder.append_option(value(field));
        }
        self.rows += 1;
    }

    /// A row of the fields that `fields` hands out, of which there may be too few or too many.
    fn read<'a>(
        &mut self,
        record: &str,
        fields: impl FnOnce(&mut dyn FnMut(Option<Cow<'a, str>>)),
    ) {
        let columns = self.builders.len();
        let mut values = Vec::with_capacity(columns);
        let mut found = 0;
        fields(&mut |value| {
            found += 1;
            if found <= columns {
                values.push(value);
            }
        });
        if found == columns { self.push(values) } else { self.push_wrong_count(record, found) }
    }

    fn push_wrong_count(&mut self, record: &str, found: usize) {
        let (columns, record) = (self.builders.len(), clipped(record));
        let reason = format!("{found} fields where AS has {columns} columns: {record}");
        self.push_bad(reason, Some(found));
    }

    fn push(&mut self, values: Vec<Option<Cow<'_, str>>>) {
        for (builder, value) in self.builders.iter_mut().zip(values) {
            builder.append_option(value);
        }
        self.rows += 1;
    }

    fn push_bad(&mut self, reason: String, fields: Option<usize>) {
        self.builders.iter_mut().for_each(StringViewBuilder::append_null);
        self.bad.push(BadRecord { row: self.rows, reason, fields });
        self.rows += 1;
    }

    fn finish(self) -> Fields {
        let columns = self.builders.into_iter().map(|mut builder| builder.finish());
        Fields { columns: columns.collect(), bad: self.bad, invalid_utf8: 0 }
    }
}

/// A value as messages show it.
pub(crate) fn clipped(value: &str) -> String {
    const LIMIT_CHARACTERS: usize = 80;
    match value.char_indices().nth(LIMIT_CHARACTERS) {
        Some((end, _)) => format!("{:?}…", &value[..end]),
        None => format!("{value:?}"),
    }
}
