//! HAProxy's HTTP log (<https://docs.haproxy.org/3.0/configuration.html#8.2.3>), behind the header
//! of syslog or without it.

use super::reader::{Missing, Reader, find};
use super::{Builtin, Kind, Scan};

const PID: usize = 0;
const CLIENT: usize = 1;
const TS: usize = 3;
const FRONTEND: usize = 4;
const BACKEND: usize = 5;
const SERVER: usize = 6;
const TIMES: [usize; 5] = [7, 8, 9, 10, 11];
const STATUS: usize = 12;
const BYTES: usize = 13;
const WORDS: [usize; 3] = [14, 15, 16];
const CONNECTIONS: [usize; 5] = [17, 18, 19, 20, 21];
const QUEUES: [usize; 2] = [22, 23];
const CAPTURES: [usize; 2] = [24, 25];
const METHOD: usize = 26;

/// Times are milliseconds; -1 is one that was not measured.
pub(super) const FORMAT: Builtin = Builtin {
    name: "HAPROXY",
    about: "HTTP log of HAProxy",
    columns: &[
        ("pid", Kind::Integer),
        ("client", Kind::Text),
        ("client_port", Kind::Integer),
        ("ts", Kind::LocalTime),
        ("frontend", Kind::Text),
        ("backend", Kind::Text),
        ("server", Kind::Text),
        ("request_ms", Kind::Integer),
        ("queue_ms", Kind::Integer),
        ("connect_ms", Kind::Integer),
        ("response_ms", Kind::Integer),
        ("total_ms", Kind::Integer),
        ("status", Kind::Integer),
        ("bytes", Kind::Integer),
        ("request_cookie", Kind::Text),
        ("response_cookie", Kind::Text),
        ("termination", Kind::Text),
        ("connections", Kind::Integer),
        ("frontend_connections", Kind::Integer),
        ("backend_connections", Kind::Integer),
        ("server_connections", Kind::Integer),
        ("retries", Kind::Integer),
        ("server_queue", Kind::Integer),
        ("backend_queue", Kind::Integer),
        ("request_headers", Kind::Text),
        ("response_headers", Kind::Text),
        ("method", Kind::Text),
        ("path", Kind::Text),
        ("protocol", Kind::Text),
    ],
    scan: Scan::Read(read),
};

fn read(line: &mut Reader<'_>) -> Result<(), Missing> {
    header(line)?;
    let client = line.until(" [")?;
    if line.text(&client).contains(' ') {
        line.go_to(client.start);
        return Err(line.missing("address of the client"));
    }
    line.set_address(CLIENT, client);
    let start = line.at();
    line.shape("00/aaa/0000:00:00:00", "time")?;
    line.fraction();
    line.set(TS, start..line.at());
    line.literal("] ")?;
    let frontend = line.word()?;
    line.set(FRONTEND, frontend);
    let backend = line.until("/")?;
    line.set(BACKEND, backend);
    let server = line.word()?;
    line.set(SERVER, server);
    numbers(line, &TIMES)?;
    numbers(line, &[STATUS])?;
    numbers(line, &[BYTES])?;
    for column in WORDS {
        let word = line.word()?;
        line.set_unless_dash(column, word);
    }
    numbers(line, &CONNECTIONS)?;
    numbers(line, &QUEUES)?;
    captures(line);
    line.literal("\"")?;
    let request = line.rest_range();
    // A request that is too long has no quote at its end.
    let end = request.end - usize::from(line.rest().ends_with('"'));
    line.set_request(METHOD, request.start..end);
    Ok(())
}

/// `Feb  6 12:14:14 localhost haproxy[14389]: `, if it is there.
fn header(line: &mut Reader<'_>) -> Result<(), Missing> {
    let end = find(line.rest(), ": ").filter(|end| {
        let before = &line.rest()[..*end];
        find(before, " [").is_none() && find(before, "/").is_none()
    });
    let Some(end) = end else { return Ok(()) };
    let tag = &line.rest()[..end];
    if let Some(tag) = tag.strip_suffix(']')
        && let Some(open) = tag.rfind('[')
        && tag[open + 1..].bytes().all(|byte| byte.is_ascii_digit())
    {
        line.set_unless_dash(PID, open + 1..tag.len());
    }
    line.go_to(end + 2);
    Ok(())
}

/// Numbers between slashes and the space behind them; a plus sign says that it went on after that.
fn numbers(line: &mut Reader<'_>, columns: &[usize]) -> Result<(), Missing> {
    for (position, column) in columns.iter().enumerate() {
        if position > 0 {
            line.literal("/")?;
        }
        let is_sign = |byte: u8| byte == b'-' || byte == b'+';
        let number = line.some("number", |byte| byte.is_ascii_digit() || is_sign(byte))?;
        line.set_unless_dash(*column, number);
    }
    line.literal(" ")
}

/// `{request headers} {response headers} `; if there is one pair of braces, it is the request's.
fn captures(line: &mut Reader<'_>) {
    for column in CAPTURES {
        let start = line.at();
        if !line.accept("{") {
            return;
        }
        let end = find(line.rest(), "} \"").into_iter().chain(find(line.rest(), "} {")).min();
        let Some(length) = end else { return line.go_to(start) };
        line.set(column, start + 1..start + 1 + length);
        line.go_to(start + 1 + length + 2);
    }
}
