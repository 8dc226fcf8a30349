//! The files in which container runtimes keep what containers write
//! (<https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md>).

use super::reader::{Missing, Reader};
use super::{Builtin, Kind, Scan};

const TS: usize = 0;
const STREAM: usize = 1;
const TAG: usize = 2;
const MESSAGE: usize = 3;

/// A tag of `F` is a full line, and `P` a part of one that goes on in the next.
pub(super) const FORMAT: Builtin = Builtin {
    name: "CRI",
    about: "container log of containerd and CRI-O",
    columns: &[
        ("ts", Kind::Moment),
        ("stream", Kind::Text),
        ("tag", Kind::Text),
        ("message", Kind::Text),
    ],
    scan: Scan::Read(read),
};

fn read(line: &mut Reader<'_>) -> Result<(), Missing> {
    let ts = line.iso_time()?;
    line.set(TS, ts);
    line.literal(" ")?;
    let stream = line.one_of(&["stdout", "stderr"], "stdout or stderr")?;
    line.set(STREAM, stream);
    line.literal(" ")?;
    let tag = line.one_of(&["F", "P"], "F or P")?;
    line.set(TAG, tag);
    if !line.is_at_end() {
        line.literal(" ")?;
    }
    line.set(MESSAGE, line.rest_range());
    Ok(())
}
