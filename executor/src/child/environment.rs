//! The environment a child sees: nothing but what is listed here.

/// Variables that pass to children, where the parent has them. Everything else is cleared, so that
/// a secret in the parent's environment never reaches a user's program.
pub const ALLOWED_VARIABLES: [&str; 16] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "TZ",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_NUMERIC",
    "LC_TIME",
    "TERM",
];

/// The search path of a child whose parent has none.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Clears the environment of `command` but for [`ALLOWED_VARIABLES`].
pub(super) fn restrict(command: &mut tokio::process::Command) {
    command.env_clear().env("PATH", DEFAULT_PATH);
    for name in ALLOWED_VARIABLES {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
}
