//! The tokens of a regular expression, as far as it must be known what stands beside a pattern.

use super::guard::Chars;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// `(`, `(?:` and all others that a `)` closes, as they are written.
    Open(String),
    Close,
    /// `|`
    Either,
    /// `*`, `+?`, `{2,3}` …
    Repeat(String),
    /// A character that stands for itself.
    Char(char),
    /// `^` and `$`: there is no character beside it.
    Edge(char),
    /// `\b`: matches no character.
    Empty(String),
    /// Anything else that matches some character.
    Other(String),
    /// A relaxed pattern starts: it matters when one of these characters is in front of it.
    Behind(Chars),
    /// A relaxed pattern ends: it matters when one of these characters follows.
    Ahead(Chars),
}

impl Token {
    /// Appends the token as a regular expression has it.
    pub(super) fn write(&self, text: &mut String) {
        match self {
            Self::Open(own) | Self::Repeat(own) | Self::Empty(own) | Self::Other(own) => {
                text.push_str(own);
            }
            Self::Close => text.push(')'),
            Self::Either => text.push('|'),
            Self::Char(letter) => {
                if letter.is_ascii_punctuation() && !"<>/'\"`%,:;=@!_".contains(*letter) {
                    text.push('\\');
                }
                text.push(*letter);
            }
            Self::Edge(letter) => text.push(*letter),
            Self::Behind(_) | Self::Ahead(_) => {}
        }
    }
}

/// The next token of an expression, which is not empty, and the bytes it takes.
pub(super) fn next(text: &str) -> (Token, usize) {
    let first = text.chars().next().unwrap_or_default();
    let other = |bytes: usize| (Token::Other(text[..bytes].to_string()), bytes);
    match first {
        '\\' => escape(text),
        '[' => other(class(text)),
        '(' => open(text),
        ')' => (Token::Close, 1),
        '|' => (Token::Either, 1),
        '*' | '+' | '?' => repeat(text, 1),
        '{' => counted(text).map_or((Token::Char('{'), 1), |bytes| repeat(text, bytes)),
        '^' | '$' => (Token::Edge(first), 1),
        '.' => other(1),
        _ => (Token::Char(first), first.len_utf8()),
    }
}

fn escape(text: &str) -> (Token, usize) {
    let Some(letter) = text[1..].chars().next() else {
        return (Token::Other(text.to_string()), 1);
    };
    let bytes = 1 + letter.len_utf8();
    let braces = |from: usize| match text[from..].strip_prefix('{').and_then(|t| t.find('}')) {
        Some(end) => from + end + 2,
        None => from,
    };
    let end = match letter {
        'p' | 'P' if text[bytes..].starts_with('{') => braces(bytes),
        'x' | 'u' | 'U' if text[bytes..].starts_with('{') => braces(bytes),
        'p' | 'P' => bytes + text[bytes..].chars().next().map_or(0, char::len_utf8),
        'x' => bytes + text[bytes..].bytes().take(2).take_while(u8::is_ascii_hexdigit).count(),
        'u' => bytes + text[bytes..].bytes().take(4).take_while(u8::is_ascii_hexdigit).count(),
        'U' => bytes + text[bytes..].bytes().take(8).take_while(u8::is_ascii_hexdigit).count(),
        'b' | 'B' => return (Token::Empty(text[..bytes].to_string()), bytes),
        letter if letter.is_ascii_punctuation() => {
            return (Token::Char(letter), bytes);
        }
        _ => bytes,
    };
    (Token::Other(text[..end].to_string()), end)
}

/// The bytes of the class that `text` begins with.
fn class(text: &str) -> usize {
    let mut depth = 0;
    let mut is_first = false;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
                is_first = false;
            }
            '[' => {
                depth += 1;
                is_first = true;
                letters.next_if(|(_, next)| *next == '^');
            }
            ']' if !is_first => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => is_first = false,
        }
    }
    text.len()
}

fn open(text: &str) -> (Token, usize) {
    let name_end = || text.find('>').map_or(text.len(), |end| end + 1);
    let bytes = match text.as_bytes().get(1..) {
        Some([b'?', b'<', b'=' | b'!', ..]) => 4,
        Some([b'?', b'<', ..] | [b'?', b'P', b'<', ..]) => name_end(),
        Some([b'?', b':' | b'=' | b'!' | b'>', ..]) => 3,
        Some([b'?', ..]) => {
            let end = text.find([':', ')']).map_or(text.len(), |end| end + 1);
            if text[..end].ends_with(')') {
                return (Token::Empty(text[..end].to_string()), end);
            }
            end
        }
        _ => 1,
    };
    (Token::Open(text[..bytes].to_string()), bytes)
}

fn repeat(text: &str, bytes: usize) -> (Token, usize) {
    let more = usize::from(text[bytes..].starts_with(['?', '+']));
    (Token::Repeat(text[..bytes + more].to_string()), bytes + more)
}

/// The bytes of `{2}`, `{2,}` or `{2,3}` at the start.
fn counted(text: &str) -> Option<usize> {
    let end = text.find('}')?;
    let inside = &text[1..end];
    let (low, high) = inside.split_once(',').unwrap_or((inside, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (!low.is_empty() && is_number(low) && is_number(high)).then_some(end + 1)
}
