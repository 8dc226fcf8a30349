//! `\timing [on | off]`

use crate::prompt::console::Console;
use crate::report::Failure;

/// Whether it is told how long statements take.
pub(super) fn run(console: &mut Console, arguments: &str) -> Result<(), Failure> {
    let display = &mut console.display;
    display.tells_time = super::switch(display.tells_time, arguments)?;
    let state = if display.tells_time { "told" } else { "not told" };
    display.say(&format!("how long statements take is {state}\n"));
    Ok(())
}
