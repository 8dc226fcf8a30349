//! `REGEX '(?P<ip>\S+) .* (?P<status>\d{3})'`: expressions with named groups.
//!
//! The syntax is that of the crate `regex` (<https://docs.rs/regex/latest/regex/#syntax>). An
//! expression is searched for: it matches a line when it matches some part of it.

use std::sync::Arc;

use regex_automata::meta;

use crate::column::ColumnSpec;
use crate::expression::{self, Target};
use crate::scan::{Fields, Mismatch, Scanner};
use crate::spec::FormatError;

/// Finds fields with one expression.
#[derive(Debug)]
struct Regex {
    regex: meta::Regex,
    targets: Vec<Target>,
}

/// The columns that the groups name, in their order.
pub(crate) fn columns(text: &str) -> Result<Vec<ColumnSpec>, FormatError> {
    let regex = expression::compile(text)?;
    Ok(named(&regex)?.into_iter().map(|(name, _)| ColumnSpec::text(name)).collect())
}

/// A scanner that fills `columns`.
pub(crate) fn scanner(text: &str, columns: &[ColumnSpec]) -> Result<Arc<dyn Scanner>, FormatError> {
    let regex = expression::compile(text)?;
    let targets = expression::targets(&named(&regex)?, columns)?;
    Ok(Arc::new(Regex { regex, targets }))
}

/// The groups that have a name.
fn named(regex: &meta::Regex) -> Result<Vec<(&str, Vec<usize>)>, FormatError> {
    let groups = regex.group_info().pattern_names(regex_automata::PatternID::ZERO).enumerate();
    let named: Vec<_> = groups.filter_map(|(group, name)| Some((name?, vec![group]))).collect();
    if named.is_empty() {
        return Err(FormatError::new("the expression has no named group")
            .with_hint(r"write (?<name>…) for what becomes a column, such as (?<status>\d+)"));
    }
    Ok(named)
}

impl Scanner for Regex {
    fn scan(&self, line: &str, fields: &mut Fields) -> Result<(), Mismatch> {
        expression::search(&self.regex, &self.targets, false, line, fields)
            .map(|_| ())
            .ok_or(Mismatch { offset: 0, part: 0 })
    }

    fn describe(&self, _line: &str, _mismatch: Mismatch) -> String {
        "the expression is found nowhere in the line".into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::{columns_of, fields_of, judged_alike};
    use crate::spec::FormatSpec;

    fn check(text: &str, line: &str, expected: Option<&[(&str, Option<&str>)]>) {
        assert_eq!(
            fields_of(&FormatSpec::Regex(text.into()), line),
            expected.map(|fields| fields
                .iter()
                .map(|(name, value)| (name.to_string(), value.map(str::to_string)))
                .collect())
        );
    }

    #[test]
    fn named_groups_become_columns_in_order() {
        let text = r"(?P<b>\w+)-(\w+)-(?<a>\w+)(?<c>!)?";
        assert_eq!(columns_of(&FormatSpec::Regex(text.into())), ["b", "a", "c"]);
        check(text, "§ x-y-z", Some(&[("b", Some("x")), ("a", Some("z")), ("c", None)]));
        check(text, "x-y-z!", Some(&[("b", Some("x")), ("a", Some("z")), ("c", Some("!"))]));
        check(text, "x y z", None);
    }

    #[test]
    fn many_groups_fit() {
        let text: String = (0..50).map(|group| format!("(?<g{group}>.)")).collect();
        let line: String = ('A'..).take(50).collect();
        let found = fields_of(&FormatSpec::Regex(text), &line).expect("it matches");
        assert_eq!(found[49], ("g49".to_string(), Some("r".to_string())));
    }

    fn error_of(text: &str) -> (String, Option<usize>, bool) {
        let error = columns(text).expect_err("it is wrong");
        (error.message, error.offset, error.hint.is_some())
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(error_of(r"\d+").0, "the expression has no named group");
        let (message, offset, has_hint) = error_of(r"é(?<a>x)(?=y)");
        assert!(message.starts_with("look-around"), "{message}");
        assert_eq!((offset, has_hint), (Some(9), true));
        assert_eq!(error_of("(?<a>x").1, Some(0));
        assert_eq!(error_of("(?<a>x)(?<a>y)").1, Some(10));
        assert!(error_of(r"(?<a>(\w{1000}){1000})").0.starts_with("the expression is too big"));
    }

    #[test]
    fn a_name_that_is_no_group_is_an_error() {
        let error = scanner("(?<a>x)(?<b>y)", &[ColumnSpec::text("c")]).expect_err("no group");
        assert_eq!(error.hint.as_deref(), Some("its fields are a, b"));
    }

    proptest! {
        #[test]
        fn no_line_panics_and_all_columns_judge_alike(line in "\\PC{0,40}|[a-c =0-9]{0,40}") {
            judged_alike(&FormatSpec::Regex(r"(?<k>\w+)\s*=\s*(?<v>\d+)?(?<r>.*)".into()), &line);
        }
    }
}
