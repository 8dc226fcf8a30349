//! Lines of Python's `logging`: `%(asctime)s - %(name)s - %(levelname)s - %(message)s`, which its
//! documentation uses, and `%(levelname)s:%(name)s:%(message)s`, which is its default.

use super::reader::{LEVELS, Missing, Reader};
use super::{Builtin, Kind, Scan};

const TS: usize = 0;
const LEVEL: usize = 1;
const LOGGER: usize = 2;
const MESSAGE: usize = 3;

pub(super) const FORMAT: Builtin = Builtin {
    name: "PYTHON",
    about: "log of Python's logging, in its usual forms",
    columns: &[
        ("ts", Kind::LocalTime),
        ("level", Kind::Text),
        ("logger", Kind::Text),
        ("message", Kind::Text),
    ],
    scan: Scan::Read(read),
};

fn read(line: &mut Reader<'_>) -> Result<(), Missing> {
    if line.rest().starts_with(|first: char| first.is_ascii_digit()) {
        let ts = line.iso_time()?;
        line.set(TS, ts);
        line.literal(" - ")?;
        let logger = line.until(" - ")?;
        line.set(LOGGER, logger);
        let level = line.one_of(LEVELS, "level")?;
        line.set(LEVEL, level);
        line.literal(" - ")?;
    } else {
        let level = line.one_of(LEVELS, "level")?;
        line.set(LEVEL, level);
        line.literal(":")?;
        let logger = line.until(":")?;
        if line.text(&logger).is_empty() || line.text(&logger).contains(' ') {
            return Err(line.missing("name of a logger"));
        }
        line.set(LOGGER, logger);
    }
    line.set(MESSAGE, line.rest_range());
    Ok(())
}
