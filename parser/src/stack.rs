//! A stack that is large enough for sqlparser.

use crate::diagnostic::Diagnostic;

/// sqlparser takes up to 100 KiB of stack for a level of nesting in a debug build, more than the
/// threads of a test or of tokio have for the depth that [`crate::tokens`] allows. Only the pages
/// that are touched take memory.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Runs `work` on a thread of its own and waits for it; its panic is the caller's panic.
pub(crate) fn with_deep_stack<T: Send>(
    work: impl FnOnce() -> Result<T, Diagnostic> + Send,
) -> Result<T, Diagnostic> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("parser".to_string())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, work)
            .map_err(|error| Diagnostic::new(format!("cannot start the parser: {error}")))?;
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
