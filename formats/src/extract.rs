//! All places at which an expression matches, as lists of views on the texts.

use std::sync::Arc;

use arrow_array::{Array, ListArray, StringViewArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, FieldRef};
use regex_automata::util::captures::Captures;
use regex_automata::util::iter::Searcher;
use regex_automata::{Input, meta};
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::column::{Line, TextBuilder};
use crate::expression;
use crate::spec::FormatError;

/// Finds what one group of an expression matches, as often as it does. Matches do not overlap.
#[derive(Debug)]
pub struct Extractor {
    regex: meta::Regex,
    group: usize,
    /// The bytes of `[class]+`, where the expression is no more than that.
    run: Option<Box<[bool; 256]>>,
}

impl Extractor {
    /// Group 0 is the whole match. The syntax is that of the crate `regex`.
    ///
    /// # Errors
    /// Text that is no expression, or one without the group.
    pub fn try_new(expression: &str, group: usize) -> Result<Self, FormatError> {
        let regex = expression::compile(expression)?;
        let groups = regex.captures_len();
        if group >= groups {
            let hint = match groups {
                1 => "it has no groups; 0 is the whole match".to_owned(),
                _ => format!("its groups are 0 (the whole match) to {}", groups - 1),
            };
            return Err(
                FormatError::new(format!("the expression has no group {group}")).with_hint(hint)
            );
        }
        Ok(Self { regex, group, run: run_of_class(expression) })
    }

    /// The type of [`extract`](Self::extract)'s items: TEXT, NULL where a group took no part.
    pub fn item_field() -> FieldRef {
        Arc::new(Field::new_list_field(DataType::Utf8View, true))
    }

    /// The matches in each text, in order; a NULL has NULL.
    ///
    /// # Panics
    /// Where there are 2³¹ matches: in a batch of more than 2 GiB.
    pub fn extract(&self, texts: &StringViewArray) -> ListArray {
        let mut found = TextBuilder::new(4 * texts.len(), texts.data_buffers().len());
        let mut lengths = Vec::with_capacity(texts.len());
        let mut groups = self.regex.create_captures();
        for (row, view) in texts.views().iter().enumerate() {
            let before = found.len();
            if texts.is_valid(row) {
                self.append(Line { text: texts.value(row), view: *view }, &mut groups, &mut found);
            }
            lengths.push(found.len() - before);
        }
        let nulls: Option<NullBuffer> = texts.nulls().cloned();
        let offsets = OffsetBuffer::from_lengths(lengths);
        ListArray::new(Self::item_field(), offsets, Arc::new(found.finish(texts)), nulls)
    }

    fn append(&self, line: Line<'_>, groups: &mut Captures, found: &mut TextBuilder) {
        let text = line.text;
        if let Some(class) = &self.run {
            for_each_run(class, text.as_bytes(), |start, end| {
                found.append_of(line, start, &text[start..end]);
            });
        } else if self.group == 0 {
            for each in self.regex.find_iter(text) {
                found.append_of(line, each.start(), &text[each.range()]);
            }
        } else {
            let mut searcher = Searcher::new(Input::new(text));
            while searcher
                .advance(|input| {
                    self.regex.search_captures(input, groups);
                    Ok(groups.get_match())
                })
                .is_some()
            {
                match groups.get_group(self.group) {
                    Some(span) => found.append_of(line, span.start, &text[span.range()]),
                    None => found.append_null(),
                }
            }
        }
    }
}

/// The longest sequences of bytes of a class.
fn for_each_run(class: &[bool; 256], bytes: &[u8], mut found: impl FnMut(usize, usize)) {
    let is_in = |byte: &u8| class[usize::from(*byte)];
    let mut at = 0;
    while let Some(skipped) = bytes[at..].iter().position(is_in) {
        let start = at + skipped;
        let length = bytes[start..].iter().position(|byte| !is_in(byte));
        let end = length.map_or(bytes.len(), |length| start + length);
        found(start, end);
        at = end;
    }
}

/// The bytes of an expression that is `[class]+`, greedy and of ASCII alone: those of other
/// characters are in no such class, so that each end of a run is an end of a character.
fn run_of_class(expression: &str) -> Option<Box<[bool; 256]>> {
    let parsed: Hir = regex_syntax::parse(expression).ok()?;
    let HirKind::Repetition(repetition) = parsed.kind() else { return None };
    if repetition.min != 1 || repetition.max.is_some() || !repetition.greedy {
        return None;
    }
    let mut bytes = Box::new([false; 256]);
    match repetition.sub.kind() {
        HirKind::Literal(literal) => match *literal.0 {
            [byte] if byte.is_ascii() => bytes[usize::from(byte)] = true,
            _ => return None,
        },
        HirKind::Class(class) => {
            let class = match class {
                Class::Unicode(class) => class.to_byte_class()?,
                Class::Bytes(class) => class.clone(),
            };
            if !class.is_ascii() {
                return None;
            }
            for range in class.iter() {
                bytes[usize::from(range.start())..=usize::from(range.end())].fill(true);
            }
        }
        _ => return None,
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use proptest::prelude::*;

    use super::*;

    fn extracted(
        expression: &str,
        group: usize,
        texts: &[Option<&str>],
    ) -> Vec<Option<Vec<Option<String>>>> {
        let texts = StringViewArray::from_iter(texts.iter().copied());
        let lists = Extractor::try_new(expression, group).unwrap().extract(&texts);
        lists.values().to_data().validate_full().unwrap();
        let items = |list: arrow_array::ArrayRef| {
            list.as_string_view().iter().map(|item| item.map(str::to_owned)).collect()
        };
        lists.iter().map(|list| list.map(items)).collect()
    }

    fn check(expression: &str, group: usize, text: &str, expected: &[Option<&str>]) {
        let expected: Vec<_> = expected.iter().map(|item| item.map(str::to_owned)).collect();
        assert_eq!(extracted(expression, group, &[Some(text)]), [Some(expected)]);
    }

    #[test]
    fn all_matches_are_found() {
        check("[a-z]+", 0, "ab, c;ß d", &[Some("ab"), Some("c"), Some("d")]);
        check(
            "[a-z]+",
            0,
            "a run longer than twelvebytes",
            &["a", "run", "longer", "than", "twelvebytes"].map(Some),
        );
        check(r"\d+", 0, "1 ٢ 33", &["1", "٢", "33"].map(Some));
        check("x*", 0, "axxb", &["", "xx", ""].map(Some));
        check("x*", 0, "äx", &["", "x"].map(Some));
        check("(a)|(b)", 2, "aba", &[None, Some("b"), None]);
        check(
            "k=([^ ]*)",
            1,
            "k=1 k= k=averylongvalueindeed",
            &["1", "", "averylongvalueindeed"].map(Some),
        );
        check("a+", 0, "", &[]);
    }

    #[test]
    fn a_null_has_null() {
        let lists = extracted("a+", 0, &[None, Some("aa a"), None, Some("b")]);
        let found = vec![Some("aa".to_owned()), Some("a".to_owned())];
        assert_eq!(lists, [None, Some(found), None, Some(vec![])]);
    }

    #[test]
    fn what_is_no_expression_or_group_is_an_error() {
        assert!(Extractor::try_new("[a", 0).is_err());
        let error = Extractor::try_new("(a)b", 2).unwrap_err();
        assert_eq!(error.message, "the expression has no group 2");
        assert_eq!(error.hint.as_deref(), Some("its groups are 0 (the whole match) to 1"));
    }

    proptest! {
        /// The short way finds what the expression finds.
        #[test]
        fn runs_are_the_matches(
            class in prop::sample::select(vec!["a", "[a-c]", "[A-Za-z0-9]", r"(?-u:\w)", "[^a]", r"(?-u:\s)", r"[\x00-\x1f]"]),
            texts in prop::collection::vec(prop::option::of("[a-cA-C0-2 ,äß\u{0}\n]{0,40}"), 0..20),
        ) {
            let expression = format!("{class}+");
            let texts = StringViewArray::from_iter(texts.iter().map(Option::as_deref));
            let short = Extractor::try_new(&expression, 0).unwrap();
            let long = Extractor { run: None, regex: short.regex.clone(), group: 0 };
            prop_assert_eq!(short.run.is_none(), class == "[^a]");
            prop_assert_eq!(short.extract(&texts), long.extract(&texts));
        }
    }
}
