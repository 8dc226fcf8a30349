//! One line of JSON to the values of its members.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Deserializer;

/// Hands each member of the object in `line` to `take`: `None` for null, the text of a string, and
/// of anything else its JSON, so that a number keeps all its digits.
///
/// # Errors
/// When the line is not an object, and why.
pub(super) fn read<'a>(
    line: &'a str,
    mut take: impl FnMut(&str, Option<Cow<'a, str>>),
) -> Result<(), String> {
    let mut rest = line.trim_matches(is_blank);
    rest = rest.strip_prefix('{').ok_or("no JSON object")?.trim_start_matches(is_blank);
    if rest == "}" {
        return Ok(());
    }
    loop {
        let (key, _, after) = value::<String>(rest)?;
        rest = after.strip_prefix(':').ok_or("broken JSON: a key without `:`")?;
        rest = rest.trim_start_matches(is_blank);
        let (_, json, after) = value::<IgnoredAny>(rest)?;
        take(&key, meant(json)?);
        rest = match after.strip_prefix(',') {
            Some(next) => next.trim_start_matches(is_blank),
            None if after == "}" => return Ok(()),
            None => return Err("broken JSON: neither `,` nor the end after a value".to_owned()),
        };
    }
}

fn is_blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// The value at the start of `text`, its JSON, and what follows.
fn value<T: DeserializeOwned>(text: &str) -> Result<(T, &str, &str), String> {
    let mut values = Deserializer::from_str(text).into_iter::<T>();
    let value = values.next().ok_or("broken JSON: it ends too soon")?;
    let value = value.map_err(|error| {
        // Its place would be that in the rest of the line.
        let error = error.to_string();
        format!("broken JSON: {}", error.split(" at line ").next().unwrap_or_default())
    })?;
    let (json, after) = text.split_at(values.byte_offset());
    Ok((value, json, after.trim_start_matches(is_blank)))
}

fn meant(json: &str) -> Result<Option<Cow<'_, str>>, String> {
    Ok(match json.as_bytes().first() {
        Some(b'n') => None,
        Some(b'"') => Some(Cow::Owned(value::<String>(json)?.0)),
        _ => Some(Cow::Borrowed(json)),
    })
}
