//! `\i FILE`

use crate::args::Source;
use crate::prompt::console::Console;
use crate::report::Failure;
use crate::source;

/// Runs the statements of a script.
pub(super) async fn run(console: &mut Console, arguments: &str) -> Result<(), Failure> {
    if arguments.is_empty() {
        return Err(Failure::usage("\\i wants the name of a file".to_owned()));
    }
    let script = source::read(Source::File(super::path(arguments).into())).await?;
    console.run_script(&script).await
}
