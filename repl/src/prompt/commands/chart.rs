//! `\chart [bar | line | hist]`

use crate::prompt::chart::{self, Kind, Series};
use crate::prompt::console::{Console, unshown};
use crate::prompt::limited::Rest;
use crate::report::{Failure, visible};

/// Where the terminal does not tell its size.
const USUAL_SIZE: (u16, u16) = (80, 24);
/// Lines that a chart leaves free: its title, its names, and the next prompt.
const LINES_BESIDE: u16 = 5;

/// Draws the last result.
pub(super) fn run(console: &mut Console, arguments: &str) -> Result<(), Failure> {
    let Some(kept) = &console.display.last else {
        return Err(Failure::usage("there is no result yet that could be drawn".to_owned()));
    };
    let series = Series::of(kept).map_err(|error| {
        let failure = Failure::usage(error.to_string());
        failure.with_hint("a chart draws a column of numbers, named by the first other column")
    })?;
    let kind = match arguments {
        "" => Kind::for_rows(series.rows()),
        name => Kind::of_name(name).ok_or_else(|| {
            let failure = Failure::usage(format!("there is no chart {}", visible(name)));
            failure.with_hint(&format!("charts are {}", Kind::NAMES.join(", ")))
        })?,
    };
    let size = terminal_size::terminal_size_of(std::io::stdout());
    let (width, height) = size.map_or(USUAL_SIZE, |(width, height)| (width.0, height.0));
    let height = height.saturating_sub(LINES_BESIDE);
    let drawn = chart::draw(kind, &series, width.into(), height.into());
    console.display.show_text(&drawn).map_err(unshown)?;
    if kept.rest != Rest::Nothing {
        let rows = series.rows();
        let note = format!("(of the {rows} rows that were shown; \\pset limit 0 shows all)\n");
        console.display.say(&note);
    }
    Ok(())
}
