//! Logs of C++'s glog, and of klog, which is Kubernetes'
//! (<https://github.com/google/glog#log-line-prefix-format>).

use super::reader::{Missing, Reader};
use super::{Builtin, Kind, Scan};

const TS: usize = 0;
const LEVEL: usize = 1;
const PID: usize = 2;
const FILE: usize = 3;
const LINE: usize = 4;
const MESSAGE: usize = 5;

/// `I0102 10:05:03.123456    1234 file.go:123] message`; the time has no year.
pub(super) const KLOG: Builtin = Builtin {
    name: "KLOG",
    about: "log of Kubernetes' programs",
    columns: &[
        ("ts", Kind::LocalTime),
        ("level", Kind::Text),
        ("pid", Kind::Integer),
        ("file", Kind::Text),
        ("line", Kind::Integer),
        ("message", Kind::Text),
    ],
    scan: Scan::Read(klog),
};

/// The same, or with a year: `I20240102 10:05:03.123456 1234 file.cc:123] message`.
pub(super) const GLOG: Builtin = Builtin {
    name: "GLOG",
    about: "log of programs with Google's glog",
    columns: &[
        ("ts", Kind::LocalTime),
        ("level", Kind::Text),
        ("thread", Kind::Integer),
        ("file", Kind::Text),
        ("line", Kind::Integer),
        ("message", Kind::Text),
    ],
    scan: Scan::Read(glog),
};

fn klog(line: &mut Reader<'_>) -> Result<(), Missing> {
    let level = level(line)?;
    let start = line.at();
    line.shape("0000 ", "month and day")?;
    rest(line, start, level)
}

fn glog(line: &mut Reader<'_>) -> Result<(), Missing> {
    let level = level(line)?;
    let start = line.at();
    if line.shape("00000000 ", "date").is_err() {
        line.shape("0000 ", "month and day")?;
    }
    rest(line, start, level)
}

/// The letter of a level.
fn level(line: &mut Reader<'_>) -> Result<&'static str, Missing> {
    for (letter, level) in [("I", "INFO"), ("W", "WARNING"), ("E", "ERROR"), ("F", "FATAL")] {
        if line.accept(letter) {
            return Ok(level);
        }
    }
    Err(line.missing("I, W, E or F"))
}

/// What stands behind the date, which starts at byte `start`.
fn rest(line: &mut Reader<'_>, start: usize, level: &str) -> Result<(), Missing> {
    line.shape("00:00:00.000000", "time")?;
    line.set(TS, start..line.at());
    line.literal(" ")?;
    line.spaces();
    let pid = line.digits()?;
    line.set(PID, pid);
    line.literal(" ")?;
    let place = line.until("]")?;
    let text = line.text(&place);
    let colon = text.rfind(':').filter(|colon| *colon > 0 && !text.contains(' '));
    let colon = place.start + colon.ok_or_else(|| line.missing("file and line"))?;
    if !line.text(&(colon + 1..place.end)).bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(line.missing("file and line"));
    }
    line.set(FILE, place.start..colon);
    line.set(LINE, colon + 1..place.end);
    line.accept(" ");
    line.set(MESSAGE, line.rest_range());
    line.set_text(LEVEL, level);
    Ok(())
}
