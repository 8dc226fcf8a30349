//! The request of an access log: `GET /path HTTP/1.1`.

use std::ops::Range;

use memchr::{memchr, memrchr};

/// The parts of a request, in bytes of its text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: Option<Range<usize>>,
    pub(super) path: Option<Range<usize>>,
    pub(super) protocol: Option<Range<usize>>,
}

/// Splits a request. The path may hold spaces, and a request of HTTP/0.9 has no protocol. What does
/// not begin with a method and a space, such as the first bytes of TLS, is all path; an empty request
/// and `-` have no parts.
pub(super) fn split(text: &[u8]) -> Request {
    if text.is_empty() || text == b"-" {
        return Request::default();
    }
    let Some(space) = memchr(b' ', text).filter(|space| is_method(&text[..*space])) else {
        return Request { path: Some(0..text.len()), ..Request::default() };
    };
    let path_start = space + 1;
    let last_start = memrchr(b' ', text).map_or(path_start, |space| space + 1);
    let (path_end, protocol) = if is_protocol(&text[last_start..]) {
        (last_start - 1, Some(last_start..text.len()))
    } else {
        (text.len(), None)
    };
    // Without a path, the space behind the method is the one in front of the protocol.
    let path = (path_start < path_end).then_some(path_start..path_end);
    Request { method: Some(0..space), path, protocol }
}

/// Whether it is a token of RFC 9110, section 5.6.2.
fn is_method(word: &[u8]) -> bool {
    let is_token =
        |letter: &u8| letter.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(letter);
    !word.is_empty() && word.iter().all(is_token)
}

/// Whether it is `HTTP/1.1`, or `RTSP/1.0`: large letters, a slash, and a version.
fn is_protocol(word: &[u8]) -> bool {
    if word.starts_with(b"HTTP/1.") && word.len() == 8 {
        return word[7].is_ascii_digit();
    }
    let Some(slash) = memchr(b'/', word) else { return false };
    let (name, version) = (&word[..slash], &word[slash + 1..]);
    name.len() >= 2
        && name.iter().all(u8::is_ascii_uppercase)
        && version.first().is_some_and(u8::is_ascii_digit)
        && version.iter().all(|letter| letter.is_ascii_digit() || *letter == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, method: Option<&str>, path: Option<&str>, protocol: Option<&str>) {
        let request = split(text.as_bytes());
        let part = |range: Option<Range<usize>>| range.map(|range| &text[range]);
        let parts = (part(request.method), part(request.path), part(request.protocol));
        assert_eq!(parts, (method, path, protocol), "{text}");
    }

    #[test]
    fn splits_requests() {
        check("GET /a HTTP/1.1", Some("GET"), Some("/a"), Some("HTTP/1.1"));
        check("GET /a HTTP/2.0", Some("GET"), Some("/a"), Some("HTTP/2.0"));
        check("M-SEARCH * HTTP/1.1", Some("M-SEARCH"), Some("*"), Some("HTTP/1.1"));
        check("OPTIONS / RTSP/1.0", Some("OPTIONS"), Some("/"), Some("RTSP/1.0"));
        check("GET /a b  c HTTP/1.1", Some("GET"), Some("/a b  c"), Some("HTTP/1.1"));
        check("GET /ä HTTP/3", Some("GET"), Some("/ä"), Some("HTTP/3"));
    }

    #[test]
    fn splits_what_lacks_parts() {
        check("GET /a", Some("GET"), Some("/a"), None);
        check("GET /a http", Some("GET"), Some("/a http"), None);
        check("GET /a HTTP/", Some("GET"), Some("/a HTTP/"), None);
        check("GET HTTP/1.1", Some("GET"), None, Some("HTTP/1.1"));
        check("GET  HTTP/1.1", Some("GET"), None, Some("HTTP/1.1"));
        check("GET ", Some("GET"), None, None);
    }

    #[test]
    fn leaves_junk_in_the_path() {
        check("", None, None, None);
        check("-", None, None, None);
        check(r"\x16\x03\x01", None, Some(r"\x16\x03\x01"), None);
        check(r"\x16 \x03 HTTP/1.1", None, Some(r"\x16 \x03 HTTP/1.1"), None);
        check("quit", None, Some("quit"), None);
        check(" /a HTTP/1.1", None, Some(" /a HTTP/1.1"), None);
    }
}
