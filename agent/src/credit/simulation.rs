//! Any interleaving of sender, receiver and both directions of the connection: the bounds hold at every
//! step, and what was to be sent arrives.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::{Permission, ReceiveWindow, SendCredit};

/// A limit above all frames here.
const MAX_ROW_BYTES: u64 = 10_000;

/// On the way to the receiver, in order.
#[derive(Debug, Clone, Copy)]
enum Forward {
    Frame(u64),
    Waiting(u64),
}

struct World {
    window_bytes: u64,
    /// Encoded bytes of the frames to come.
    frames: VecDeque<u64>,
    longest_row: u64,
    credit: SendCredit,
    told_waiting_with: Option<u64>,
    forward: VecDeque<Forward>,
    /// Grants on their way: in any order, some more than once, some replaced by later ones.
    backward: Vec<u64>,
    window: ReceiveWindow,
    polled: bool,
    queue: VecDeque<u64>,
    taken: Vec<u64>,
    grants: usize,
}

impl World {
    fn new(window_bytes: u64, frames: Vec<u64>) -> Self {
        Self {
            window_bytes,
            longest_row: frames.iter().copied().max().unwrap_or(0),
            frames: frames.into(),
            credit: SendCredit::new(window_bytes, MAX_ROW_BYTES),
            told_waiting_with: None,
            forward: VecDeque::new(),
            backward: Vec::new(),
            window: ReceiveWindow::new(window_bytes),
            polled: false,
            queue: VecDeque::new(),
            taken: Vec::new(),
            grants: 0,
        }
    }

    /// One step, if it is possible. Longer frames than the window are single rows.
    fn step(&mut self, choice: u8) -> bool {
        let stepped = match choice % 5 {
            0 => self.send(),
            1 => self.arrive(),
            2 => self.poll(),
            3 => self.grant_arrives(usize::from(choice), false),
            _ => self.grant_arrives(usize::from(choice), true),
        };
        self.check();
        stepped
    }

    fn send(&mut self) -> bool {
        let Some(&bytes) = self.frames.front() else { return false };
        match self.credit.may_send(bytes, bytes > self.window_bytes) {
            Permission::Send => {
                self.frames.pop_front();
                self.credit.sent(bytes);
                self.forward.push_back(Forward::Frame(bytes));
                true
            }
            Permission::Wait if self.credit.granted() == 0 => false,
            Permission::Wait if self.told_waiting_with != Some(self.credit.granted()) => {
                self.told_waiting_with = Some(self.credit.granted());
                self.forward.push_back(Forward::Waiting(self.credit.granted()));
                true
            }
            Permission::Wait => false,
            other => panic!("{other:?}"),
        }
    }

    fn arrive(&mut self) -> bool {
        match self.forward.pop_front() {
            None => return false,
            Some(Forward::Frame(bytes)) => {
                self.window.receive(bytes).unwrap();
                self.queue.push_back(bytes);
            }
            Some(Forward::Waiting(granted)) => {
                self.window.sender_waits(granted);
                self.grant_if_due();
            }
        }
        true
    }

    fn poll(&mut self) -> bool {
        let first = !std::mem::replace(&mut self.polled, true);
        let taken = self.queue.pop_front();
        if let Some(bytes) = taken {
            self.window.take(bytes);
            self.taken.push(bytes);
        }
        self.grant_if_due();
        first || taken.is_some()
    }

    fn grant_if_due(&mut self) {
        if self.window.is_due() {
            self.backward.push(self.window.grant());
            self.grants += 1;
        }
    }

    /// `again`: the grant arrives, and once more later; else it replaces the ones before it.
    fn grant_arrives(&mut self, choice: usize, again: bool) -> bool {
        if self.backward.is_empty() {
            return false;
        }
        let index = choice % self.backward.len();
        let granted = self.backward[index];
        let news = self.credit.grant(granted);
        if !again {
            self.backward.retain(|other| *other > granted);
        }
        news || !again
    }

    fn check(&self) {
        assert!(self.credit.spent() <= self.credit.granted());
        let in_flight = self.forward.iter().map(|forward| match forward {
            Forward::Frame(bytes) => *bytes,
            Forward::Waiting(_) => 0,
        });
        let held = in_flight.sum::<u64>() + self.queue.iter().sum::<u64>();
        assert!(held <= self.window_bytes.max(self.longest_row), "{held} bytes are on the way");
    }

    /// Everybody steps in turn until nobody can.
    fn finish(&mut self) {
        while (0..4).filter(|choice| self.step(*choice)).count() > 0 {}
    }
}

proptest! {
    #[test]
    fn everything_arrives_within_the_bounds(
        window_bytes in 1_u64..200,
        frames in prop::collection::vec(1_u64..400, 0..80),
        choices in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let mut world = World::new(window_bytes, frames.clone());
        for choice in choices {
            world.step(choice);
        }
        world.finish();
        prop_assert_eq!(world.taken, frames);
    }

    #[test]
    fn grants_are_few(
        frames in prop::collection::vec(100_u64..=128, 1000..2000),
        choices in prop::collection::vec(0_u8..4, 0..2000),
    ) {
        let count = frames.len();
        let mut world = World::new(128 * 128, frames);
        for choice in choices {
            world.step(choice);
        }
        world.finish();
        prop_assert_eq!(world.taken.len(), count);
        prop_assert!(world.grants * 50 <= count + 100, "{} grants", world.grants);
    }
}
