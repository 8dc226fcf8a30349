//! Where SQL is read from.

use std::io::Read;

use datafusion::common::runtime::SpawnedTask;

use crate::args::Source;
use crate::report::Failure;

/// A script, and the name that errors give it.
pub(crate) struct Script {
    pub(crate) text: String,
    pub(crate) name: Option<String>,
}

/// Reads a source whole.
///
/// # Errors
/// When it cannot be read, or is no text.
pub(crate) async fn read(source: Source) -> Result<Script, Failure> {
    // A read may wait for ever; signals must be seen meanwhile.
    let read = SpawnedTask::spawn_blocking(move || read_blocking(source)).join().await;
    read.unwrap_or_else(|error| Err(Failure::usage(format!("cannot read the SQL: {error}"))))
}

fn read_blocking(source: Source) -> Result<Script, Failure> {
    let (bytes, name) = match source {
        Source::Command(text) => return Ok(Script { text, name: None }),
        Source::File(path) => (std::fs::read(&path), path.display().to_string()),
        Source::Stdin => {
            let mut bytes = Vec::new();
            let read = std::io::stdin().lock().read_to_end(&mut bytes);
            (read.map(|_| bytes), "<stdin>".to_owned())
        }
    };
    let unreadable = |reason: String| Failure::usage(format!("cannot read {name}: {reason}"));
    let bytes = bytes.map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        unreadable(format!("line {line} is not UTF-8"))
    })?;
    Ok(Script { text, name: Some(name) })
}
