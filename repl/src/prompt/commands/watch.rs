//! `\watch [SECONDS]`

use std::time::Duration;

use crate::prompt::console::Console;
use crate::report::{Failure, visible};

const DEFAULT_PERIOD: Duration = Duration::from_secs(2);

/// Runs the last query again and again, with a pause in between. Ctrl-C ends it.
pub(super) async fn run(console: &mut Console, arguments: &str) -> Result<(), Failure> {
    let query = console.last_query()?;
    let period = period(arguments)?;
    // Nobody is there to leave a pager.
    let is_paged = std::mem::replace(&mut console.display.is_paged, false);
    let guard = Unpaged { console, is_paged };
    for run in 1_u64.. {
        let seconds = period.as_secs_f64();
        guard.console.display.say(&format!("every {seconds} s, run {run}; Ctrl-C ends it\n"));
        guard.console.run_own(query.clone()).await?;
        tokio::time::sleep(period).await;
    }
    Ok(())
}

/// Puts the pager back, also where Ctrl-C has ended the watching.
struct Unpaged<'c> {
    console: &'c mut Console,
    is_paged: bool,
}

impl Drop for Unpaged<'_> {
    fn drop(&mut self) {
        self.console.display.is_paged = self.is_paged;
    }
}

fn period(arguments: &str) -> Result<Duration, Failure> {
    if arguments.is_empty() {
        return Ok(DEFAULT_PERIOD);
    }
    let seconds = arguments.trim_end_matches('s').parse::<f64>().ok();
    let period = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    period.filter(|period| !period.is_zero()).ok_or_else(|| {
        Failure::usage(format!("\\watch wants a number of seconds, not {}", visible(arguments)))
    })
}
