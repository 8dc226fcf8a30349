//! `gleam-sql config`: the value of each option and setting, and where it comes from.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};

use crate::args::{Settled, configurable};
use crate::config::{self, ConfigFile};
use crate::generated;
use crate::report::{self, Failure};

const DEFAULT: &str = "default";
/// Names of settings whose values are for nobody to see.
const SECRETS: [&str; 4] = ["secret", "password", "token", "credential"];

/// Prints the table; gives the exit status.
pub(crate) async fn run(settled: Settled) -> i32 {
    match rows(&settled).await {
        Ok(rows) => generated::print(table(&rows).as_bytes()),
        Err(failure) => {
            report::say(&failure.message);
            failure.status
        }
    }
}

/// Name, value, origin.
type Row = [String; 3];

async fn rows(settled: &Settled) -> Result<Vec<Row>, Failure> {
    let Settled { command, matches, file } = settled;
    // Settings are tried, so that what is shown is what a query would have.
    let mut session = gleam_sql_planner::Session::new(Default::default());
    crate::settings::apply(&mut session, file).await?;
    let path = config::user_path().map_or_else(String::new, |path| path.display().to_string());
    let found = if file.is_there() { "read" } else { "not there" };
    let mut rows = vec![["file".to_owned(), path, found.to_owned()]];
    let own = command.find_subcommand("config").unwrap_or(command);
    for (long, id) in configurable(own) {
        let argument = own.get_arguments().find(|argument| argument.get_id() == id.as_str());
        if let Some(argument) = argument {
            rows.push([format!("--{long}"), value(matches, &id), origin(argument, matches, file)]);
        }
    }
    for entry in &file.settings {
        let value = shown_value(&entry.name, &entry.value);
        rows.push([entry.name.clone(), value, file.origin(entry)]);
    }
    for entry in &file.variables {
        let value = shown_value(&entry.name, &entry.value);
        rows.push([format!(":{}", entry.name), value, file.origin(entry)]);
    }
    Ok(rows)
}

fn value(matches: &ArgMatches, id: &str) -> String {
    let raw = matches.try_get_raw(id).ok().flatten().into_iter().flatten();
    let texts: Vec<String> = raw.map(|value| value.to_string_lossy().into_owned()).collect();
    if texts.is_empty() { "-".to_owned() } else { report::visible(&texts.join(",")) }
}

fn origin(argument: &Arg, matches: &ArgMatches, file: &ConfigFile) -> String {
    let entry = argument.get_long().and_then(|long| file.option(long));
    match (matches.value_source(argument.get_id().as_str()), entry) {
        (Some(ValueSource::CommandLine), _) => "command line".to_owned(),
        (Some(ValueSource::EnvVariable), _) => {
            let name = argument.get_env().map(|name| name.to_string_lossy().into_owned());
            format!("environment {}", name.unwrap_or_default())
        }
        (Some(_), Some(entry)) => file.origin(entry),
        _ => DEFAULT.to_owned(),
    }
}

fn shown_value(name: &str, value: &str) -> String {
    let name = name.to_lowercase();
    match SECRETS.iter().any(|secret| name.contains(secret)) {
        true => "(not shown)".to_owned(),
        false => report::visible(value),
    }
}

fn table(rows: &[Row]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let (names, values) = (width(0).unwrap_or(0), width(1).unwrap_or(0));
    rows.iter()
        .map(|[name, value, origin]| format!("{name:names$}  {value:values$}  {origin}\n"))
        .collect()
}
