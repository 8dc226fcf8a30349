//! The settings of a session as text that travels with its queries.

use datafusion::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use url::form_urlencoded;

use crate::options::GleamOptions;

/// The header of a call that brings a task to an agent, in which its settings stand.
pub const SETTINGS_HEADER: &str = "gleam-settings";

/// The settings that differ from their defaults, as an URL would write them: only ASCII. Those of tables
/// and files are in the plan.
pub fn encode(options: &ConfigOptions) -> String {
    let defaults = entries(&ConfigOptions::default(), &GleamOptions::default());
    let gleam = options.extensions.get::<GleamOptions>().cloned().unwrap_or_default();
    let changed = entries(options, &gleam).into_iter().filter(|entry| !defaults.contains(entry));
    form_urlencoded::Serializer::new(String::new()).extend_pairs(changed).finish()
}

/// Sets what [`encode`] wrote.
///
/// # Errors
/// When there is no such setting, or not with such a value.
pub fn apply(options: &mut ConfigOptions, encoded: &str) -> Result<()> {
    if options.extensions.get::<GleamOptions>().is_none() {
        options.extensions.insert(GleamOptions::default());
    }
    for (key, value) in form_urlencoded::parse(encoded.as_bytes()) {
        let set = options.set(&key, &value);
        set.map_err(|error| DataFusionError::Configuration(format!("setting {key}: {error}")))?;
    }
    Ok(())
}

fn entries(options: &ConfigOptions, gleam: &GleamOptions) -> Vec<(String, String)> {
    use datafusion::common::config::ExtensionOptions;
    let own = options.entries().into_iter().filter(|entry| entry.key.starts_with("datafusion."));
    let all = own.chain(gleam.entries());
    all.filter_map(|entry| Some((entry.key, entry.value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_changed_travels() {
        let mut options = ConfigOptions::default();
        assert_eq!(encode(&options), "");
        options.extensions.insert(GleamOptions::default());
        options.set("gleam.operator_timeout", "5s").unwrap();
        options.set("datafusion.execution.batch_size", "3").unwrap();
        options.set("datafusion.catalog.default_schema", "ä&=\n").unwrap();
        let encoded = encode(&options);
        assert!(encoded.is_ascii(), "{encoded}");
        let mut again = ConfigOptions::default();
        apply(&mut again, &encoded).unwrap();
        assert_eq!(again.execution.batch_size.get(), 3);
        assert_eq!(again.catalog.default_schema, "ä&=\n");
        assert_eq!(encode(&again), encoded);
    }

    #[test]
    fn what_is_no_setting_is_an_error() {
        let error = apply(&mut ConfigOptions::default(), "gleam.nothing=1").unwrap_err();
        assert!(error.to_string().contains("gleam.nothing"), "{error}");
    }
}
