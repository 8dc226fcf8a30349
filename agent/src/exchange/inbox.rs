//! What has arrived for the operators and was not taken yet, by partition; and the grants that follow
//! from taking it.

use std::collections::VecDeque;
use std::task::Waker;

use crate::credit::{Overrun, ReceiveWindow};
use crate::proto::exchange::{End, Fault, Frame};

use super::frame::frame_bytes;

/// All partitions of one call.
#[derive(Debug)]
pub(crate) struct Inbox {
    start: u64,
    partitions: Vec<Partition>,
}

/// One partition of one call.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) window: ReceiveWindow,
    frames: VecDeque<Frame>,
    pub(crate) state: State,
    waker: Option<Waker>,
}

/// What will come.
#[derive(Debug)]
pub(crate) enum State {
    /// Frames, or an end.
    Open,
    /// Nothing after the queue.
    Ended(End),
    /// Nothing: the task failed.
    Failed(Fault),
    /// Nobody reads it any more.
    Dropped,
}

impl Inbox {
    pub(crate) fn new(start: u64, end: u64, window_bytes: u64) -> Self {
        let partition = || Partition {
            window: ReceiveWindow::new(window_bytes),
            frames: VecDeque::new(),
            state: State::Open,
            waker: None,
        };
        Self { start, partitions: (start..end).map(|_| partition()).collect() }
    }

    pub(crate) fn partition(&mut self, partition: u64) -> Option<&mut Partition> {
        let index = usize::try_from(partition.checked_sub(self.start)?).ok()?;
        self.partitions.get_mut(index)
    }

    /// The new totals when `partition` needs a grant: also of others for which it is worth the bytes.
    pub(crate) fn grants(&mut self, partition: u64) -> Vec<(u64, u64)> {
        let due = self.partition(partition).is_some_and(|partition| partition.is_due());
        if !due {
            return Vec::new();
        }
        (self.start..)
            .zip(&mut self.partitions)
            .filter(|(number, other)| {
                *number == partition || (other.is_open() && other.window.is_worth_joining())
            })
            .map(|(number, other)| (number, other.window.grant()))
            .collect()
    }

    /// Ends all partitions that have not ended. Their frames are dropped: how many bytes those were.
    pub(crate) fn fail(&mut self, fault: &Fault) -> u64 {
        let open = self.partitions.iter_mut().filter(|partition| partition.is_open());
        let dropped = open.map(|partition| partition.finish(State::Failed(fault.clone())));
        dropped.sum()
    }

    /// Ends a partition. True when no other is left to come.
    pub(crate) fn end(&mut self, end: End) -> bool {
        if let Some(partition) = self.partition(end.partition)
            && partition.is_open()
        {
            partition.finish(State::Ended(end));
        }
        !self.partitions.iter().any(Partition::is_open)
    }
}

impl Partition {
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.state, State::Open)
    }

    fn is_due(&self) -> bool {
        self.is_open() && self.window.is_due()
    }

    pub(crate) fn receive(&mut self, frame: Frame) -> Result<(), Overrun> {
        self.window.receive(frame_bytes(&frame))?;
        self.frames.push_back(frame);
        self.wake();
        Ok(())
    }

    pub(crate) fn take(&mut self) -> Option<Frame> {
        let frame = self.frames.pop_front()?;
        self.window.take(frame_bytes(&frame));
        Some(frame)
    }

    /// Sets how it ended; frames that wait are kept only before a proper end. The bytes of the others.
    pub(crate) fn finish(&mut self, state: State) -> u64 {
        let keep = matches!(state, State::Ended(_));
        self.state = state;
        self.wake();
        if keep {
            return 0;
        }
        self.frames.drain(..).map(|frame| frame_bytes(&frame)).sum()
    }

    pub(crate) fn wait(&mut self, waker: &Waker) {
        self.waker = Some(waker.clone());
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}
