//! `\dag`

use crate::prompt::console::Console;
use crate::report::Failure;

/// Shows the plan of the last query: its operators, and with agents its stages and tasks.
pub(super) async fn run(console: &mut Console) -> Result<(), Failure> {
    let query = console.last_query()?;
    console.run_own(format!("EXPLAIN {query}")).await
}
