//! Who may talk to an agent, tried on a real one over its port.

#![expect(clippy::unwrap_used, reason = "a test stops at its first failure")]

mod busy;
mod calls;
mod certificates;
mod draining;
mod methods;
mod support;
