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
    scan: Scan::Read(read),
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
    scan: Scan::Read(read),
};

fn read(line: &mut Reader<'_>) -> Result<(), Missing> {
    let letter = line.some("I, W, E or F", |byte| b"IWEF".contains(&byte))?;
    let level = match line.text(&letter) {
        "I" => "INFO",
        "W" => "WARNING",
        "E" => "ERROR",
        "F" => "FATAL",
        _ => return Err(line.missing("month and day")),
    };
    let start = line.at();
    if line.shape("00000000 ", "date").is_err() {
        line.shape("0000 ", "month and day")?;
    }
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
