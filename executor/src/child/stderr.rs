//! The last words of a child.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use datafusion::common::runtime::SpawnedTask;
use tokio::io::{AsyncRead, AsyncReadExt};

/// How much of the end of a child's stderr is kept for error messages.
pub const STDERR_TAIL_BYTES: usize = 4 * 1024;

/// How long the last words of a child that has ended are waited for: a process that it left behind
/// may hold its stderr for ever.
const LAST_WORDS_PATIENCE: Duration = Duration::from_secs(1);

/// The end of what a child writes to stderr. It is read all the time, so that the child never blocks
/// on it.
#[derive(Debug)]
pub(super) struct StderrTail {
    bytes: Arc<Mutex<VecDeque<u8>>>,
    drain: Option<SpawnedTask<()>>,
}

impl StderrTail {
    pub(super) fn of(stderr: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let bytes = Arc::default();
        let drain = Some(SpawnedTask::spawn(drain(stderr, Arc::clone(&bytes))));
        Self { bytes, drain }
    }

    /// The words of a child that has ended.
    pub(super) async fn finish(&mut self) -> String {
        if let Some(drain) = self.drain.take() {
            // What has been read by then is all that there is to show.
            let _ = tokio::time::timeout(LAST_WORDS_PATIENCE, drain.join()).await;
        }
        let mut bytes = lock(&self.bytes);
        String::from_utf8_lossy(bytes.make_contiguous()).trim_end().to_owned()
    }
}

async fn drain(mut stderr: impl AsyncRead + Unpin, tail: Arc<Mutex<VecDeque<u8>>>) {
    let mut buffer = [0_u8; STDERR_TAIL_BYTES];
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        let mut tail = lock(&tail);
        let surplus = (tail.len() + read).saturating_sub(STDERR_TAIL_BYTES);
        let surplus = surplus.min(tail.len());
        tail.drain(..surplus);
        tail.extend(&buffer[..read]);
    }
}

fn lock(bytes: &Mutex<VecDeque<u8>>) -> MutexGuard<'_, VecDeque<u8>> {
    bytes.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_only_the_tail() {
        let mut text = "x".repeat(3 * STDERR_TAIL_BYTES);
        text.push_str("the end\n");
        let tail = StderrTail::of(std::io::Cursor::new(text.into_bytes())).finish().await;
        assert!(tail.ends_with("the end"));
        assert_eq!(tail.len(), STDERR_TAIL_BYTES - 1);
    }
}
