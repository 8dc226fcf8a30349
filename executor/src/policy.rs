//! What a process lets the plans of others do: which files they read, which programs they run.
//!
//! A [`Policy`] is an extension of the session that a plan runs in. Plans are checked when they
//! arrive, and what they open and start is checked again when that happens.
//!
//! **Invariant:** where no policy is set, everything is allowed.

mod plan;
mod roots;
mod store;
mod words;

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::config::SessionConfig;
use thiserror::Error;

use crate::exec::PipeSpec;

pub use plan::check_plan;
pub(crate) use plan::programs_of;
pub use roots::{BadRoot, Roots};
pub use store::RootedStore;
pub use words::split_words;

/// What is allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Files are read below these directories only.
    pub roots: Roots,
    /// No PIPE at all.
    pub deny_pipe: bool,
    /// PIPE runs these programs only, and without a shell.
    pub allow_commands: Option<Vec<String>>,
}

/// What is not allowed.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// A file outside the roots.
    #[error("{} is not below {roots}, and this agent reads no other files (--allow-path)", path.display())]
    PathNotAllowed {
        /// The file, symbolic links and `..` resolved.
        path: PathBuf,
        /// Where files may be.
        roots: Roots,
    },
    /// A file of which nobody can say where it is.
    #[error("cannot tell where {} is: {source}", path.display())]
    Unresolved {
        /// As it stands in the plan.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A plan that writes files.
    #[error("agents write no files, only the driver does: {node} is refused")]
    Writes {
        /// What would write.
        node: String,
    },
    /// A PIPE where there may be none.
    #[error("this agent runs no programs (--deny-pipe)")]
    PipeDenied,
    /// A program that is not listed.
    #[error("`{program}` is not a program that this agent runs (--allow-command {})", allowed.join(", "))]
    CommandNotAllowed {
        /// The program.
        program: String,
        /// Those that it runs.
        allowed: Vec<String>,
    },
    /// A program text that only a shell can run.
    #[error(
        "this agent runs listed programs only, without a shell, and only a shell knows what to do with {what}"
    )]
    NeedsShell {
        /// What calls for a shell.
        what: String,
    },
}

impl From<PolicyError> for DataFusionError {
    fn from(error: PolicyError) -> Self {
        Self::External(Box::new(error))
    }
}

impl Policy {
    /// `config` under this policy.
    pub fn govern(self: &Arc<Self>, config: SessionConfig) -> SessionConfig {
        config.with_extension(Arc::clone(self))
    }

    /// The policy of a task; the one that allows everything where none is set.
    pub fn of(context: &TaskContext) -> Arc<Self> {
        context.session_config().get_extension::<Self>().unwrap_or_default()
    }

    /// Of each program of a PIPE its words, to be run as they are; `None` where a shell runs them.
    ///
    /// # Errors
    /// The first command that is not allowed, by its position, and why it is not.
    pub fn programs(
        &self,
        spec: &PipeSpec,
    ) -> Result<Option<Vec<Vec<String>>>, (usize, PolicyError)> {
        if self.deny_pipe {
            return Err((0, PolicyError::PipeDenied));
        }
        let Some(allowed) = &self.allow_commands else { return Ok(None) };
        let commands = spec.commands.iter().enumerate();
        let programs = commands.map(|(position, command)| {
            listed_program(allowed, &command.code).map_err(|error| (position, error))
        });
        programs.collect::<Result<_, _>>().map(Some)
    }
}

fn listed_program(allowed: &[String], code: &str) -> Result<Vec<String>, PolicyError> {
    let words = split_words(code)?;
    let program = words.first().cloned().unwrap_or_default();
    if program.is_empty() || !allowed.contains(&program) {
        return Err(PolicyError::CommandNotAllowed { program, allowed: allowed.to_vec() });
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_programs_run() {
        let allowed = ["grep", "/opt/bin/score"].map(str::to_owned);
        let check = |code: &str, expected: Result<&[&str], &str>| match (
            listed_program(&allowed, code),
            expected,
        ) {
            (Ok(words), Ok(expected)) => assert_eq!(words, expected, "{code}"),
            (Err(error), Err(part)) => {
                assert!(error.to_string().contains(part), "{code}: {error}");
            }
            (found, _) => panic!("{code}: {found:?}"),
        };
        check("grep -v 'a b'", Ok(&["grep", "-v", "a b"]));
        check("/opt/bin/score", Ok(&["/opt/bin/score"]));
        check("'gr'ep x", Ok(&["grep", "x"]));
        check("/usr/bin/grep x", Err("`/usr/bin/grep` is not a program"));
        check("score", Err("`score` is not a program"));
        check("./grep x", Err("`./grep` is not a program"));
        check("LC_ALL=C grep x", Err("`LC_ALL=C` is not a program"));
        check("grepx", Err("grep, /opt/bin/score"));
        check("", Err("`` is not a program"));
        check("'' grep", Err("`` is not a program"));
        check("grep x; id", Err("without a shell"));
    }
}
