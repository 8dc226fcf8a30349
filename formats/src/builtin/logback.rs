//! Logback's usual layouts.
//!
//! - `10:05:03.123 [main] INFO  com.x.Y - message`, its default; the time goes to `time`
//! - `2024-01-02 10:05:03.123 [main] INFO  com.x.Y - message`
//! - `2024-01-02T10:05:03.123+01:00  INFO 1234 --- [main] com.x.Y : message` (Spring Boot)

use super::reader::{LEVELS, Missing, Reader};
use super::{Builtin, Kind, Scan};

const TS: usize = 0;
const TIME: usize = 1;
const LEVEL: usize = 2;
const LOGGER: usize = 3;
const THREAD: usize = 4;
const PID: usize = 5;
const MESSAGE: usize = 6;

pub(super) const FORMAT: Builtin = Builtin {
    name: "LOGBACK",
    about: "log of Java programs with Logback, also Spring Boot's",
    columns: &[
        ("ts", Kind::LocalTime),
        ("time", Kind::Text),
        ("level", Kind::Text),
        ("logger", Kind::Text),
        ("thread", Kind::Text),
        ("pid", Kind::Integer),
        ("message", Kind::Text),
    ],
    scan: Scan::Read(read),
};

fn read(line: &mut Reader<'_>) -> Result<(), Missing> {
    let start = line.at();
    if line.shape("00:00:00", "time").is_ok() {
        line.fraction();
        line.set(TIME, start..line.at());
    } else {
        let ts = line.iso_time()?;
        line.set(TS, ts);
    }
    line.literal(" ")?;
    line.spaces();
    if line.accept("[") {
        let thread = line.until("] ")?;
        line.set(THREAD, thread);
        level(line)?;
        let logger = line.word()?;
        line.set(LOGGER, logger);
        // Since 1.4 there may be keys and values between two dashes.
        line.literal("-")?;
        if !line.accept(" ") {
            line.until("- ")?;
        }
    } else {
        spring(line)?;
    }
    line.set(MESSAGE, line.rest_range());
    Ok(())
}

fn level(line: &mut Reader<'_>) -> Result<(), Missing> {
    let level = line.one_of(LEVELS, "level")?;
    line.set(LEVEL, level);
    line.literal(" ")?;
    line.spaces();
    Ok(())
}

/// `INFO 1234 --- [app] [  thread] com.x.Y   : `; the name of the application may be missing.
fn spring(line: &mut Reader<'_>) -> Result<(), Missing> {
    level(line)?;
    let pid = line.digits()?;
    line.set(PID, pid);
    line.literal(" --- [")?;
    line.spaces();
    let mut thread = line.until("] ")?;
    if line.accept("[") {
        line.spaces();
        thread = line.until("] ")?;
    }
    line.set(THREAD, thread);
    let logger = line.word()?;
    line.set(LOGGER, logger);
    line.spaces();
    line.literal(": ")
}
