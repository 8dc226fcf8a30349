//! Statements to physical plans.
//!
//! **Invariant:** the planner never opens a connection and never starts a child. It looks at
//! directories and file headers, and reads rows only where DataFusion infers the columns of a typed
//! file, and where the columns of a PARSE depend on its lines.

mod analyze;
mod cluster;
mod copy;
mod described;
mod diagnose;
mod explain;
mod formats;
mod functions;
mod fuse;
mod hint;
mod names;
mod new_table;
pub mod nodes;
mod origin;
mod physical;
mod placement;
mod predicates;
mod relation;
mod schemas;
mod session;
mod sources;
mod staged;
mod statement;
mod streaming;
mod volatile;

pub use cluster::{Cluster, with_metrics};
pub use described::{DescribedSource, GuessedFormat, describe_source, guess_format};
pub use diagnose::{find_cause, plain_message};
pub use names::plain_names;
pub use session::{Session, SessionOptions};
pub use statement::Planned;
