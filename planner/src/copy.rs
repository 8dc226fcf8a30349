//! `COPY … TO 'file'` writes a file that is whole, or none.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::parser::CopyToStatement;
use datafusion::sql::sqlparser::ast::Value;

/// Says for extensions that DataFusion does not know what they are: those that FROM reads.
pub(crate) fn name_format(statement: &mut CopyToStatement) {
    if statement.stored_as.is_some() {
        return;
    }
    let extension =
        Path::new(&statement.target).extension().and_then(|extension| extension.to_str());
    match extension {
        Some("jsonl" | "ndjson") => statement.stored_as = Some("JSON".to_owned()),
        Some("tsv") => {
            statement.stored_as = Some("CSV".to_owned());
            let is_delimiter = |(key, _): &(String, Value)| key.ends_with("delimiter");
            if !statement.options.iter().any(is_delimiter) {
                let tab = Value::SingleQuotedString("\t".to_owned());
                statement.options.push(("format.delimiter".to_owned(), tab));
            }
        }
        _ => {}
    }
}

/// Where a COPY writes first, and what the file is called in the end.
#[derive(Debug)]
pub(crate) struct NewFile {
    pub(crate) written: PathBuf,
    pub(crate) wanted: PathBuf,
}

/// Makes `plan` write under another name, where it is a COPY to one local file. (DataFusion takes a
/// name without an extension for a directory.)
pub(crate) fn redirect(plan: &mut LogicalPlan) -> Option<NewFile> {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let LogicalPlan::Copy(copy) = plan else { return None };
    let wanted = local_file(&copy.output_url)?;
    let name = wanted.file_name()?.to_str()?;
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let written = format!(".gleam-sql-{}-{number}-{name}", std::process::id());
    let written = wanted.with_file_name(written);
    copy.output_url = written.to_str()?.to_owned();
    Some(NewFile { written, wanted })
}

/// The regular file that `target` is, or would be.
fn local_file(target: &str) -> Option<PathBuf> {
    if target.contains("://") || target.ends_with('/') || !target.is_ascii() {
        return None;
    }
    let path = Path::new(target);
    path.extension()?;
    match path.canonicalize() {
        // What a link leads to is written, as it would be without us; a device is no file.
        Ok(path) => path.is_file().then_some(path),
        Err(_) => Some(path.to_owned()),
    }
}
