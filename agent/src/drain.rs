//! The end of an agent: it takes no new tasks, and waits for those that it has.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tonic::Status;
use tonic::body::Body;

/// Whether the agent is about to end, and what it still has to do for drivers.
#[derive(Debug, Default)]
pub struct Drain {
    is_draining: AtomicBool,
    open_tasks: AtomicUsize,
}

impl Drain {
    /// From now on there are no new tasks.
    pub fn begin(&self) {
        self.is_draining.store(true, Relaxed);
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.is_draining.load(Relaxed)
    }

    /// Tasks whose drivers still hold them, also before and after their rows are fetched.
    pub fn open_tasks(&self) -> usize {
        self.open_tasks.load(Relaxed)
    }

    /// Counts a task until the guard is dropped.
    pub(crate) fn open_task(self: &Arc<Self>) -> OpenTask {
        self.open_tasks.fetch_add(1, Relaxed);
        OpenTask(Arc::clone(self))
    }
}

/// A task that a driver holds.
#[derive(Debug)]
pub(crate) struct OpenTask(Arc<Drain>);

impl OpenTask {
    /// `body`, with which the task ends.
    pub(crate) fn until_the_end_of(self, body: Body) -> Body {
        Body::new(TaskBody { body, _task: self })
    }
}

impl Drop for OpenTask {
    fn drop(&mut self) {
        self.0.open_tasks.fetch_sub(1, Relaxed);
    }
}

struct TaskBody {
    body: Body,
    _task: OpenTask,
}

impl http_body::Body for TaskBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
