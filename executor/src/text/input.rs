use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::ops::Range;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::FileExt;

use datafusion::physical_plan::metrics::Count;

use super::columns::OriginKind;
use super::compression::MAGIC_BYTES;
use super::range::{line_start, lines_before};
use super::{Arrival, Compression};

/// How much to take at once from a pipe, which holds no more.
const PIPE_READ_BYTES: usize = 64 * 1024;

/// Decompressed text from its first line to its last.
pub(crate) struct Input {
    reader: Box<dyn Read + Send>,
    /// The pipe whose bytes should be handed out as they come.
    pipe: Option<RawFd>,
    pub(crate) compression: Option<Compression>,
    /// Counts the bytes that have been read, as they are stored.
    scanned: Count,
    /// Of the first line: its offset in the text, and its number where that was asked for.
    pub(crate) offset: u64,
    pub(crate) line_no: u64,
    pub(crate) origin: OriginKind,
}

impl Input {
    /// Opens a file that can be read at any place, or the lines that start in a range of it.
    ///
    /// A compressed file cannot be cut: its first range reads all of it, and the others, as
    /// ranges without lines, give `None`.
    pub(crate) fn of_file(
        mut file: File,
        range: Option<Range<u64>>,
        needs_line_no: bool,
        scanned: &Count,
    ) -> io::Result<Option<Self>> {
        if let Some(compression) = Compression::sniff(&head_of(&file)?) {
            let is_first = range.is_none_or(|range| range.start == 0);
            return is_first
                .then(|| Self::compressed(compression, Box::new(file), scanned))
                .transpose();
        }
        let Some(range) = range else { return Ok(Some(Self::plain(Box::new(file), scanned))) };
        let start = line_start(&file, range.start)?;
        let end = line_start(&file, range.end)?;
        if start >= end {
            return Ok(None);
        }
        let line_no = if needs_line_no { 1 + lines_before(&file, start)? } else { 1 };
        file.seek(SeekFrom::Start(start))?;
        let input = Self::plain(Box::new(file.take(end - start)), scanned);
        Ok(Some(Self { offset: start, line_no, ..input }))
    }

    /// Reads from where `file` stands, once: a pipe, a device, standard input.
    pub(crate) fn of_stream(mut file: File, scanned: &Count) -> io::Result<Self> {
        let is_pipe = !file.metadata()?.is_file();
        let fd = file.as_raw_fd();
        let head = read_head(&mut file)?;
        let input = Self::of_reader(head, Box::new(file), scanned)?;
        let pipe = (is_pipe && input.compression.is_none()).then_some(fd);
        Ok(Self { pipe, ..input })
    }

    /// Reads `head`, which was taken off, and then the rest.
    pub(crate) fn of_reader(
        head: Vec<u8>,
        rest: Box<dyn Read + Send>,
        scanned: &Count,
    ) -> io::Result<Self> {
        let compression = Compression::sniff(&head);
        let reader = Box::new(Cursor::new(head).chain(rest));
        let input = match compression {
            Some(compression) => Self::compressed(compression, reader, scanned)?,
            None => Self::plain(reader, scanned),
        };
        Ok(Self { origin: OriginKind::NegativeLineNo, ..input })
    }

    fn plain(reader: Box<dyn Read + Send>, scanned: &Count) -> Self {
        let (scanned, origin) = (scanned.clone(), OriginKind::Offset);
        Self { reader, pipe: None, compression: None, scanned, offset: 0, line_no: 1, origin }
    }

    fn compressed(
        compression: Compression,
        reader: Box<dyn Read + Send>,
        scanned: &Count,
    ) -> io::Result<Self> {
        let reader = Box::new(Counted { reader, scanned: scanned.clone() });
        let input = Self::plain(compression.reader(reader)?, scanned);
        let origin = OriginKind::NegativeLineNo;
        Ok(Self { compression: Some(compression), origin, ..input })
    }

    /// Appends `bytes` at most, and tells how more will come.
    pub(crate) fn read(&mut self, into: &mut Vec<u8>, bytes: usize) -> io::Result<Arrival> {
        let length = into.len();
        let arrival = self.read_uncounted(into, bytes)?;
        if self.compression.is_none() {
            self.scanned.add(into.len() - length);
        }
        Ok(arrival)
    }

    fn read_uncounted(&mut self, into: &mut Vec<u8>, bytes: usize) -> io::Result<Arrival> {
        if let Some(pipe) = self.pipe {
            return self.read_pipe(pipe, into, bytes.min(PIPE_READ_BYTES));
        }
        // Reads into the spare capacity, without clearing it first.
        let read = self.reader.by_ref().take(bytes as u64).read_to_end(into)?;
        Ok(if read < bytes { Arrival::Ended } else { Arrival::Flowing })
    }

    fn read_pipe(&mut self, pipe: RawFd, into: &mut Vec<u8>, bytes: usize) -> io::Result<Arrival> {
        let length = into.len();
        into.resize(length + bytes, 0);
        let result = loop {
            match self.reader.read(&mut into[length..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        into.truncate(length + result.as_ref().copied().unwrap_or(0));
        Ok(match result? {
            0 => Arrival::Ended,
            _ if has_more(pipe) => Arrival::Flowing,
            _ => Arrival::Idle,
        })
    }
}

/// Counts what is read of a compressed file. (Around plain text it would keep reads from going into
/// the spare capacity of a buffer.)
struct Counted {
    reader: Box<dyn Read + Send>,
    scanned: Count,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.scanned.add(read);
        Ok(read)
    }
}

/// The first bytes of a file, wherever it stands.
fn head_of(file: &File) -> io::Result<Vec<u8>> {
    let mut head = vec![0; MAGIC_BYTES];
    let mut length = 0;
    while length < head.len() {
        match file.read_at(&mut head[length..], length as u64)? {
            0 => break,
            read => length += read,
        }
    }
    head.truncate(length);
    Ok(head)
}

/// Takes off as many bytes as it needs to tell the compression: for text one, mostly.
pub(crate) fn read_head(reader: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while head.len() < MAGIC_BYTES && Compression::may_begin(&head) {
        let missing = MAGIC_BYTES - head.len();
        let wanted = if head.is_empty() { 1 } else { missing };
        if reader.by_ref().take(wanted as u64).read_to_end(&mut head)? == 0 {
            break;
        }
    }
    Ok(head)
}

/// True when a read would not wait.
fn has_more(pipe: RawFd) -> bool {
    let mut poll = libc::pollfd { fd: pipe, events: libc::POLLIN, revents: 0 };
    // SAFETY: `poll` is one valid `pollfd` for the length of the call.
    let ready = unsafe { libc::poll(&raw mut poll, 1, 0) };
    ready > 0
}
