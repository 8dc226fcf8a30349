//! The exchange between two agents that are tonic servers in this process, and the transport of
//! datafusion-distributed beside it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod failure;
mod flow;
mod round_trip;
mod stock_faults;
mod support;
mod types;
