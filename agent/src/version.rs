//! What both ends of a connection must have in common.

/// Counted up when messages between processes change in a way that old ones cannot read.
pub const WIRE_VERSION: u32 = 1;

/// Plans are bytes that only the same build reads for certain.
pub const BUILD_VERSION: &str = env!("CARGO_PKG_VERSION");
