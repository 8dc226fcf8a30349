//! Settings of the operators, `SET gleam.…`.

use std::any::Any;
use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use thiserror::Error;

/// Settings that travel with a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GleamOptions {
    /// How long an operator's child may make no progress.
    pub operator_timeout: OperatorTimeout,
    /// Limit on the memory of the Lua functions of a child, in MiB.
    pub lua_memory_mib: usize,
    /// An agent gets no task for fewer bytes than these.
    pub min_task_bytes: usize,
}

/// The smallest limit on memory with which Lua itself can run, in MiB.
const MIN_LUA_MEMORY_MIB: usize = 16;

/// What one core reads in the time that it takes to bring a task to an agent.
const DEFAULT_MIN_TASK_BYTES: usize = 8 * 1024 * 1024;

impl Default for GleamOptions {
    fn default() -> Self {
        Self {
            operator_timeout: OperatorTimeout::default(),
            lua_memory_mib: 4096,
            min_task_bytes: DEFAULT_MIN_TASK_BYTES,
        }
    }
}

/// DataFusion's macro for this would list the settings without `gleam.`, so that SHOW could not find
/// them.
impl ExtensionOptions for GleamOptions {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), DataFusionError> {
        match key {
            "operator_timeout" => self.operator_timeout = value.parse().map_err(external)?,
            "lua_memory_mib" => {
                let mebibytes = value.parse().map_err(external)?;
                if mebibytes < MIN_LUA_MEMORY_MIB {
                    let message =
                        format!("gleam.lua_memory_mib is {MIN_LUA_MEMORY_MIB} at the least");
                    return Err(DataFusionError::Configuration(message));
                }
                self.lua_memory_mib = mebibytes;
            }
            "min_task_bytes" => {
                let bytes: NonZeroUsize = value.parse().map_err(external)?;
                self.min_task_bytes = bytes.get();
            }
            _ => {
                let message = format!(
                    "there is no setting `gleam.{key}`, only gleam.operator_timeout, \
                     gleam.lua_memory_mib and gleam.min_task_bytes"
                );
                return Err(DataFusionError::Configuration(message));
            }
        }
        Ok(())
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        let entry = |key: &str, value: String, description: &'static str| ConfigEntry {
            key: format!("{}.{key}", Self::PREFIX),
            value: Some(value),
            description,
        };
        vec![
            entry(
                "operator_timeout",
                self.operator_timeout.to_string(),
                "How long an operator's child may make no progress, such as 60s, 500ms, 10m; 0 is no limit",
            ),
            entry(
                "lua_memory_mib",
                self.lua_memory_mib.to_string(),
                "Limit on the memory of the Lua functions of a child, in MiB",
            ),
            entry(
                "min_task_bytes",
                self.min_task_bytes.to_string(),
                "Input of fewer bytes than this is no task for an agent of its own",
            ),
        ]
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl ConfigExtension for GleamOptions {
    const PREFIX: &'static str = "gleam";
}

impl GleamOptions {
    /// The settings of a task.
    pub fn of(context: &TaskContext) -> Self {
        context.session_config().options().extensions.get::<Self>().cloned().unwrap_or_default()
    }
}

/// A limit on the time without progress; zero is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OperatorTimeout(pub Duration);

impl Default for OperatorTimeout {
    fn default() -> Self {
        Self(Duration::from_secs(60))
    }
}

impl fmt::Display for OperatorTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = self.0.as_millis();
        match milliseconds {
            0 => f.write_str("0"),
            whole if whole % 60_000 == 0 => write!(f, "{}m", whole / 60_000),
            whole if whole % 1000 == 0 => write!(f, "{}s", whole / 1000),
            whole => write!(f, "{whole}ms"),
        }
    }
}

impl FromStr for OperatorTimeout {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        let invalid = || InvalidDuration(text.to_owned());
        let text = text.trim();
        let unit_at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(unit_at);
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let seconds = match unit.trim() {
            "ms" => number / 1000.0,
            "s" => number,
            "m" | "min" => number * 60.0,
            "h" => number * 3600.0,
            "" if number == 0.0 => 0.0,
            _ => return Err(invalid()),
        };
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|_| invalid())
    }
}

/// A text that is no duration.
#[derive(Debug, Error)]
#[error("`{0}` is not a duration such as 60s, 500ms, 10m, or 0 for none")]
pub struct InvalidDuration(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations() {
        let check = |text: &str, milliseconds: Option<u64>| {
            let read = text.parse::<OperatorTimeout>().ok().map(|timeout| timeout.0);
            assert_eq!(read, milliseconds.map(Duration::from_millis), "{text}");
        };
        check("60s", Some(60_000));
        check(" 1.5 m", Some(90_000));
        check("250ms", Some(250));
        check("0", Some(0));
        check("60", None);
        check("-1s", None);
        check("1e400s", None);
        check("soon", None);
        check("", None);
    }
}
