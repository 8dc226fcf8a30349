//! `\pset [format | null | limit | pager [VALUE]]`

use std::num::NonZeroUsize;

use clap::ValueEnum;

use crate::output::Format;
use crate::prompt::console::Console;
use crate::prompt::display::Display;
use crate::report::{Failure, visible};

/// What can be set.
pub(in crate::prompt) const NAMES: [&str; 4] = ["format", "null", "limit", "pager"];

/// Sets how results are shown, and tells how they are.
pub(super) fn run(console: &mut Console, arguments: &str) -> Result<(), Failure> {
    let display = &mut console.display;
    let (name, value) = arguments.split_once(char::is_whitespace).unwrap_or((arguments, ""));
    let value = value.trim();
    if !name.is_empty() && !NAMES.contains(&name) {
        let failure = Failure::usage(format!("\\pset knows no {}", visible(name)));
        return Err(match super::nearest(name, NAMES.into_iter()) {
            Some(near) => failure.with_hint(&format!("did you mean {near}?")),
            None => failure.with_hint("it knows format, null, limit and pager"),
        });
    }
    if !value.is_empty() {
        set(display, name, value)?;
    }
    let shown = NAMES.into_iter().filter(|known| name.is_empty() || *known == name);
    let lines: String = shown.map(|name| format!("{name:6} {}\n", get(display, name))).collect();
    display.say(&lines);
    Ok(())
}

fn set(display: &mut Display, name: &str, value: &str) -> Result<(), Failure> {
    match name {
        "format" => {
            display.format = Format::from_str(value, true).map_err(|_| {
                let failure = Failure::usage(format!("there is no format {}", visible(value)));
                failure.with_hint(&format!("formats are {}", formats().join(", ")))
            })?;
        }
        "null" => display.null = Some(super::path(&visible(value)).into()),
        "limit" => {
            let rows: usize = value.parse().map_err(|_| {
                let failure =
                    Failure::usage(format!("a limit is a number, not {}", visible(value)));
                failure.with_hint("0 is no limit")
            })?;
            display.limit = NonZeroUsize::new(rows);
        }
        _ => display.is_paged = super::switch(display.is_paged, value)?,
    }
    Ok(())
}

fn get(display: &Display, name: &str) -> String {
    match name {
        "format" => format_name(display.format),
        "null" => display.null.as_deref().unwrap_or(crate::output::visible::NULL).to_owned(),
        "limit" => display.limit.map_or_else(|| "none".to_owned(), |rows| format!("{rows} rows")),
        _ => if display.is_paged { "on" } else { "off" }.to_owned(),
    }
}

/// The names of the formats.
pub(in crate::prompt) fn formats() -> Vec<String> {
    Format::value_variants().iter().map(|format| format_name(*format)).collect()
}

fn format_name(format: Format) -> String {
    format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
