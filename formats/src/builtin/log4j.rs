//! Log4j's usual layouts.
//!
//! - `2015-07-29 17:41:44,747 - INFO  [thread:Class@774] - message` (ZooKeeper)
//! - `2015-07-29 17:41:44,747 INFO [thread] class: message` (Hadoop), and without the thread
//! - `2015-07-29 17:41:44,747 [thread] INFO  class - message`
//! - `081109 203615 148 INFO class: message` (old Hadoop)

use super::reader::{LEVELS, Missing, Reader};
use super::{Builtin, Kind, Scan};

const TS: usize = 0;
const LEVEL: usize = 1;
const LOGGER: usize = 2;
const THREAD: usize = 3;
const PID: usize = 4;
const LINE: usize = 5;
const MESSAGE: usize = 6;

pub(super) const FORMAT: Builtin = Builtin {
    name: "LOG4J",
    about: "log of Java programs with Log4j, such as Hadoop and ZooKeeper",
    columns: &[
        ("ts", Kind::LocalTime),
        ("level", Kind::Text),
        ("logger", Kind::Text),
        ("thread", Kind::Text),
        ("pid", Kind::Integer),
        ("line", Kind::Integer),
        ("message", Kind::Text),
    ],
    scan: Scan::Read(read),
};

fn read(line: &mut Reader<'_>) -> Result<(), Missing> {
    if let Ok(ts) = line.shape("000000 000000", "time") {
        line.set(TS, ts);
        line.literal(" ")?;
        let pid = line.digits()?;
        line.set(PID, pid);
        line.literal(" ")?;
        level(line)?;
        return logger(line);
    }
    let ts = line.iso_time()?;
    line.set(TS, ts);
    line.literal(" ")?;
    line.spaces();
    if line.accept("[") {
        let thread = line.until("] ")?;
        line.set(THREAD, thread);
        level(line)?;
        return logger(line);
    }
    line.accept("- ");
    level(line)?;
    if line.accept("[") {
        let place = line.until("] ")?;
        if line.accept("- ") {
            set_place(line, place.start, place.end);
            line.set(MESSAGE, line.rest_range());
            return Ok(());
        }
        line.set(THREAD, place);
    }
    logger(line)
}

/// The level and the spaces behind it.
fn level(line: &mut Reader<'_>) -> Result<(), Missing> {
    let level = line.one_of(LEVELS, "level")?;
    line.set(LEVEL, level);
    line.literal(" ")?;
    line.spaces();
    Ok(())
}

/// `class: message` or `class - message`.
fn logger(line: &mut Reader<'_>) -> Result<(), Missing> {
    let start = line.at();
    let word = line.word()?;
    if line.text(&word).ends_with(':') {
        line.set(LOGGER, word.start..word.end - 1);
    } else {
        line.set(LOGGER, word);
        line.spaces();
        if !line.accept("- ") && !line.accept(": ") {
            line.go_to(start);
            return Err(line.missing("name of a logger with a message"));
        }
    }
    line.set(MESSAGE, line.rest_range());
    Ok(())
}

/// `thread:Class@774`, in which the thread may contain anything.
fn set_place(line: &mut Reader<'_>, start: usize, end: usize) {
    let text = line.text(&(start..end));
    let Some(at) = text.rfind('@') else {
        return line.set(THREAD, start..end);
    };
    line.set(LINE, start + at + 1..end);
    match text[..at].rfind(':') {
        Some(colon) => {
            line.set(THREAD, start..start + colon);
            line.set(LOGGER, start + colon + 1..start + at);
        }
        None => line.set(LOGGER, start..start + at),
    }
}
