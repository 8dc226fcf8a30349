//! The log of PostgreSQL on stderr, with `log_line_prefix` `%m [%p] ` (the default), `%m [%p] %q%u@%d `
//! (Debian's) or `%t:%r:%u@%d:[%p]:` (Amazon RDS's).

use super::reader::{Missing, Reader, find};
use super::{Builtin, Kind, Scan};

const TS: usize = 0;
const ZONE: usize = 1;
const HOST: usize = 2;
const PID: usize = 3;
const USER: usize = 4;
const DATABASE: usize = 5;
const LEVEL: usize = 6;
const MESSAGE: usize = 7;

/// What comes with another line is one of its own, with a level of its own.
const LEVELS: &[&str] = &[
    "DEBUG1",
    "DEBUG2",
    "DEBUG3",
    "DEBUG4",
    "DEBUG5",
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARNING",
    "ERROR",
    "LOG",
    "FATAL",
    "PANIC",
    "DETAIL",
    "HINT",
    "QUERY",
    "CONTEXT",
    "LOCATION",
    "BACKTRACE",
    "STATEMENT",
];

/// The time is what the server's clock showed: names of zones such as CST mean several of them.
pub(super) const FORMAT: Builtin = Builtin {
    name: "POSTGRES",
    about: "log of PostgreSQL, with log_line_prefix '%m [%p] ' or '%m [%p] %q%u@%d '",
    columns: &[
        ("ts", Kind::LocalTime),
        ("zone", Kind::Text),
        ("host", Kind::Text),
        ("pid", Kind::Integer),
        ("user", Kind::Text),
        ("database", Kind::Text),
        ("level", Kind::Text),
        ("message", Kind::Text),
    ],
    scan: Scan::Read(read),
};

fn read(line: &mut Reader<'_>) -> Result<(), Missing> {
    let start = line.at();
    line.shape("0000-00-00 00:00:00", "time")?;
    line.fraction();
    line.set(TS, start..line.at());
    line.literal(" ")?;
    let is_zone = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'-';
    let zone = line.some("zone", is_zone)?;
    line.set(ZONE, zone);
    if line.accept(" [") {
        pid(line)?;
        line.literal("] ")?;
        if !is_level(line) {
            let length = find(line.rest(), " ").ok_or_else(|| line.missing("level"))?;
            user(line, length)?;
            line.literal(" ")?;
        }
    } else {
        line.literal(":")?;
        let host = line.until(":")?;
        line.set_unless_dash(HOST, host);
        let length = find(line.rest(), ":[").ok_or_else(|| line.missing("pid"))?;
        user(line, length)?;
        line.literal(":[")?;
        pid(line)?;
        line.literal("]:")?;
    }
    let level = line.one_of(LEVELS, "level")?;
    line.set(LEVEL, level);
    line.literal(":")?;
    line.spaces();
    line.set(MESSAGE, line.rest_range());
    Ok(())
}

/// `1234` or `1234-1`, where the second number counts lines.
fn pid(line: &mut Reader<'_>) -> Result<(), Missing> {
    let pid = line.digits()?;
    line.set(PID, pid);
    if line.accept("-") {
        line.digits()?;
    }
    Ok(())
}

fn is_level(line: &Reader<'_>) -> bool {
    let rest = line.rest();
    rest.find(':').is_some_and(|colon| LEVELS.contains(&&rest[..colon]))
}

/// `user@database` in the next bytes.
fn user(line: &mut Reader<'_>, length: usize) -> Result<(), Missing> {
    let start = line.at();
    let at = line.rest()[..length].find('@').ok_or_else(|| line.missing("user and database"))?;
    line.set_unless_dash(USER, start..start + at);
    line.set_unless_dash(DATABASE, start + at + 1..start + length);
    line.go_to(start + length);
    Ok(())
}
