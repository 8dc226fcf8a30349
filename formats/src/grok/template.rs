//! A text with `%{NAME:field:type}` in it.

use arrow_schema::DataType;

use crate::spec::FormatError;

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// A piece of a regular expression.
    Expression(&'a str),
    /// A pattern by its name.
    Named { name: &'a str, field: Option<String>, data_type: DataType, offset: usize },
}

/// The parts of a text.
///
/// # Errors
/// When what is between `%{` and `}` has another form.
pub(super) fn parts(text: &str) -> Result<Vec<Part<'_>>, FormatError> {
    let mut parts = Vec::new();
    let mut done = 0;
    while let Some(offset) = text[done..].find("%{").map(|at| at + done) {
        let inside = &text[offset + 2..];
        let end = inside.find('}').ok_or_else(|| {
            FormatError::new("`%{` is not closed by `}`")
                .at(offset)
                .with_hint(r"a percent sign in front of a brace is written \%\{")
        })?;
        if done < offset {
            parts.push(Part::Expression(&text[done..offset]));
        }
        parts.push(named(&inside[..end], offset)?);
        done = offset + 2 + end + 1;
    }
    if done < text.len() {
        parts.push(Part::Expression(&text[done..]));
    }
    Ok(parts)
}

fn named(inside: &str, offset: usize) -> Result<Part<'_>, FormatError> {
    let mut words = inside.split(':');
    let name = words.next().unwrap_or_default();
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(FormatError::new(format!("`%{{{inside}}}` names no pattern"))
            .at(offset)
            .with_hint("write %{NAME}, %{NAME:field} or %{NAME:field:int}"));
    }
    let field = words.next().map(column).filter(|field| !field.is_empty());
    let data_type = words.next().map_or(Ok(DataType::Utf8View), |word| data_type(word, offset))?;
    if words.next().is_some() {
        return Err(FormatError::new(format!("`%{{{inside}}}` has more than three parts"))
            .at(offset)
            .with_hint("write %{NAME:field:int}"));
    }
    Ok(Part::Named { name, field, data_type, offset })
}

/// The column of a field: `[source][ip]` is `source.ip`.
pub(super) fn column(field: &str) -> String {
    match field.strip_prefix('[').and_then(|inside| inside.strip_suffix(']')) {
        Some(inside) => inside.replace("][", "."),
        None => field.to_string(),
    }
}

fn data_type(word: &str, offset: usize) -> Result<DataType, FormatError> {
    match word {
        "int" | "integer" | "long" => Ok(DataType::Int64),
        "float" | "double" => Ok(DataType::Float64),
        "boolean" => Ok(DataType::Boolean),
        "string" => Ok(DataType::Utf8View),
        _ => Err(FormatError::new(format!("`{word}` is no type of a field"))
            .at(offset)
            .with_hint("the types are int, float, boolean and string")),
    }
}
