//! What is written reads back as the same values, and tables stay even.

use proptest::prelude::*;

use super::*;

/// Reads what the csv encoder writes; the inverse of its documented rules.
fn parse_csv(text: &str) -> Vec<Vec<Option<String>>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let value = if let Some(quoted) = rest.strip_prefix('"') {
            let mut value = String::new();
            rest = quoted;
            loop {
                let end = rest.find('"').expect("a quote is closed");
                value.push_str(&rest[..end]);
                rest = &rest[end + 1..];
                let Some(more) = rest.strip_prefix('"') else { break };
                value.push('"');
                rest = more;
            }
            Some(value)
        } else {
            let end = rest.find([',', '\n']).expect("a field has an end");
            let value = &rest[..end];
            rest = &rest[end..];
            (!value.is_empty()).then(|| value.to_owned())
        };
        row.push(value);
        if rest.starts_with('\n') {
            rows.push(std::mem::take(&mut row));
        }
        rest = &rest[1..];
    }
    rows
}

/// Reads what the tsv encoder writes.
fn parse_tsv(text: &str) -> Vec<Vec<Option<String>>> {
    let field = |field: &str| {
        if field == "\\N" {
            return None;
        }
        let mut characters = field.chars();
        let mut value = String::new();
        while let Some(character) = characters.next() {
            value.push(match character {
                '\\' => match characters.next().expect("an escape has two characters") {
                    't' => '\t',
                    'n' => '\n',
                    'r' => '\r',
                    '\\' => '\\',
                    other => panic!("unknown escape {other:?}"),
                },
                other => other,
            });
        }
        Some(value)
    };
    text.strip_suffix('\n')
        .expect("the last line has an end")
        .split('\n')
        .map(|line| line.split('\t').map(field).collect())
        .collect()
}

fn awkward_text() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[a-b,\"\t\r\n\\\\N é日\u{1b}]{0,6}")
}

proptest! {
    #[test]
    fn csv_and_tsv_read_back(
        rows in prop::collection::vec((awkward_text(), awkward_text()), 0..20),
    ) {
        let (left, right): (Vec<_>, Vec<_>) = rows.iter().cloned().unzip();
        let batch = batch(vec![
            ("left,\t\"", Arc::new(StringViewArray::from_iter(left))),
            ("right\n\\", Arc::new(StringArray::from_iter(right))),
        ]);
        let header = vec![Some("left,\t\"".to_owned()), Some("right\n\\".to_owned())];
        let mut expected = vec![header];
        expected.extend(rows.into_iter().map(|(left, right)| vec![left, right]));
        prop_assert_eq!(parse_csv(&check(Format::Csv, None, std::slice::from_ref(&batch))), expected.clone());
        prop_assert_eq!(parse_tsv(&check(Format::Tsv, None, &[batch])), expected);
    }

    #[test]
    fn tables_have_even_lines_that_fit(
        texts in prop::collection::vec(prop::option::of(any::<String>()), 1..20),
        columns in 12_usize..60,
    ) {
        let numbers = Int64Array::from_iter_values(0..texts.len() as i64);
        let batch = batch(vec![
            ("text", Arc::new(StringViewArray::from_iter(texts))),
            ("n", Arc::new(numbers)),
        ]);
        for terminal_width in [None, Some(columns)] {
            let table = check(Format::Table, terminal_width, std::slice::from_ref(&batch));
            let widths: Vec<_> = table.lines().map(visible::width).collect();
            prop_assert!(widths.iter().all(|width| *width == widths[0]), "{}", table);
            prop_assert!(terminal_width.is_none_or(|columns| widths[0] <= columns), "{}", table);
        }
    }
}
