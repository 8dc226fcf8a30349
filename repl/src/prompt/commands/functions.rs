//! `\df [TEXT]`

use std::num::NonZeroUsize;

use crate::prompt::console::Console;
use crate::report::Failure;

/// Lists all functions, or those with a text in their names.
pub(super) async fn run(console: &mut Console, arguments: &str) -> Result<(), Failure> {
    let wanted = arguments.to_lowercase().replace('\'', "''");
    let limit = console.display.limit.take();
    let all = Unlimited { console, limit };
    all.console.run_own(format!("SHOW FUNCTIONS LIKE '%{wanted}%'")).await
}

/// Puts the limit back, also where Ctrl-C has ended the listing.
struct Unlimited<'c> {
    console: &'c mut Console,
    limit: Option<NonZeroUsize>,
}

impl Drop for Unlimited<'_> {
    fn drop(&mut self) {
        self.console.display.limit = self.limit;
    }
}
