//! The arithmetic of credit: who may send how much. No I/O, no waiting, no clock.
//!
//! A frame costs its encoded bytes, but at most the window: a single row may be longer than that and
//! goes alone, when all of the window is open and all before it has been taken. Both sides compute the
//! same cost, so `spent <= granted` holds at every step, and what a consumer holds is at most the
//! larger of its window and one such row.
//!
//! Totals are cumulative since the partition began: a grant that arrives twice, late, or in the place
//! of several does no harm.

use std::fmt;

use thiserror::Error;

/// What a frame of `frame_bytes` costs.
fn cost(frame_bytes: u64, window_bytes: u64) -> u64 {
    frame_bytes.min(window_bytes)
}

/// The sender's side of one partition.
#[derive(Debug, Clone)]
pub struct SendCredit {
    window_bytes: u64,
    max_row_bytes: u64,
    spent: u64,
    granted: u64,
}

/// Whether a frame may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Now.
    Send,
    /// When more has been granted.
    Wait,
    /// Only in smaller pieces.
    Split,
    /// Never: a single row is above the limit.
    TooLong,
}

impl SendCredit {
    /// No credit yet. A row may have up to `max_row_bytes`.
    pub fn new(window_bytes: u64, max_row_bytes: u64) -> Self {
        Self { window_bytes, max_row_bytes, spent: 0, granted: 0 }
    }

    /// Whether a frame of `frame_bytes` may be sent; `single_row` when it cannot be split.
    pub fn may_send(&self, frame_bytes: u64, single_row: bool) -> Permission {
        let over_window = frame_bytes > self.window_bytes;
        match (over_window, single_row) {
            (true, false) => Permission::Split,
            (_, true) if frame_bytes > self.max_row_bytes => Permission::TooLong,
            _ if cost(frame_bytes, self.window_bytes) <= self.open() => Permission::Send,
            _ => Permission::Wait,
        }
    }

    /// Records a frame for which [`Self::may_send`] gave [`Permission::Send`].
    pub fn sent(&mut self, frame_bytes: u64) {
        self.spent += cost(frame_bytes, self.window_bytes);
        debug_assert!(self.spent <= self.granted, "a frame was sent without credit");
    }

    /// Takes note of a total. True when it is news.
    pub fn grant(&mut self, granted: u64) -> bool {
        let news = granted > self.granted;
        self.granted = self.granted.max(granted);
        news
    }

    /// The total that was granted.
    pub fn granted(&self) -> u64 {
        self.granted
    }

    /// The total cost of what was sent.
    pub fn spent(&self) -> u64 {
        self.spent
    }

    fn open(&self) -> u64 {
        self.granted - self.spent
    }
}

/// The receiver's side of one partition.
#[derive(Debug, Clone)]
pub struct ReceiveWindow {
    window_bytes: u64,
    granted: u64,
    received: u64,
    taken: u64,
    /// The total with which the sender said that it waits.
    waits_with: Option<u64>,
}

/// The sender passed its credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub struct Overrun {
    granted: u64,
    received: u64,
}

impl fmt::Display for Overrun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes arrived where {} were granted", self.received, self.granted)
    }
}

impl ReceiveWindow {
    /// Nothing granted yet.
    pub fn new(window_bytes: u64) -> Self {
        Self { window_bytes, granted: 0, received: 0, taken: 0, waits_with: None }
    }

    /// A frame has arrived.
    ///
    /// # Errors
    /// When it is more than was granted.
    pub fn receive(&mut self, frame_bytes: u64) -> Result<(), Overrun> {
        let received = self.received + cost(frame_bytes, self.window_bytes);
        if received > self.granted {
            return Err(Overrun { granted: self.granted, received });
        }
        self.received = received;
        Ok(())
    }

    /// The operator has taken a frame.
    pub fn take(&mut self, frame_bytes: u64) {
        self.taken += cost(frame_bytes, self.window_bytes);
        debug_assert!(self.taken <= self.received, "a frame was taken that has not arrived");
    }

    /// The sender waits, and knows of `granted`.
    pub fn sender_waits(&mut self, granted: u64) {
        self.waits_with = Some(granted);
    }

    /// Whether a grant must go now: at the first poll, when three quarters of the window have been
    /// taken, and when everything has been taken and the sender waits with the last total. An older
    /// total says that a grant is on its way to the sender.
    pub fn is_due(&self) -> bool {
        let returned = self.returned();
        let starved = self.taken == self.received && self.waits_with == Some(self.granted);
        returned > 0 && (returned >= self.window_bytes / 4 * 3 || starved)
    }

    /// Whether a grant is worth its bytes when a message goes for another partition anyway.
    pub fn is_worth_joining(&self) -> bool {
        self.granted > 0 && self.returned() >= self.window_bytes / 4
    }

    /// Opens all of the window, and tells the new total.
    pub fn grant(&mut self) -> u64 {
        self.granted = self.taken + self.window_bytes;
        self.granted
    }

    /// What a grant would add.
    fn returned(&self) -> u64 {
        self.taken + self.window_bytes - self.granted
    }
}

#[cfg(test)]
mod simulation;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_no_more_than_the_window() {
        let mut credit = SendCredit::new(100, 500);
        assert_eq!(credit.may_send(1, false), Permission::Wait);
        assert!(credit.grant(100));
        assert!(!credit.grant(100), "the same grant again is no news");
        assert!(!credit.grant(40), "a late grant takes nothing back");
        assert_eq!(credit.may_send(100, false), Permission::Send);
        assert_eq!(credit.may_send(101, false), Permission::Split);
        assert_eq!(credit.may_send(101, true), Permission::Send);
        assert_eq!(credit.may_send(501, true), Permission::TooLong);
        credit.sent(1);
        assert_eq!(credit.may_send(101, true), Permission::Wait, "the window is not open");
        assert_eq!(credit.may_send(99, false), Permission::Send);
    }

    #[test]
    fn a_long_row_spends_the_whole_window() {
        let mut credit = SendCredit::new(100, 500);
        credit.grant(100);
        credit.sent(400);
        assert_eq!((credit.spent(), credit.granted()), (100, 100));
        let mut window = ReceiveWindow::new(100);
        assert_eq!(window.grant(), 100);
        window.receive(400).unwrap();
        window.receive(1).unwrap_err();
        window.take(400);
        assert_eq!(window.grant(), 200);
    }

    #[test]
    fn grants_at_three_quarters_or_when_the_sender_starves() {
        let mut window = ReceiveWindow::new(100);
        assert!(window.is_due(), "the first poll opens the window");
        assert_eq!(window.grant(), 100);
        assert!(!window.is_due());
        window.receive(74).unwrap();
        window.take(74);
        assert!(!window.is_due());
        window.sender_waits(0);
        assert!(!window.is_due(), "the sender had not heard of the last grant");
        window.sender_waits(100);
        assert!(window.is_due());
        assert_eq!(window.grant(), 174);
        assert!(!window.is_due(), "the sender has not said that this is too little");
        window.receive(75).unwrap();
        window.take(75);
        assert!(window.is_due());
    }
}
