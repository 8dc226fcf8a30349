//! `gleam-sql doctor`: what of this machine works, what would not, and why.

mod agents;
mod machine;
mod programs;

use std::path::PathBuf;

use crate::args::Args;
use crate::generated;
use crate::report;

/// Something that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    state: State,
    what: &'static str,
    /// What was found.
    found: String,
    /// What does not work with that, and what can be done.
    consequence: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Good,
    /// Some queries may fail.
    Doubtful,
    /// What every user expects does not work.
    Bad,
}

impl Finding {
    fn good(what: &'static str, found: impl Into<String>) -> Self {
        Self { state: State::Good, what, found: found.into(), consequence: None }
    }

    fn doubtful(what: &'static str, found: impl Into<String>, why: impl Into<String>) -> Self {
        let (found, consequence) = (found.into(), Some(why.into()));
        Self { state: State::Doubtful, what, found, consequence }
    }

    fn bad(what: &'static str, found: impl Into<String>, why: impl Into<String>) -> Self {
        Self { state: State::Bad, ..Self::doubtful(what, found, why) }
    }
}

/// Looks at everything, prints what it found, and gives the exit status: 1 where something necessary
/// is missing.
pub(crate) async fn run(args: Args, spill_directory: Option<PathBuf>) -> i32 {
    let mut findings = vec![version()];
    findings.push(programs::shell().await);
    findings.push(programs::lua().await);
    findings.push(programs::operators().await);
    findings.extend(machine::all());
    findings.extend(agents::reached(&args.cluster, spill_directory.as_deref()).await);
    let printed = generated::print(table(&findings).as_bytes());
    let is_bad = findings.iter().any(|finding| finding.state == State::Bad);
    if is_bad { report::RUNTIME_FAILURE } else { printed }
}

fn version() -> Finding {
    let own = env!("CARGO_PKG_VERSION");
    Finding::good("version", format!("{own}, DataFusion {}", datafusion::DATAFUSION_VERSION))
}

fn table(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or(0);
    let mut text = String::new();
    for finding in findings {
        let state = match finding.state {
            State::Good => "ok ",
            State::Doubtful => "?  ",
            State::Bad => "BAD",
        };
        let found = report::visible(&finding.found.replace('\n', "; "));
        text.push_str(&format!("{state}  {:width$}  {found}\n", finding.what));
        if let Some(consequence) = &finding.consequence {
            let consequence = report::visible(&consequence.replace('\n', "; "));
            text.push_str(&format!("     {:width$}  = {consequence}\n", ""));
        }
    }
    text
}
