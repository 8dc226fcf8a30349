//! A command as words, by the rules of quoting of the POSIX shell and no others.

use std::iter::Peekable;
use std::str::Chars;

use super::PolicyError;

/// Unquoted, these mean something to a shell: operators, patterns, home directories, comments.
const SPECIAL: &str = "|;&<>()*?[~#{";
/// In double quotes a backslash before others than these is itself.
const ESCAPED_IN_DOUBLE_QUOTES: &str = "$`\"\\";

/// The words of `code`: `'…'` is text as it stands, `"…"` and backslashes quote as in a shell.
///
/// # Errors
/// When `code` has something that only a shell understands: an expansion, an operator, a second line,
/// a quote without an end.
pub fn split_words(code: &str) -> Result<Vec<String>, PolicyError> {
    let mut splitter = Splitter { rest: code.trim_start().chars().peekable(), word: None };
    let mut words = Vec::new();
    while let Some(character) = splitter.rest.next() {
        if !matches!(character, ' ' | '\t' | '\n') {
            splitter.take(character)?;
            continue;
        }
        words.extend(splitter.word.take());
        if character == '\n' && splitter.has_more() {
            return Err(needs_shell("a second line"));
        }
    }
    words.extend(splitter.word);
    Ok(words)
}

struct Splitter<'a> {
    rest: Peekable<Chars<'a>>,
    /// The word that is being read; quotes begin one even if they are empty.
    word: Option<String>,
}

impl Splitter<'_> {
    fn take(&mut self, character: char) -> Result<(), PolicyError> {
        match character {
            '\'' => self.take_single_quoted(),
            '"' => self.take_double_quoted(),
            '\\' => match self.rest.next() {
                Some('\n') => Ok(()),
                Some(escaped) => self.push(escaped),
                None => Err(needs_shell("a backslash at the end")),
            },
            // `find -exec` and `xargs -I` use these, and no shell changes them.
            '{' if self.rest.next_if_eq(&'}').is_some() => {
                self.push('{')?;
                self.push('}')
            }
            '$' | '`' => Err(expansion(character)),
            _ if SPECIAL.contains(character) => {
                Err(needs_shell(&format!("`{character}` without quotes")))
            }
            _ => self.push(character),
        }
    }

    fn take_single_quoted(&mut self) -> Result<(), PolicyError> {
        self.word.get_or_insert_default();
        loop {
            match self.rest.next() {
                Some('\'') => return Ok(()),
                Some(character) => self.push(character)?,
                None => return Err(needs_shell("a quote that does not end")),
            }
        }
    }

    fn take_double_quoted(&mut self) -> Result<(), PolicyError> {
        self.word.get_or_insert_default();
        loop {
            match self.rest.next() {
                Some('"') => return Ok(()),
                Some(character @ ('$' | '`')) => return Err(expansion(character)),
                Some('\\') => self.take_escaped_in_quotes()?,
                Some(character) => self.push(character)?,
                None => return Err(needs_shell("a quote that does not end")),
            }
        }
    }

    fn take_escaped_in_quotes(&mut self) -> Result<(), PolicyError> {
        if self.rest.next_if_eq(&'\n').is_some() {
            return Ok(());
        }
        match self.rest.next_if(|&next| ESCAPED_IN_DOUBLE_QUOTES.contains(next)) {
            Some(escaped) => self.push(escaped),
            None => self.push('\\'),
        }
    }

    fn push(&mut self, character: char) -> Result<(), PolicyError> {
        if character == '\0' {
            return Err(needs_shell("a NUL byte"));
        }
        self.word.get_or_insert_default().push(character);
        Ok(())
    }

    fn has_more(&self) -> bool {
        self.rest.clone().any(|character| !character.is_whitespace())
    }
}

fn expansion(character: char) -> PolicyError {
    needs_shell(&format!("`{character}` outside of single quotes"))
}

fn needs_shell(what: &str) -> PolicyError {
    PolicyError::NeedsShell { what: what.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_make_words() {
        let check = |code: &str, expected: &[&str]| {
            let words = split_words(code);
            assert_eq!(words.expect(code), expected, "{code}");
        };
        check("", &[]);
        check(" \t\n", &[]);
        check("sort", &["sort"]);
        check("  grep\t-v   x \n", &["grep", "-v", "x"]);
        check("grep 'a | b; $(c) `d` \"e\" \\'", &["grep", "a | b; $(c) `d` \"e\" \\"]);
        check(r#"grep "a 'b' \"c\" \$d \`e\` \\ \n""#, &["grep", r#"a 'b' "c" $d `e` \ \n"#]);
        check(r"grep a\ b\;\$c\'\\", &["grep", r"a b;$c'\"]);
        check("grep x''y\"\"z '' \"\"", &["grep", "xyz", "", ""]);
        check("grep a\\\nb \"c\\\nd\"", &["grep", "ab", "cd"]);
        check("grep 'two\nlines'", &["grep", "two\nlines"]);
        check("awk -F= '{ print $1 }'", &["awk", "-F=", "{ print $1 }"]);
        check("xargs -I{} echo {}", &["xargs", "-I{}", "echo", "{}"]);
        check("grep -e é,ü -c%d=x:y@z!", &["grep", "-e", "é,ü", "-c%d=x:y@z!"]);
    }

    #[test]
    fn what_a_shell_would_do_is_refused() {
        let check = |code: &str, what: &str| {
            let error = split_words(code).expect_err(code).to_string();
            assert!(error.contains("without a shell") && error.contains(what), "{code}: {error}");
        };
        check("grep -v x; rm", "`;`");
        check("grep $(id)", "`$`");
        check("grep \"$(id)\"", "`$`");
        check("grep \"a`id`\"", "``` outside");
        check("grep `id`", "``` outside");
        check("grep ${x}", "`$`");
        check("grep $'x'", "`$`");
        check("grep x | id", "`|`");
        check("grep x & id", "`&`");
        check("grep x >/tmp/x", "`>`");
        check("grep x </etc/passwd", "`<`");
        check("grep <(id)", "`<`");
        check("(id)", "`(`");
        check("id)", "`)`");
        check("grep x *", "`*`");
        check("grep x?", "`?`");
        check("grep [x]", "`[`");
        check("grep x ~/y", "`~`");
        check("grep x # y", "`#`");
        check("grep {a,b}", "`{`");
        check("grep x\nid", "second line");
        check("grep x\\\\\nid", "second line");
        check("grep 'x", "a quote that");
        check("grep \"x", "a quote that");
        check("grep \"x\\", "a quote that");
        check("grep x\\", "a backslash");
        check("grep x\0", "NUL");
        check("grep '\\'; id'", "`;`");
    }
}
