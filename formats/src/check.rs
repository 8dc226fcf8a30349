//! What the tests of formats have in common.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampNanosecondType;
use arrow_array::{Array, ArrayRef, StringViewArray};

use crate::column::ColumnSpec;
use crate::parser::LineParser;
use crate::scan::{Fields, Scanner};
use crate::spec::FormatSpec;

/// The columns that a format with columns of its own has.
pub(crate) fn specs_of(format: &FormatSpec) -> Vec<ColumnSpec> {
    format.columns().expect("the format is right").expect("the format has columns")
}

/// Their names.
pub(crate) fn columns_of(format: &FormatSpec) -> Vec<String> {
    specs_of(format).into_iter().map(|column| column.name).collect()
}

/// The text of all fields of a line, or nothing when it does not match.
pub(crate) fn fields_of(format: &FormatSpec, line: &str) -> Option<Vec<(String, Option<String>)>> {
    let columns: Vec<_> = columns_of(format).into_iter().map(ColumnSpec::text).collect();
    let scanner = format.scanner(&columns).expect("the format is right");
    let mut fields = Fields::new(vec![true; columns.len()]);
    if let Err(mismatch) = scanner.scan(line, &mut fields) {
        assert!(!scanner.describe(line, mismatch).is_empty());
        return None;
    }
    let text = |slot| fields.text(line, slot).map(str::to_string);
    Some(columns.into_iter().enumerate().map(|(slot, column)| (column.name, text(slot))).collect())
}

/// Checks that a line is judged the same whatever columns are needed, and that what is needed does
/// not depend on the others.
pub(crate) fn judged_alike(format: &FormatSpec, line: &str) {
    let columns = specs_of(format);
    let scanner = format.scanner(&columns).expect("the format is right");
    let all = scan(&*scanner, line, &vec![true; columns.len()]);
    let none = scan(&*scanner, line, &vec![false; columns.len()]);
    assert_eq!(all.is_some(), none.is_some(), "{line:?}");
    for slot in 0..columns.len() {
        let needed: Vec<bool> = (0..columns.len()).map(|other| other == slot).collect();
        let one = scan(&*scanner, line, &needed);
        assert_eq!(one.map(|fields| fields[slot].clone()), all.clone().map(|f| f[slot].clone()));
    }
}

fn scan(scanner: &dyn Scanner, line: &str, needed: &[bool]) -> Option<Vec<Option<String>>> {
    let mut fields = Fields::new(needed.to_vec());
    scanner.scan(line, &mut fields).ok()?;
    Some((0..needed.len()).map(|slot| fields.text(line, slot).map(str::to_string)).collect())
}

/// The values of a line in the types of its columns, printed, without those that are NULL; the
/// reason when it fails.
pub(crate) fn values_of(format: &FormatSpec, line: &str) -> Result<Vec<String>, String> {
    let columns = specs_of(format);
    let parser = LineParser::try_new(format, &columns).expect("the format is right");
    let wanted: Vec<usize> = (0..columns.len()).collect();
    let parsed = parser
        .parse(&StringViewArray::from(vec![line]), &wanted, 1)
        .expect("Arrow has these types");
    if let Some(reason) = parsed.failures.reasons.into_iter().next() {
        return Err(reason);
    }
    let values = columns.iter().zip(&parsed.columns).filter(|(_, array)| array.is_valid(0));
    Ok(values.map(|(column, array)| format!("{}={}", column.name, printed(array))).collect())
}

/// The first value of an array as text.
pub(crate) fn printed(array: &ArrayRef) -> String {
    let array: ArrayRef = match array.as_primitive_opt::<TimestampNanosecondType>() {
        // Names of zones need a database of them.
        Some(times) if times.timezone().is_some() => {
            Arc::new(times.clone().with_timezone("+00:00"))
        }
        _ => Arc::clone(array),
    };
    arrow_cast::display::array_value_to_string(&array, 0).expect("it prints")
}
