//! The error log of Apache, of version 2.2 and of 2.4 with its usual `ErrorLogFormat`
//! (<https://httpd.apache.org/docs/2.4/mod/core.html#errorlogformat>).

use super::reader::{Missing, Reader, find};
use super::{Builtin, Kind, Scan};

const TS: usize = 0;
const LEVEL: usize = 1;
const MODULE: usize = 2;
const PID: usize = 3;
const THREAD: usize = 4;
const CLIENT: usize = 5;
const CODE: usize = 6;
const MESSAGE: usize = 7;

pub(super) const FORMAT: Builtin = Builtin {
    name: "APACHE_ERROR",
    about: "error log of Apache 2.2 and 2.4",
    columns: &[
        ("ts", Kind::LocalTime),
        ("level", Kind::Text),
        ("module", Kind::Text),
        ("pid", Kind::Integer),
        ("thread", Kind::Integer),
        ("client", Kind::Text),
        ("code", Kind::Text),
        ("message", Kind::Text),
    ],
    scan: Scan::Read(read),
};

/// The message is everything behind level and process, `[client …]` with it.
fn read(line: &mut Reader<'_>) -> Result<(), Missing> {
    line.literal("[")?;
    let start = line.at();
    line.shape("aaa aaa ", "day and month")?;
    line.some("day", |byte| byte.is_ascii_digit() || byte == b' ')?;
    line.shape(":00:00", "time")?;
    line.fraction();
    line.shape(" 0000", "year")?;
    line.set(TS, start..line.at());
    line.literal("] [")?;
    level(line)?;
    if line.accept("[pid ") {
        let pid = line.digits()?;
        line.set(PID, pid);
        if line.accept(":tid ") {
            let thread = line.digits()?;
            line.set(THREAD, thread);
        }
        line.literal("]")?;
        line.accept(" ");
    }
    let message = line.rest_range();
    parts(line);
    line.set(MESSAGE, message);
    Ok(())
}

/// `error] ` or `module:error] `.
fn level(line: &mut Reader<'_>) -> Result<(), Missing> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let first = line.some("level", is_name)?;
    if line.accept(":") {
        line.set_unless_dash(MODULE, first);
        let level = line.some("level", is_name)?;
        line.set(LEVEL, level);
    } else {
        line.set(LEVEL, first);
    }
    line.literal("]")?;
    line.accept(" ");
    Ok(())
}

/// `(13)Permission denied: [client 1.2.3.4:5678] AH00132: …`
fn parts(line: &mut Reader<'_>) {
    if line.rest().starts_with('(')
        && let Some(client) = find(line.rest(), ": [client ")
    {
        line.go_to(line.at() + client + 2);
    }
    if line.accept("[client ") {
        let Ok(client) = line.until("]") else { return };
        line.set(CLIENT, client);
        line.accept(" ");
    }
    if let Ok(code) = line.shape("AH00000", "code")
        && line.accept(": ")
    {
        line.set(CODE, code);
    }
}
