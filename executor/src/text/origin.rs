use std::fs::File;
use std::io::{self, Read};

use super::Compression;
use super::input::read_head;

/// The number, from 1, of the line that `file`, just opened, has at `offset` bytes of its text. Reads
/// the file up to there, which is for error messages, not for rows.
///
/// # Errors
/// When the file cannot be read again; a pipe cannot.
pub fn line_number_at(mut file: File, offset: u64) -> io::Result<u64> {
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "only files can be read again"));
    }
    let head = read_head(&mut file)?;
    let compression = Compression::sniff(&head);
    let whole = io::Cursor::new(head).chain(file);
    let text: Box<dyn Read> = match compression {
        Some(compression) => compression.reader(Box::new(whole))?,
        None => Box::new(whole),
    };
    count_newlines(text.take(offset)).map(|newlines| newlines + 1)
}

/// The line number that a value of [`ORIGIN_OFFSET`](super::ORIGIN_OFFSET) stands for, in a file that
/// is opened only when it is needed.
///
/// # Errors
/// As [`line_number_at`], and those of `open`.
pub fn line_number_of(origin: i64, open: impl FnOnce() -> io::Result<File>) -> io::Result<u64> {
    match u64::try_from(origin) {
        Ok(offset) => line_number_at(open()?, offset),
        Err(_) => Ok(origin.unsigned_abs()),
    }
}

fn count_newlines(mut text: impl Read) -> io::Result<u64> {
    let mut bytes = vec![0; 256 * 1024];
    let mut newlines = 0;
    loop {
        match text.read(&mut bytes) {
            Ok(0) => return Ok(newlines),
            Ok(read) => newlines += memchr::memchr_iter(b'\n', &bytes[..read]).count() as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
