//! The exchange between two agents that are tonic servers in this process, and the transport of
//! datafusion-distributed beside it.

mod round_trip;
mod support;
