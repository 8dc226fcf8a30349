//! What the last pipeline of a shell program consists of.
//!
//! bash reports the statuses of its last pipeline by position; to know whether a status 1 is that
//! of a `grep` without a match, the words at the same positions are needed. This is a reading of
//! the text (quotes, escapes, comments, nesting), not a shell: where the number of commands found
//! differs from the number of statuses, the caller takes no status as harmless.

/// Programs whose status 1 means "nothing matched".
const MATCHERS: [&str; 10] =
    ["grep", "egrep", "fgrep", "rgrep", "zgrep", "bzgrep", "xzgrep", "zstdgrep", "rg", "ag"];

/// Words that may stand before a command without being the command.
const PREFIXES: [&str; 6] = ["env", "command", "exec", "nice", "nohup", "stdbuf"];

/// For each command of the last pipeline in `code`: is its status 1 harmless, being that of a
/// program that only says that nothing matched?
pub fn last_pipeline(code: &str) -> Vec<bool> {
    let pipelines = commands(code);
    let last = pipelines.into_iter().rev().find(|pipeline| !pipeline.is_empty());
    last.unwrap_or_default().iter().map(|command| is_matcher(command)).collect()
}

fn is_matcher(words: &[String]) -> bool {
    let mut words = words.iter().skip_while(|word| is_assignment(word)).peekable();
    while words.peek().is_some_and(|word| PREFIXES.contains(&basename(word))) {
        words.next();
        while words.peek().is_some_and(|word| word.starts_with('-') || is_assignment(word)) {
            words.next();
        }
    }
    words.next().is_some_and(|word| MATCHERS.contains(&basename(word)))
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

fn basename(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// The pipelines of `code`, each a list of commands, each a list of words.
fn commands(code: &str) -> Vec<Vec<Vec<String>>> {
    let mut reader = Reader::default();
    let mut characters = code.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        if reader.take(character, next) {
            characters.next();
        }
    }
    reader.end_pipeline();
    reader.pipelines
}

#[derive(Default)]
struct Reader {
    pipelines: Vec<Vec<Vec<String>>>,
    pipeline: Vec<Vec<String>>,
    command: Vec<String>,
    word: String,
    quote: Option<char>,
    comment: bool,
    depth: usize,
}

impl Reader {
    /// Reads one character; `true` when the `next` one was read with it.
    fn take(&mut self, character: char, next: Option<char>) -> bool {
        if self.comment {
            self.comment = character != '\n';
            if self.comment {
                return false;
            }
        }
        if let Some(quote) = self.quote {
            return self.take_quoted(character, quote, next);
        }
        match character {
            '\\' => {
                self.word.extend(next.filter(|next| *next != '\n'));
                return next.is_some();
            }
            '\'' | '"' | '`' => self.quote = Some(character),
            '#' if self.word.is_empty() => self.comment = true,
            '(' | '{' if character == '(' || self.word.is_empty() || self.word.ends_with('$') => {
                self.depth += 1;
                self.word.push(character);
            }
            ')' | '}' if self.depth > 0 => {
                self.depth -= 1;
                self.word.push(character);
            }
            _ if self.depth > 0 => self.word.push(character),
            '|' if next == Some('|') => {
                self.end_pipeline();
                return true;
            }
            '|' => {
                self.end_command();
                return next == Some('&');
            }
            // `>&2` and `2>&1` are redirections, `&&` and `&` end a pipeline.
            '&' if self.word.ends_with(['>', '<']) || next == Some('>') => self.word.push('&'),
            // A pipeline goes on in the line after a `|`.
            '\n' if self.is_after_bar() => {}
            '&' | ';' | '\n' => self.end_pipeline(),
            _ if character.is_whitespace() => self.end_word(),
            _ => self.word.push(character),
        }
        false
    }

    fn take_quoted(&mut self, character: char, quote: char, next: Option<char>) -> bool {
        if character == quote {
            self.quote = None;
        } else if character == '\\' && quote != '\'' {
            self.word.extend(next);
            return next.is_some();
        } else {
            self.word.push(character);
        }
        false
    }

    fn is_after_bar(&self) -> bool {
        self.word.is_empty() && self.command.is_empty() && !self.pipeline.is_empty()
    }

    fn end_word(&mut self) {
        if !self.word.is_empty() {
            self.command.push(std::mem::take(&mut self.word));
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        self.pipeline.push(std::mem::take(&mut self.command));
    }

    fn end_pipeline(&mut self) {
        self.end_word();
        if !self.command.is_empty() || !self.pipeline.is_empty() {
            self.end_command();
            self.pipelines.push(std::mem::take(&mut self.pipeline));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_matchers() {
        let check = |code: &str, expected: &[bool]| {
            assert_eq!(last_pipeline(code), expected, "{code}");
        };
        check("grep x", &[true]);
        check("/usr/bin/grep -v 'a|b' | cut -d'|' -f1", &[true, false]);
        check("sed s/grep/x/ | LC_ALL=C grep x", &[false, true]);
        check("env LC_ALL=C grep x # | sort", &[true]);
        check("grep \"a;b\" ; sort | uniq", &[false, false]);
        check("grep x || true", &[false]);
        check("cat 2>&1 | grep x\n", &[false, true]);
        check("tee >(grep a | wc -l >&2) | grep b", &[false, true]);
        check("awk '{ print $1 | \"sort\" }'", &[false]);
        check("echo \\| grep", &[false]);
        check("grep x |\n cat", &[true, false]);
        check("grep x | # all\n\n cat\nsort", &[false]);
        check("exit 3", &[false]);
        check("", &[]);
    }
}
