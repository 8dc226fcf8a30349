//! The error log of nginx.

use super::reader::{Missing, Reader, find};
use super::{Builtin, Kind, Scan};

const TS: usize = 0;
const LEVEL: usize = 1;
const PID: usize = 2;
const THREAD: usize = 3;
const CONNECTION: usize = 4;
const MESSAGE: usize = 5;

/// What may stand behind a message, with the column of each.
const DETAILS: [(&str, usize); 7] = [
    (", client: ", 6),
    (", server: ", 7),
    (", request: ", 8),
    (", subrequest: ", 9),
    (", upstream: ", 10),
    (", host: ", 11),
    (", referrer: ", 12),
];

pub(super) const FORMAT: Builtin = Builtin {
    name: "NGINX_ERROR",
    about: "error log of nginx",
    columns: &[
        ("ts", Kind::LocalTime),
        ("level", Kind::Text),
        ("pid", Kind::Integer),
        ("thread", Kind::Integer),
        ("connection", Kind::Integer),
        ("message", Kind::Text),
        ("client", Kind::Text),
        ("server", Kind::Text),
        ("request", Kind::Text),
        ("subrequest", Kind::Text),
        ("upstream", Kind::Text),
        ("host", Kind::Text),
        ("referrer", Kind::Text),
    ],
    scan: Scan::Read(read),
};

fn read(line: &mut Reader<'_>) -> Result<(), Missing> {
    let ts = line.shape("0000/00/00 00:00:00", "time")?;
    line.set(TS, ts);
    line.literal(" [")?;
    let level = line.some("level", |byte| byte.is_ascii_lowercase())?;
    line.set(LEVEL, level);
    line.literal("] ")?;
    let pid = line.digits()?;
    line.set(PID, pid);
    line.literal("#")?;
    let thread = line.digits()?;
    line.set(THREAD, thread);
    line.literal(": ")?;
    let start = line.at();
    if line.accept("*")
        && let Ok(connection) = line.digits()
        && line.accept(" ")
    {
        line.set(CONNECTION, connection);
    } else {
        line.go_to(start);
    }
    let rest = line.rest_range();
    let message = find(line.rest(), ", client: ").map_or(rest.end, |found| rest.start + found);
    line.set(MESSAGE, rest.start..message);
    line.go_to(message);
    details(line);
    Ok(())
}

fn details(line: &mut Reader<'_>) {
    while let Some((_, column)) = DETAILS.iter().find(|(name, _)| line.accept(name)) {
        let (start, rest) = (line.at(), line.rest());
        let end = start + detail_end(rest);
        line.go_to(end);
        let value = &rest[..end - start];
        if value.len() > 1 && value.starts_with('"') && value.ends_with('"') {
            line.set(*column, start + 1..end - 1);
        } else {
            line.set(*column, start..end);
        }
    }
}

/// Where the next detail starts. A quoted one may contain anything, a quote as well.
fn detail_end(rest: &str) -> usize {
    let mut from = 0;
    while let Some(comma) = find(&rest[from..], ", ").map(|found| from + found) {
        let is_closed = !rest.starts_with('"') || (comma > 1 && rest[..comma].ends_with('"'));
        if is_closed && DETAILS.iter().any(|(name, _)| rest[comma..].starts_with(name)) {
            return comma;
        }
        from = comma + 2;
    }
    rest.len()
}
