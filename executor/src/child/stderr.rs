//! The last words of a child.

use std::collections::VecDeque;

use tokio::io::{AsyncRead, AsyncReadExt};

/// How much of the end of a child's stderr is kept for error messages.
pub const STDERR_TAIL_BYTES: usize = 4 * 1024;

/// Reads `stderr` to its end, so that the child never blocks on it, and returns its tail.
pub(super) async fn drain(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut tail = VecDeque::with_capacity(STDERR_TAIL_BYTES);
    let mut buffer = [0_u8; STDERR_TAIL_BYTES];
    while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
        let surplus = (tail.len() + read).saturating_sub(STDERR_TAIL_BYTES);
        tail.drain(..surplus.min(tail.len()));
        tail.extend(&buffer[..read]);
    }
    String::from_utf8_lossy(tail.make_contiguous()).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_only_the_tail() {
        let mut text = "x".repeat(3 * STDERR_TAIL_BYTES);
        text.push_str("the end\n");
        let tail = drain(text.as_bytes()).await;
        assert!(tail.ends_with("the end"));
        assert_eq!(tail.len(), STDERR_TAIL_BYTES - 1);
    }
}
