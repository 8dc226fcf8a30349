//! `\x [on | off]`

use crate::prompt::console::Console;
use crate::report::Failure;

/// Whether tables are shown a record after the other.
pub(super) fn run(console: &mut Console, arguments: &str) -> Result<(), Failure> {
    let display = &mut console.display;
    display.is_expanded = super::switch(display.is_expanded, arguments)?;
    let state = if display.is_expanded { "records" } else { "tables" };
    display.say(&format!("results are shown as {state}\n"));
    Ok(())
}
