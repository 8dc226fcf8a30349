//! Who may talk to an agent, tried on a real one over its port.

mod calls;
mod certificates;
mod draining;
mod methods;
mod support;
