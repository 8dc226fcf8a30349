//! `\e`

use std::ffi::OsStr;
use std::io::{Read, Seek, Write};
use std::process::Stdio;

use crate::prompt::console::{Console, Next};
use crate::prompt::foreground::Foreground;
use crate::report::Failure;

const DEFAULT_EDITOR: &str = "vi";

/// Has the user edit the last query, and gives it to the next prompt.
pub(super) fn run(console: &Console) -> Result<Next, Failure> {
    let query = console.last_query.clone().map(|query| query + ";\n").unwrap_or_default();
    let text = edited(&query).map_err(|error| Failure::usage(format!("cannot edit: {error}")))?;
    Ok(Next::Edit(text.trim_end().to_owned()))
}

fn edited(text: &str) -> std::io::Result<String> {
    // Readable by its owner alone, and removed at the end.
    let mut file = tempfile::Builder::new().prefix("gleam-sql-").suffix(".sql").tempfile()?;
    file.write_all(text.as_bytes())?;
    let editor = ["VISUAL", "EDITOR"].into_iter().find_map(|name| std::env::var(name).ok());
    let editor = editor.filter(|editor| !editor.trim().is_empty());
    let editor = editor.as_deref().unwrap_or(DEFAULT_EDITOR);
    let path: &OsStr = file.path().as_os_str();
    let status = Foreground::start(editor, &[path], Stdio::inherit())?.wait()?;
    if !status.success() {
        return Err(std::io::Error::other(format!("{editor} ended with {status}")));
    }
    // An editor may have put another file in its place.
    let mut edited = String::new();
    let mut again = std::fs::File::open(file.path())?;
    again.rewind()?;
    again.read_to_string(&mut edited)?;
    Ok(edited)
}
