//! Frames on the pipe between parent and child: a fixed header, then the body. Pure, except for
//! the two functions that read and write a whole frame.
//!
//! Header, 12 bytes: `G`, `L`, version, tag, and the length of the body, 64 bits little-endian.

use std::io::{ErrorKind, Read, Write};

use super::LuaError;

/// How long a header is, in bytes.
pub const HEADER_BYTES: usize = 12;

/// The longest body: a batch of one column at its limit of 2 GiB, and as much for the others.
pub const MAX_BODY_BYTES: u64 = 8 * 1024 * 1024 * 1024;

/// The version of this protocol; both sides are the same binary, so there is no negotiation.
const VERSION: u8 = 1;

/// A body is read in steps of at most this, so that a broken length allocates little.
const READ_STEP_BYTES: u64 = 256 * 1024 * 1024;

/// What the body of a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag {
    /// To the child, first: the program, as JSON.
    Setup = 1,
    /// To the child: a batch of input rows.
    Batch = 2,
    /// To the child, last: no more batches.
    End = 3,
    /// To the child: send what was folded of the batches so far, and begin anew. Empty; it is
    /// answered like a batch.
    Flush = 4,
    /// To the parent: some output rows of the current batch.
    Rows = 16,
    /// To the parent: the current batch is finished. Tolerated errors as JSON, or nothing.
    BatchDone = 17,
    /// To the parent, last: the user's code failed. A `Failure` as JSON.
    Failed = 18,
    /// To the parent, last: the child itself failed. A message.
    Fault = 19,
    /// To the parent: the current batch is being worked on. Empty.
    Beat = 20,
    /// To the parent, behind the last batch: what was interpreted, as JSON.
    Interpreted = 21,
}

impl Tag {
    const ALL: [Self; 10] = [
        Self::Setup,
        Self::Batch,
        Self::End,
        Self::Flush,
        Self::Rows,
        Self::BatchDone,
        Self::Failed,
        Self::Fault,
        Self::Beat,
        Self::Interpreted,
    ];
}

/// The header of a frame with a body of `length` bytes.
pub fn header(tag: Tag, length: usize) -> [u8; HEADER_BYTES] {
    let mut header = [b'G', b'L', VERSION, tag as u8, 0, 0, 0, 0, 0, 0, 0, 0];
    header[4..].copy_from_slice(&(length as u64).to_le_bytes());
    header
}

/// The tag of the frame that `header` opens, and the length of its body in bytes.
pub fn parse_header(header: &[u8; HEADER_BYTES]) -> Result<(Tag, usize), LuaError> {
    let [b'G', b'L', VERSION, tag, length @ ..] = *header else {
        return Err(LuaError::Frame(format!("no header: {header:02x?}")));
    };
    let Some(tag) = Tag::ALL.into_iter().find(|known| *known as u8 == tag) else {
        return Err(LuaError::Frame(format!("unknown tag {tag}")));
    };
    let length = u64::from_le_bytes(length);
    if length > MAX_BODY_BYTES {
        return Err(LuaError::Frame(format!("a body of {length} bytes is too long")));
    }
    Ok((tag, length as usize))
}

/// A whole frame.
pub(super) fn frame(tag: Tag, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEADER_BYTES + body.len());
    frame.extend_from_slice(&header(tag, body.len()));
    frame.extend_from_slice(body);
    frame
}

/// Writes a frame whose body is in parts.
pub(super) fn write(mut to: impl Write, tag: Tag, parts: &[&[u8]]) -> Result<(), LuaError> {
    to.write_all(&header(tag, parts.iter().map(|part| part.len()).sum()))?;
    parts.iter().try_for_each(|part| to.write_all(part))?;
    Ok(())
}

/// Reads a frame, or none where the stream ends between frames.
pub(super) fn read(mut from: impl Read) -> Result<Option<(Tag, Vec<u8>)>, LuaError> {
    let mut header = [0; HEADER_BYTES];
    let mut filled = 0;
    while filled < HEADER_BYTES {
        match from.read(&mut header[filled..]) {
            Ok(0) if filled == 0 => return Ok(None),
            Ok(0) => return Err(LuaError::Frame("it ends within a header".into())),
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    let (tag, length) = parse_header(&header)?;
    let mut body = Vec::new();
    while body.len() < length {
        let step = ((length - body.len()) as u64).min(READ_STEP_BYTES);
        body.reserve_exact(step as usize);
        if from.by_ref().take(step).read_to_end(&mut body)? as u64 != step {
            return Err(LuaError::Frame("it ends within a body".into()));
        }
    }
    Ok(Some((tag, body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_pass_and_broken_ones_are_errors() {
        let whole = frame(Tag::Rows, b"abc");
        assert_eq!(read(&whole[..]).unwrap(), Some((Tag::Rows, b"abc".to_vec())));
        assert_eq!(read(&[][..]).unwrap(), None);
        for cut in 1..whole.len() {
            assert!(read(&whole[..cut]).is_err(), "cut at {cut}");
        }
        for (place, byte) in [(0, b'X'), (2, 9), (3, 77), (11, 255)] {
            let mut broken = whole.clone();
            broken[place] = byte;
            assert!(read(&broken[..]).is_err(), "byte {place}");
        }
    }
}
