//! The parts of URLs, as they stand in logs: often without a host, sometimes wrong.

use std::borrow::Cow;

/// The parts of a URL. No text is refused: what is not `scheme://…` or `//…` is a path with what
/// is behind it, as in the request of an access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Url<'a> {
    /// `https`
    pub scheme: Option<&'a str>,
    /// `example.com`, without brackets around an address of IPv6.
    pub host: Option<&'a str>,
    /// The port that is written.
    pub port: Option<u16>,
    /// What is behind the host; it may be empty.
    pub path: &'a str,
    /// What is between the first `?` and `#`.
    pub query: Option<&'a str>,
    /// What is behind the first `#`.
    pub fragment: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// Splits a URL as RFC 3986, appendix B, does.
    pub fn split(text: &'a str) -> Self {
        let mut url = Self::default();
        let (rest, fragment) = cut(text.trim(), '#');
        let (rest, query) = cut(rest, '?');
        (url.query, url.fragment, url.path) = (query, fragment, rest);
        let authority = match rest.split_once("://") {
            Some((scheme, behind)) if is_scheme(scheme) => {
                url.scheme = Some(scheme);
                Some(behind)
            }
            _ => rest.strip_prefix("//"),
        };
        if let Some(authority) = authority {
            let end = authority.find('/').unwrap_or(authority.len());
            url.path = &authority[end..];
            url.set_authority(&authority[..end]);
        }
        url
    }

    fn set_authority(&mut self, authority: &'a str) {
        let address = authority.rsplit_once('@').map_or(authority, |(_, address)| address);
        let (host, port) = match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, behind)) => (host, behind.strip_prefix(':')),
            None => match address.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (address, None),
            },
        };
        self.host = Some(host).filter(|host| !host.is_empty());
        self.port = port.and_then(|port| port.parse().ok());
    }

    /// The value of the first parameter of that name in the query, without percent signs and with
    /// spaces for plus signs; empty when the parameter has no value.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs =
            self.query?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find(|(key, _)| form_decode(key) == name).map(|(_, value)| form_decode(value))
    }
}

/// What is in front of the first `sign`, and what is behind it.
fn cut(text: &str, sign: char) -> (&str, Option<&str>) {
    text.split_once(sign).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn form_decode(text: &str) -> String {
    percent_decode(&text.replace('+', " ")).into_owned()
}

/// `text` with characters for their `%41`; what is no such number stays, and what becomes no UTF-8
/// is U+FFFD.
pub fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        match behind {
            [high, low, after @ ..] if *first == b'%' => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    decoded.push(high * 16 + low);
                    rest = after;
                }
                _ => decoded.push(*first),
            },
            _ => decoded.push(*first),
        }
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, expected: &str) {
        let url = Url::split(text);
        let shown = format!(
            "{} {} {} {} {} {}",
            url.scheme.unwrap_or("-"),
            url.host.unwrap_or("-"),
            url.port.map_or("-".into(), |port| port.to_string()),
            url.path,
            url.query.unwrap_or("-"),
            url.fragment.unwrap_or("-")
        );
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn urls_are_split() {
        check(
            "https://u:p@example.com:8443/a/b?x=1&y=2#top",
            "https example.com 8443 /a/b x=1&y=2 top",
        );
        check("http://example.com", "http example.com -  - -");
        check("http://example.com?q", "http example.com -  q -");
        check("//cdn.example.com/x", "- cdn.example.com - /x - -");
        check("http://[::1]:80/", "http ::1 80 / - -");
        check("/a?b=http://c/#d", "- - - /a b=http://c/ d");
        check("a/b", "- - - a/b - -");
        check("*", "- - - * - -");
        check("", "- - -  - -");
        check("file:///etc/passwd", "file - - /etc/passwd - -");
        check("http://h:99999/", "http h - / - -");
        check("1http://h/", "- - - 1http://h/ - -");
    }

    #[test]
    fn parameters_are_found() {
        let check = |text, name, expected: Option<&str>| {
            assert_eq!(Url::split(text).parameter(name).as_deref(), expected, "{text}");
        };
        check("/a?x=1&q=a+b%26c&q=2", "q", Some("a b&c"));
        check("/a?flag&x=1", "flag", Some(""));
        check("/a?a%20b=%c3%a9", "a b", Some("é"));
        check("/a?x=%zz%4", "x", Some("%zz%4"));
        check("/a?x=1", "y", None);
        check("/a", "y", None);
        check("/a?x=%ff", "x", Some("\u{fffd}"));
    }

    proptest! {
        #[test]
        fn the_parts_make_the_url(
            host in "[a-z]{1,8}(\\.[a-z]{2,3})?",
            port: Option<u16>,
            path in "(/[a-z@:]{0,5}){0,3}",
            query in proptest::option::of("[a-z=&?/]{0,8}"),
            fragment in proptest::option::of("[a-z?#/]{0,8}"),
        ) {
            let mut text = format!("https://{host}");
            port.iter().for_each(|port| text.push_str(&format!(":{port}")));
            text.push_str(&path);
            query.iter().for_each(|query| text.push_str(&format!("?{query}")));
            fragment.iter().for_each(|fragment| text.push_str(&format!("#{fragment}")));
            let expected = Url {
                scheme: Some("https"),
                host: Some(&host),
                port,
                path: &path,
                query: query.as_deref(),
                fragment: fragment.as_deref(),
            };
            prop_assert_eq!(Url::split(&text), expected);
        }

        #[test]
        fn no_text_panics(text in "[a-z:/@?#&=%\\[\\]0-9+]{0,30}|\\PC{0,20}") {
            let _ = Url::split(&text).parameter("a");
            let _ = percent_decode(&text);
        }
    }
}
