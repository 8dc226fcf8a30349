//! Pure functions on text that log work needs, for use in expressions.
//!
//! **Invariant:** no text makes one of them panic, and none looks at anything but its arguments.

mod ansi;
mod bytes;
mod cidr;
mod duration;
mod number;
mod template;
mod url;

pub use ansi::strip_ansi;
pub use bytes::{bytes_human, parse_bytes};
pub use cidr::{Network, ip_in_cidr};
pub use duration::{duration_human, parse_duration};
pub use template::log_template;
pub use url::{Url, percent_decode};
