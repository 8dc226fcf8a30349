//! Figures of the formats that are expressions.
fn main() {}
