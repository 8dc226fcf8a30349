//! Which lines of a file a byte range owns: those that start in it.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How much is read to find a line's end.
const PROBE_BYTES: usize = 16 * 1024;
const COUNT_BYTES: usize = 256 * 1024;

/// The first byte at or after `position` that begins a line; the file's length, if none does.
///
/// The lines of a range `a..b` are the bytes from `line_start(a)` to `line_start(b)`, so that
/// ranges side by side share no line and lose none.
pub(crate) fn line_start(file: &File, position: u64) -> io::Result<u64> {
    let Some(mut at) = position.checked_sub(1) else { return Ok(0) };
    let mut probe = [0; PROBE_BYTES];
    loop {
        let read = file.read_at(&mut probe, at)?;
        if let Some(newline) = memchr::memchr(b'\n', &probe[..read]) {
            return Ok(at + newline as u64 + 1);
        }
        if read == 0 {
            return Ok(at);
        }
        at += read as u64;
    }
}

/// How many lines end before `position`.
pub(crate) fn lines_before(file: &File, position: u64) -> io::Result<u64> {
    let mut bytes = vec![0; COUNT_BYTES];
    let (mut at, mut lines) = (0, 0);
    while at < position {
        let wanted = bytes.len().min(usize::try_from(position - at).unwrap_or(usize::MAX));
        let read = file.read_at(&mut bytes[..wanted], at)?;
        if read == 0 {
            break;
        }
        lines += memchr::memchr_iter(b'\n', &bytes[..read]).count() as u64;
        at += read as u64;
    }
    Ok(lines)
}
