use std::io::{self, Read};

use bytes::{Buf, Bytes};
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::runtime::Handle;

/// An object's bytes as a blocking reader, for a thread outside the runtime.
pub(crate) struct RemoteReader {
    stream: BoxStream<'static, object_store::Result<Bytes>>,
    chunk: Bytes,
    runtime: Handle,
}

impl RemoteReader {
    pub(crate) fn new(
        stream: BoxStream<'static, object_store::Result<Bytes>>,
        runtime: Handle,
    ) -> Self {
        Self { stream, chunk: Bytes::new(), runtime }
    }
}

impl Read for RemoteReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.chunk.is_empty() {
            match self.runtime.block_on(self.stream.next()) {
                Some(chunk) => self.chunk = chunk.map_err(io::Error::other)?,
                None => return Ok(0),
            }
        }
        let read = into.len().min(self.chunk.len());
        self.chunk.copy_to_slice(&mut into[..read]);
        Ok(read)
    }
}
