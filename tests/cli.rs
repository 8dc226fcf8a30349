//! The product from outside: the real binary, its arguments, its streams, its processes.
//! Knows nothing of the code behind it.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "tests start programs and talk to who runs them"
)]

mod support;

mod cli {
    mod agents;
    mod agents_command;
    mod agents_lost;
    mod agents_policy;
    mod agents_spill;
    mod ancestor;
    mod answers;
    mod children;
    mod command_line;
    mod failures;
    mod formats;
    mod hostile;
    mod junk;
    mod mistakes;
    mod prompt;
    mod row_errors;
    mod run_options;
    mod sources;
}
