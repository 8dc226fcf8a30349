//! The settings of the configuration file.

use gleam_sql_parser::{Diagnostic, Statement, parse_script};
use gleam_sql_planner::Session;

use crate::config::{ConfigFile, Entry};
use crate::hint::nearest;
use crate::report::Failure;

/// Sets what the file says, as SET would.
///
/// # Errors
/// When there is no such setting, or not with such a value.
pub(crate) async fn apply(session: &mut Session, file: &ConfigFile) -> Result<(), Failure> {
    for entry in &file.settings {
        let set = match statement(entry) {
            Ok((statement, text)) => session.plan(&statement, &text).await.map(drop),
            Err(error) => Err(error),
        };
        if let Err(error) = set {
            let hint = near(session, &entry.name).or(error.hint);
            return Err(file.failure(entry, &error.message, hint));
        }
    }
    Ok(())
}

fn statement(entry: &Entry) -> Result<(Statement, String), Diagnostic> {
    let text = format!("SET {} = '{}'", entry.name, entry.value.replace('\'', "''"));
    let no_name = || Diagnostic::new(format!("`{}` is no setting", entry.name));
    let mut statements = parse_script(&text);
    let statement = statements.next().ok_or_else(no_name)?.map_err(|_| no_name())?;
    if statements.next().is_some() {
        return Err(no_name());
    }
    drop(statements);
    Ok((statement, text))
}

/// The name that is meant, where there is none of this name.
fn near(session: &Session, name: &str) -> Option<String> {
    let state = session.context().state();
    let entries = state.config_options().entries();
    let names: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    if names.contains(&name) {
        return None;
    }
    nearest(name, names).map(|near| format!("did you mean `{near}`?"))
}
