//! What the author of an unexpected token may have meant.

use sqlparser::tokenizer::Token;

use crate::tokens::Tokens;

/// What may follow `|>`.
pub(crate) const PIPE_STEPS: &[&str] = &[
    "SELECT",
    "EXTEND",
    "SET",
    "DROP",
    "RENAME",
    "AS",
    "WHERE",
    "AGGREGATE",
    "DISTINCT",
    "JOIN",
    "INNER",
    "LEFT",
    "RIGHT",
    "FULL",
    "CROSS",
    "NATURAL",
    "ORDER",
    "LIMIT",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "TABLESAMPLE",
    "PIPE",
    "MAP",
    "FLATMAP",
    "FILTER",
    "REDUCE",
    "PARSE",
    "FOLD",
    "GAPFILL",
];

/// Words that begin a statement.
const STATEMENTS: &[&str] = &[
    "SELECT", "FROM", "WITH", "VALUES", "CREATE", "DROP", "COPY", "EXPLAIN", "SHOW", "SET",
    "INSERT", "DESCRIBE", "RESET", "TABLE", "PREPARE", "EXECUTE",
];

/// Words that a query has after its FROM, and that are often misspelled.
const CLAUSES: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "UNION",
    "INTERSECT",
    "EXCEPT",
    "JOIN",
    "USING",
    "PIPE",
    "MAP",
    "FLATMAP",
    "FILTER",
    "REDUCE",
    "PARSE",
    "FOLD",
    "GAPFILL",
    "PARTITION",
    "SINGLE",
    "FORMAT",
    "TIMEOUT",
    "DISTINCT",
    "BETWEEN",
    "COMBINED",
    "COMMON",
    "SYSLOG",
    "LOGFMT",
    "EXTERNAL",
    "TABLE",
    "VIEW",
    "CREATE",
    "FUNCTION",
    "EXPLAIN",
    "COPY",
    "VALUES",
];

/// The candidate nearest to a word, where one is near.
pub(crate) fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let word = word.to_uppercase();
    let allowed = match word.chars().count() {
        0..=2 => return None,
        3..=4 => 1,
        _ => 2,
    };
    candidates
        .iter()
        .filter(|candidate| **candidate != word)
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Advice on a token that the grammar has no place for.
pub(crate) fn for_unexpected(tokens: &Tokens<'_>, index: usize) -> Option<String> {
    let previous = index.checked_sub(1).and_then(|previous| tokens.word(previous));
    let previous = previous.as_deref();
    if previous == Some("PIPE") && !tokens.is_code(index) && tokens.token(index).is_some() {
        return Some("PIPE takes its command in quotes: PIPE 'grep …'".to_string());
    }
    match tokens.token(index)? {
        Token::VerticalBarRightAngleBracket => {
            return Some("`|>` follows a whole query: FROM … |> …, or SELECT … |> …".to_string());
        }
        Token::Word(_) => {}
        _ => return misspelled_before(tokens, index),
    }
    let word = tokens.word(index)?;
    if matches!(word.as_str(), "GROUP" | "ORDER") && !tokens.is_word(index + 1, "BY") {
        return Some(format!("write {word} BY"));
    }
    if word == "FROM" && tokens.is_word(0, "SHOW") && tokens.is_word(1, "FUNCTIONS") {
        return Some("write SHOW FUNCTIONS LIKE '…'".to_string());
    }
    let begins_statement = STATEMENTS.contains(&word.as_str());
    if begins_statement && index > 0 && previous.is_none_or(|previous| !CLAUSES.contains(&previous))
    {
        return Some("put `;` between two statements".to_string());
    }
    if index == 0 {
        return nearest(&word, STATEMENTS).map(did_you_mean);
    }
    if !CLAUSES.contains(&word.as_str())
        && let Some(clause) = nearest(&word, CLAUSES)
    {
        return Some(did_you_mean(clause));
    }
    misspelled_before(tokens, index)
}

/// `FROM t WHRE x = 1` is first wrong at `x`: the misspelled word passed as an alias.
fn misspelled_before(tokens: &Tokens<'_>, index: usize) -> Option<String> {
    let previous = tokens.word(index.checked_sub(1)?)?;
    if CLAUSES.contains(&previous.as_str()) {
        return None;
    }
    let clause = nearest(&previous, CLAUSES)?;
    Some(format!("did you mean {clause} instead of {}?", previous))
}

/// The hint for one candidate.
pub(crate) fn did_you_mean(candidate: &str) -> String {
    format!("did you mean {candidate}?")
}
