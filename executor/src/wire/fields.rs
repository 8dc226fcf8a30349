//! Lines with tabs to columns.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringViewArray, StringViewBuilder};

use super::WireFormat;

/// Reads lines into columns of TEXT, split at tabs.
///
/// In TSV the escapes `\t \n \r \\` are undone and `\N` is NULL; a backslash before anything else is
/// a backslash. A program that was fed RAW lines knows nothing of escapes, so that its fields are
/// taken as they are: `C:\new` in a log stays what it is.
#[derive(Debug, Clone, Copy)]
pub struct FieldReader {
    columns: usize,
    format: WireFormat,
}

impl FieldReader {
    /// A reader of lines with `columns` fields.
    pub fn new(format: WireFormat, columns: usize) -> Self {
        Self { columns, format }
    }

    /// The fields of `lines`, a column each.
    ///
    /// # Errors
    /// The first line with another number of fields: its index and what is wrong with it.
    pub fn read(&self, lines: &StringViewArray) -> Result<Vec<ArrayRef>, (usize, String)> {
        let mut builders: Vec<StringViewBuilder> =
            (0..self.columns).map(|_| StringViewBuilder::with_capacity(lines.len())).collect();
        for (row, line) in lines.iter().enumerate() {
            let line = line.unwrap_or_default();
            let fields = line.split('\t').count();
            if fields != self.columns {
                let expected = self.columns;
                return Err((row, format!("{fields} fields where AS has {expected} columns")));
            }
            for (builder, field) in builders.iter_mut().zip(line.split('\t')) {
                match self.format {
                    WireFormat::Raw => builder.append_value(field),
                    WireFormat::Tsv => builder.append_option(unescape(field)),
                }
            }
        }
        Ok(builders.into_iter().map(|mut builder| Arc::new(builder.finish()) as ArrayRef).collect())
    }
}

fn unescape(field: &str) -> Option<Cow<'_, str>> {
    if field == r"\N" {
        return None;
    }
    if !field.contains('\\') {
        return Some(Cow::Borrowed(field));
    }
    let mut value = String::with_capacity(field.len());
    let mut characters = field.chars().peekable();
    while let Some(character) = characters.next() {
        let meant = match (character, characters.peek()) {
            ('\\', Some('t')) => '\t',
            ('\\', Some('n')) => '\n',
            ('\\', Some('r')) => '\r',
            ('\\', Some('\\')) => '\\',
            _ => {
                value.push(character);
                continue;
            }
        };
        characters.next();
        value.push(meant);
    }
    Some(Cow::Owned(value))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use proptest::prelude::*;

    use super::super::{TextWriter, WireFormat};
    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in prop::collection::vec(
            prop::collection::vec(prop::option::of("(\\PC|[\t\n\r\\\\N]){0,8}"), 3), 0..6)
        ) {
            let columns: Vec<StringViewArray> = (0..3)
                .map(|column| rows.iter().map(|row| row[column].as_deref()).collect())
                .collect();
            let text = TextWriter::new(WireFormat::Tsv).write(&columns).expect("TSV takes all");
            let text = String::from_utf8(text).expect("it was UTF-8");
            let lines: StringViewArray = text.split_terminator('\n').map(Some).collect();
            prop_assert_eq!(lines.len(), rows.len());
            let read = FieldReader::new(WireFormat::Tsv, 3).read(&lines).expect("it was written so");
            for (read, written) in read.iter().zip(&columns) {
                prop_assert_eq!(read.as_string_view(), written);
            }
        }
    }

    #[test]
    fn reads_fields() {
        let check = |format, line: &str, expected: Result<[Option<&str>; 2], &str>| {
            let lines = StringViewArray::from_iter_values(["a\tb", line]);
            let read = FieldReader::new(format, 2).read(&lines);
            let expected = expected.map_err(|reason| (1, reason.to_owned()));
            let second = read.map(|columns| {
                [0, 1].map(|column| {
                    let column = columns[column].as_string_view();
                    column.is_valid(1).then(|| column.value(1).to_owned())
                })
            });
            assert_eq!(second, expected.map(|row| row.map(|value| value.map(str::to_owned))));
        };
        let (raw, tsv) = (WireFormat::Raw, WireFormat::Tsv);
        check(tsv, "a", Err("1 fields where AS has 2 columns"));
        check(raw, "a\tb\tc", Err("3 fields where AS has 2 columns"));
        check(tsv, "\\N\ta\\\\n\\x\\", Ok([None, Some("a\\n\\x\\")]));
        check(raw, "\\N\tC:\\new", Ok([Some("\\N"), Some("C:\\new")]));
        check(raw, "\t", Ok([Some(""), Some("")]));
    }
}
