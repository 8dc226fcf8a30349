//! Messages in colour.

use std::io::IsTerminal;

const ERROR: &str = "\x1b[1;31m";
const WARNING: &str = "\x1b[1;33m";
const STRONG: &str = "\x1b[1m";
const GUTTER: &str = "\x1b[34m";
const CARET: &str = "\x1b[1;31m";
const HELP: &str = "\x1b[1;36m";
/// Ends a colour.
pub(crate) const PLAIN: &str = "\x1b[0m";

/// Whether a terminal is to show colours: <https://no-color.org>.
pub(crate) fn wants_colours() -> bool {
    let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !is_refused && !is_dumb()
}

/// Whether the terminal understands no escapes.
pub(crate) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty())
}

/// A rendered message as standard error is to have it.
pub(crate) fn on_stderr(text: &str) -> String {
    message(text, wants_colours() && std::io::stderr().is_terminal())
}

/// A rendered message, with its parts told apart where colours are wanted. The text itself is
/// escaped already, and stays as it is.
pub(crate) fn message(text: &str, has_colours: bool) -> String {
    if !has_colours {
        return text.to_owned();
    }
    text.split_inclusive('\n').map(line).collect()
}

fn line(line: &str) -> String {
    let text = line.trim_end_matches('\n');
    let end = &line[text.len()..];
    let painted = if let Some(rest) = text.strip_prefix("error:") {
        format!("{ERROR}error:{PLAIN}{STRONG}{rest}{PLAIN}")
    } else if let Some(rest) = text.strip_prefix("warning:") {
        format!("{WARNING}warning:{PLAIN}{rest}")
    } else if let Some((gutter, rest)) = text.split_once("= help: ").filter(|(g, _)| is_blank(g)) {
        format!("{gutter}= {HELP}help:{PLAIN} {rest}")
    } else if let Some((gutter, place)) = text.split_once("--> ").filter(|(g, _)| is_blank(g)) {
        format!("{gutter}{GUTTER}-->{PLAIN} {place}")
    } else if let Some((gutter, rest)) = text.split_once('|').filter(|(g, _)| is_gutter(g)) {
        let is_caret = is_blank(gutter) && !rest.is_empty() && is_carets(rest);
        let rest = if is_caret { format!("{CARET}{rest}{PLAIN}") } else { rest.to_owned() };
        format!("{GUTTER}{gutter}|{PLAIN}{rest}")
    } else {
        text.to_owned()
    };
    painted + end
}

fn is_blank(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ')
}

fn is_gutter(text: &str) -> bool {
    text.ends_with(' ') && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_digit())
}

fn is_carets(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte == b'^')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let plain = "error: no\n --> line 1, column 1\n  |\n1 | FROM x\n  | ^^^^\n  = help: yes\n";
        assert_eq!(message(plain, false), plain);
        let painted = message(plain, true);
        for part in [
            "\x1b[1;31merror:\x1b[0m\x1b[1m no\x1b[0m\n",
            " \x1b[34m-->\x1b[0m line 1, column 1\n",
            "\x1b[34m1 |\x1b[0m FROM x\n",
            "\x1b[34m  |\x1b[0m\x1b[1;31m ^^^^\x1b[0m\n",
            "  = \x1b[1;36mhelp:\x1b[0m yes\n",
        ] {
            assert!(painted.contains(part), "{painted:?} lacks {part:?}");
        }
        assert_eq!(message("a | b\n", true), "a | b\n");
    }
}
