//! From the text of a configuration file to its entries.

use clap::Command;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{ConfigFile, Entry, failure_at};
use crate::args;
use crate::hint::nearest;
use crate::report::Failure;

const SETTINGS: &str = "settings";
const VARIABLES: &str = "variables";

type Key<'a> = Spanned<DeString<'a>>;
type Value<'a> = Spanned<DeValue<'a>>;

impl ConfigFile {
    /// What `text` says, which stands in the file `name`.
    ///
    /// # Errors
    /// When it is not TOML, has a key that is no option, or a value that its option does not take.
    pub(crate) fn parse(text: &str, name: &str) -> Result<Self, Failure> {
        let table = DeTable::parse(text).map_err(|error| {
            let place = error.span().unwrap_or(0..0);
            failure_at(text, name, &place, error.message(), None)
        })?;
        let mut file = Self { name: name.to_owned(), text: text.to_owned(), ..Self::default() };
        for (key, value) in table.get_ref() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                (SETTINGS, DeValue::Table(settings)) => {
                    file.settings = file.nested("", settings)?;
                }
                (VARIABLES, DeValue::Table(variables)) => {
                    file.variables = file.nested("", variables)?;
                }
                (SETTINGS | VARIABLES, _) => {
                    let message = format!("`{}` is a table: write [{0}]", key.get_ref());
                    return Err(failure_at(text, name, &key.span(), &message, None));
                }
                _ => {
                    let entry = file.entry(String::new(), key, value)?;
                    file.check_option(&entry)?;
                    file.options.push(entry);
                }
            }
        }
        file.check_variables()?;
        Ok(file)
    }

    /// The entries of a table and of those in it: `gleam.operator_timeout` is a table for TOML.
    fn nested(&self, prefix: &str, table: &DeTable<'_>) -> Result<Vec<Entry>, Failure> {
        let mut entries = Vec::new();
        for (key, value) in table {
            match value.get_ref() {
                DeValue::Table(inner) => {
                    let prefix = format!("{prefix}{}.", key.get_ref());
                    entries.extend(self.nested(&prefix, inner)?);
                }
                _ => entries.push(self.entry(prefix.to_owned(), key, value)?),
            }
        }
        Ok(entries)
    }

    fn entry(&self, prefix: String, key: &Key<'_>, value: &Value<'_>) -> Result<Entry, Failure> {
        let name = prefix + key.get_ref();
        match text_of(value.get_ref()) {
            Some(value) => Ok(Entry { name, value, place: key.span() }),
            None => {
                let message = format!("`{name}` wants a text, a number, true or false");
                Err(failure_at(&self.text, &self.name, &value.span(), &message, None))
            }
        }
    }

    /// An option may stand here, and takes this value.
    fn check_option(&self, entry: &Entry) -> Result<(), Failure> {
        let command = args::command();
        let options = args::configurable(&command);
        let known = || options.iter().map(|(long, _)| long.as_str());
        if !known().any(|long| long == entry.name) {
            let names = known().chain([SETTINGS, VARIABLES]);
            let hint = nearest(&entry.name, names).map_or_else(
                || "gleam-sql config lists the options".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            let message = format!("`{}` is no option of a configuration file", entry.name);
            return Err(self.failure(entry, &message, Some(hint)));
        }
        self.check_value(entry, command)
    }

    /// The value is tried on a command line of its own.
    fn check_value(&self, entry: &Entry, command: Command) -> Result<(), Failure> {
        let is_option = |argument: &&clap::Arg| argument.get_long() == Some(entry.name.as_str());
        let takes_value = command
            .get_arguments()
            .find(is_option)
            .is_some_and(|argument| argument.get_action().takes_values());
        if !takes_value {
            let is_boolean = matches!(entry.value.as_str(), "true" | "false");
            let message = format!("`{}` is true or false", entry.name);
            return if is_boolean { Ok(()) } else { Err(self.failure(entry, &message, None)) };
        }
        let argument = format!("--{}={}", entry.name, entry.value);
        let Err(error) = command.try_get_matches_from(["gleam-sql".to_owned(), argument]) else {
            return Ok(());
        };
        let told = error.render().to_string();
        let message = told.lines().next().unwrap_or_default().trim_start_matches("error: ");
        Err(self.failure(entry, message, None))
    }

    fn check_variables(&self) -> Result<(), Failure> {
        let mut variables = gleam_sql_parser::Variables::default();
        for entry in &self.variables {
            variables
                .set(&entry.name, &entry.value)
                .map_err(|error| self.failure(entry, &error.message, error.hint))?;
        }
        Ok(())
    }
}

/// A value as it would stand on the command line; those of a list between commas.
fn text_of(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(is_so) => Some(is_so.to_string()),
        DeValue::Array(values) => {
            let texts: Option<Vec<String>> =
                values.iter().map(|value| text_of(value.get_ref())).collect();
            texts.map(|texts| texts.join(","))
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn fails(text: &str, expected: &[&str]) {
        let message = ConfigFile::parse(text, "c.toml").unwrap_err().message;
        for fragment in expected {
            assert!(message.contains(fragment), "{text}\nlacks {fragment}\n{message}");
        }
    }

    #[test]
    fn entries() {
        let text = "format = 'json'\nagents = ['a:1', 'b:2']\nlocal-agents = 2\n\
                    [settings]\ngleam.operator_timeout = '5s'\n\"datafusion.execution.batch_size\" = 7\n\
                    [variables]\nday = '2026-01-31'\n";
        let file = ConfigFile::parse(text, "c.toml").unwrap();
        let option = |name| file.option(name).map(|entry| entry.value.as_str());
        assert_eq!(option("format"), Some("json"));
        assert_eq!(option("agents"), Some("a:1,b:2"));
        assert_eq!(option("local-agents"), Some("2"));
        assert_eq!(option("quiet"), None);
        let mut settings: Vec<(&str, &str)> =
            file.settings.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
        settings.sort_unstable();
        let expected = [("datafusion.execution.batch_size", "7"), ("gleam.operator_timeout", "5s")];
        assert_eq!(settings, expected);
        assert_eq!(file.origin(file.option("agents").unwrap()), "c.toml:2");
        assert_eq!(file.origin(&file.variables[0]), "c.toml:8");
    }

    #[test]
    fn mistakes_have_a_place() {
        fails("\nfromat = 'json'", &["`fromat` is no option", "c.toml:2:1", "^^^^^^", "`format`"]);
        fails("file = 'x.sql'", &["`file` is no option", "c.toml:1:1", "gleam-sql config"]);
        fails("format = 'xml'", &["invalid value 'xml'", "c.toml:1:1"]);
        fails("quiet = 3", &["`quiet` is true or false", "c.toml:1:1"]);
        fails("timeout = 'soon'", &["`soon` is not a duration", "c.toml:1:1"]);
        fails("settings = 1", &["write [settings]"]);
        fails("[variables]\n\"a b\" = 1", &["not the name of a variable", "c.toml:2:1"]);
        fails("quiet = 1979-05-27", &["wants a text", "c.toml:1:9"]);
        fails("quiet = ", &["c.toml:1:"]);
    }
}
