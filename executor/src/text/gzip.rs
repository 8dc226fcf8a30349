use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

/// Reads all members of a gzip file, one after the other.
///
/// Zero bytes after a member are padding, as gzip(1) takes them. Anything else there is an
/// error: what gzip(1) drops with a warning might have been data.
pub(crate) struct GzipReader<R> {
    /// `None` at the end.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> GzipReader<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { member: Some(GzDecoder::new(input)) }
    }
}

impl<R: BufRead> Read for GzipReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        while let Some(member) = &mut self.member {
            let read = member.read(into)?;
            if read > 0 {
                return Ok(read);
            }
            match skip_padding(member.get_mut())? {
                None => self.member = None,
                Some(0x1f) => {
                    let input = self.member.take().map(GzDecoder::into_inner);
                    self.member = input.map(GzDecoder::new);
                }
                Some(byte) => {
                    let reason = format!("byte {byte:#04x} after the end of a gzip member");
                    return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
                }
            }
        }
        Ok(0)
    }
}

/// The first byte that is not zero, which stays unread.
fn skip_padding(input: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        if let Some(at) = bytes.iter().position(|&byte| byte != 0) {
            let byte = bytes[at];
            input.consume(at);
            return Ok(Some(byte));
        }
        let zeros = bytes.len();
        input.consume(zeros);
    }
}
