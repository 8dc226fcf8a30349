//! How tasks fetch each other's rows, with credit. `protocol.md` beside this file tells the protocol.
//!
//! **Invariant:** a sender never passes its credit, and a partition without an explicit end is an error.

mod call;
mod channel;
mod compact;
mod consumer;
mod decode;
mod fault;
mod frame;
mod guard;
mod inbox;
mod metrics;
mod options;
mod outbox;
mod producer;
mod production;
mod service;
mod traffic;

pub use channel::channel;
pub use fault::{AgentLost, RemoteFault};
pub use guard::guard_broadcast;
pub use options::{Compression, ExchangeOptions};
pub use service::{ExchangeService, service};
pub use traffic::{RunningTask, Traffic};
