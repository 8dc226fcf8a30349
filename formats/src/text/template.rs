//! What lines of one kind have in common.

use std::net::Ipv6Addr;

/// What stands for what differs.
const MASK: &str = "<*>";

/// Signs between numbers that belong together, as in `10:05:03,123` and `10.0.0.1:80`.
const JOINTS: &str = ".:,-";

/// A word of hexadecimal digits of this length is no word of a language.
const MIN_HEX_LETTERS: usize = 8;

/// Longer ends of numbers, as in `10ms`, are no units.
const MAX_UNIT_LETTERS: usize = 3;

/// What is longer in quotes is a text and no name.
const MAX_QUOTED_BYTES: usize = 64;

/// `line` with `<*>` for numbers, addresses and ids, so that lines which say the same of different
/// things are equal. No digit is left.
///
/// The kinds that are replaced are those that Drain3 masks
/// (<https://github.com/logpai/Drain3>, `examples/drain3.ini`), found in one pass without regular
/// expressions. A word is a run of letters and digits.
///
/// 1. Addresses of IPv6 and of network cards and UUIDs become `<*>`.
/// 2. A quoted name with a digit (`'node-7f'`: no space, at most 64 bytes) becomes `'<*>'`.
/// 3. A number becomes `<*>`, its sign too where no letter or digit is in front of that. So does a
///    word of at least 8 hexadecimal digits, one that begins with `0x`, and one that mixes letters
///    and digits.
/// 4. Of a word of letters and then digits the letters stay: `user<*>`. So do up to three letters
///    behind a number: `<*>ms`.
/// 5. What rule 3 replaces and one of `.:,-` joins is one: dates, times, IPv4 addresses with their
///    ports, versions, fractions.
pub fn log_template(line: &str) -> String {
    let mut template = Template { text: String::with_capacity(line.len()), line, at: 0 };
    while let Some(letter) = line[template.at..].chars().next() {
        template.step(letter);
    }
    template.text
}

struct Template<'a> {
    text: String,
    line: &'a str,
    /// Up to where the line was read; no word goes across it.
    at: usize,
}

impl Template<'_> {
    fn step(&mut self, letter: char) {
        let rest = &self.line[self.at..];
        let address = ipv6(rest).filter(|_| letter != ':' || !self.is_behind_word());
        if let Some(length) = address.or_else(|| id(rest)) {
            self.mask(length);
        } else if letter.is_alphanumeric() {
            self.word(&rest[..word(rest)]);
        } else if let Some(length) = quoted_name(letter, rest).filter(|_| !self.is_behind_word()) {
            self.text.push(letter);
            self.text.push_str(MASK);
            self.text.push(letter);
            self.at += length;
        } else if matches!(letter, '+' | '-')
            && !self.is_behind_word()
            && is_masked(after(rest, letter))
        {
            self.mask(letter.len_utf8() + word(after(rest, letter)));
        } else {
            self.text.push(letter);
            self.at += letter.len_utf8();
        }
    }

    fn is_behind_word(&self) -> bool {
        self.line[..self.at].chars().next_back().is_some_and(char::is_alphanumeric)
    }

    /// Takes a word.
    fn word(&mut self, word: &str) {
        if is_masked(word) {
            return self.mask(word.len());
        }
        let is_digit = |letter: char| letter.is_ascii_digit();
        let letters = word.trim_end_matches(is_digit);
        let unit = word.trim_start_matches(is_digit);
        if letters.len() < word.len() {
            self.text.push_str(letters);
            self.text.push_str(MASK);
        } else if unit.len() < word.len() {
            self.text.push_str(MASK);
            self.text.push_str(unit);
        } else {
            self.text.push_str(word);
        }
        self.at += word.len();
    }

    /// Takes `length` bytes, and what is joined to them.
    fn mask(&mut self, length: usize) {
        self.text.push_str(MASK);
        self.at += length;
        loop {
            let rest = &self.line[self.at..];
            let Some(joint) = rest.chars().next().filter(|sign| JOINTS.contains(*sign)) else {
                return;
            };
            let behind = after(rest, joint);
            if !is_masked(behind) {
                return;
            }
            self.at += joint.len_utf8() + word(behind);
        }
    }
}

fn after(text: &str, first: char) -> &str {
    &text[first.len_utf8()..]
}

/// The length of the word that `text` begins with.
fn word(text: &str) -> usize {
    let ascii = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    match text.as_bytes().get(ascii) {
        Some(byte) if !byte.is_ascii() => {
            text.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(text.len())
        }
        _ => ascii,
    }
}

/// Whether `text` begins with a word that is replaced as a whole.
fn is_masked(text: &str) -> bool {
    let word = &text[..word(text)];
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == word.len() {
        return digits > 0;
    }
    if word.len() >= MIN_HEX_LETTERS && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return true;
    }
    if digits == 0 {
        return false;
    }
    let is_digit = |letter: char| letter.is_ascii_digit();
    let has_digits = |text: &str| text.contains(is_digit);
    let unit = word.trim_start_matches(is_digit);
    let begins_with_letters = has_digits(word.trim_end_matches(is_digit));
    let is_unit = unit.len() < word.len() && !has_digits(unit);
    // Z is the zone of a time.
    begins_with_letters && !(is_unit && unit != "Z" && unit.chars().count() <= MAX_UNIT_LETTERS)
        || word.starts_with("0x")
}

/// The length of a UUID or of the address of a network card at the start of `text`.
fn id(text: &str) -> Option<usize> {
    let length = hex_groups(text, '-', &[8, 4, 4, 4, 12])
        .or_else(|| hex_groups(text, ':', &[2; 6]))
        .or_else(|| hex_groups(text, '-', &[2; 6]))?;
    (!text[length..].starts_with(char::is_alphanumeric)).then_some(length)
}

/// The length of groups of so many hexadecimal digits, with a sign between them.
fn hex_groups(text: &str, joint: char, groups: &[usize]) -> Option<usize> {
    let mut rest = text;
    for (number, group) in groups.iter().enumerate() {
        if number > 0 {
            rest = rest.strip_prefix(joint)?;
        }
        let is_hex = |digits: &&str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        rest = rest.get(..*group).filter(is_hex).map(|_| &rest[*group..])?;
    }
    Some(text.len() - rest.len())
}

/// The length of an address of IPv6 at the start of `text`, with a digit in it: `a::b` is a name
/// in many programs.
fn ipv6(text: &str) -> Option<usize> {
    if !text.starts_with(|first: char| first.is_ascii_hexdigit() || first == ':') {
        return None;
    }
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let length = text.bytes().take(MAX_IPV6_BYTES + 1).take_while(is_part).count();
    let address = text[..length].trim_end_matches('.');
    let has_digit = address.bytes().any(|byte| byte.is_ascii_digit());
    let ends = !text[address.len()..].starts_with(char::is_alphanumeric);
    (has_digit && ends && address.parse::<Ipv6Addr>().is_ok()).then_some(address.len())
}

/// The longest way to write an address of IPv6.
const MAX_IPV6_BYTES: usize = 45;

/// The length of `'name7'` or `"name7"` at the start of `text`, with its quotes.
fn quoted_name(quote: char, text: &str) -> Option<usize> {
    if !matches!(quote, '\'' | '"') {
        return None;
    }
    let bytes = &text.as_bytes()[1..];
    let is_inside = |byte: &u8| !matches!(byte, b'\'' | b'"' | b' ' | b'<' | b'>');
    let length = bytes.iter().take(MAX_QUOTED_BYTES + 1).take_while(|byte| is_inside(byte)).count();
    let has_digit = bytes[..length].iter().any(u8::is_ascii_digit);
    let is_closed = bytes.get(length).is_some_and(|byte| char::from(*byte) == quote);
    let ends = is_closed && !text[length + 2..].starts_with(char::is_alphanumeric);
    (has_digit && ends).then_some(length + 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(line: &str, expected: &str) {
        assert_eq!(log_template(line), expected, "{line}");
    }

    #[test]
    fn numbers_and_ids_are_replaced() {
        check("took 12 of 1,000 ms, load 0.75", "took <*> of <*> ms, load <*>");
        check("exit code -9 (+5)", "exit code <*> (<*>)");
        check("at 0xdeadBEEF and cafebabe but not face", "at <*> and <*> but not face");
        check("session 3f2a9c", "session <*>");
        check("id 123e4567-e89b-12d3-a456-426614174000.", "id <*>.");
        check("user12 waited 250ms for eth0", "user<*> waited <*>ms for eth<*>");
        check("at 2024-01-02T10:05:03.123Z: up", "at <*>: up");
        check(
            "PacketResponder 1 for block blk_-38865049 terminating",
            "PacketResponder <*> for block blk_<*> terminating",
        );
    }

    #[test]
    fn addresses_are_replaced() {
        check("from 10.251.73.220:50010 to /10.0.0.1", "from <*> to /<*>");
        check("peer [fe80::1]:22 and 2001:db8::ff00:42:8329.", "peer [<*>]:<*> and <*>.");
        check("::1 is home", "<*> is home");
        check("std::abs in ab::cd", "std::abs in ab::cd");
        check("mac 00:1b:44:11:3a:b7 seen", "mac <*> seen");
    }

    #[test]
    fn quoted_names_are_replaced() {
        check("pod 'web-7f9c' of \"ns1\"", "pod '<*>' of \"<*>\"");
        check("it's 5 o'clock", "it's <*> o'clock");
        check("said 'two words 2' to", "said 'two words <*>' to");
        check("'plain'", "'plain'");
    }

    #[test]
    fn other_text_stays() {
        check("", "");
        check("Grüße an alle – ok", "Grüße an alle – ok");
        check("<*> and <*>", "<*> and <*>");
        check("a.b-c:d, e", "a.b-c:d, e");
    }

    proptest! {
        #[test]
        fn no_digit_is_left_and_a_template_is_its_own(
            line in "([a-f0-9]{1,9}|[xgé '\"_.:,<>*+-]|0x|ms){0,20}|\\PC{0,40}",
        ) {
            let template = log_template(&line);
            prop_assert!(!template.contains(|letter: char| letter.is_ascii_digit()), "{template}");
            prop_assert_eq!(log_template(&template), template);
        }

        #[test]
        fn other_numbers_make_no_other_template(first in 0..1_000_000_u32, second: u32, ip: u32) {
            let address = std::net::Ipv4Addr::from(ip);
            let line = |number: u32| format!("worker-{number} took {number} ms for {address}:{number}");
            prop_assert_eq!(log_template(&line(first)), log_template(&line(second)));
        }
    }
}
