//! Statements about Lua functions: recognised, and answered until they exist.

use crate::diagnostic::Diagnostic;
use crate::tokens::Tokens;

/// Refuses `CREATE FUNCTION … LANGUAGE LUA` and its relatives at their place.
pub(crate) fn refuse_later_statements(tokens: &Tokens<'_>) -> Result<(), Diagnostic> {
    let word = |index: usize| tokens.word(index);
    let mut at = 1;
    let first = word(0);
    if first.as_deref() == Some("CREATE") {
        if tokens.is_word(at, "OR") && tokens.is_word(at + 1, "REPLACE") {
            at += 2;
        }
        if matches!(word(at).as_deref(), Some("TEMP" | "TEMPORARY")) {
            at += 1;
        }
    }
    let second = word(at);
    let third = word(at + 1);
    let what = match (first.as_deref(), second.as_deref(), third.as_deref()) {
        (Some("CREATE"), Some("AGGREGATE"), Some("FUNCTION")) => "CREATE AGGREGATE FUNCTION",
        (Some("CREATE"), Some("FUNCTION"), _) if is_lua(tokens) => "CREATE FUNCTION … LANGUAGE LUA",
        (Some("DROP"), Some("AGGREGATE"), Some("FUNCTION")) => "DROP AGGREGATE FUNCTION",
        (Some("DROP"), Some("FUNCTION"), _) => "DROP FUNCTION",
        (Some("SHOW"), Some("FUNCTIONS"), _) => "SHOW FUNCTIONS",
        _ => return Ok(()),
    };
    Err(Diagnostic::new(format!("not supported yet: {what}")).at(tokens.span_of(0..at + 1)))
}

fn is_lua(tokens: &Tokens<'_>) -> bool {
    (0..tokens.len())
        .any(|index| tokens.is_word(index, "LANGUAGE") && tokens.is_word(index + 1, "LUA"))
}
