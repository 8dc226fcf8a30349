//! Charts of a result, drawn with characters.
//!
//! **Invariant:** nothing here reads a terminal or writes to it.

mod bars;
mod histogram;
mod line;
mod series;

pub(super) use series::Series;

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A bar for each row.
    Bar,
    /// A line over the rows in their order.
    Line,
    /// How often values are in which range.
    Histogram,
}

/// Rows from which on a line is easier to read than bars.
const MANY_ROWS: usize = 60;

impl Kind {
    /// The names of the kinds.
    pub(super) const NAMES: [&str; 3] = ["bar", "line", "hist"];

    pub(super) fn of_name(name: &str) -> Option<Self> {
        match name {
            "bar" => Some(Self::Bar),
            "line" => Some(Self::Line),
            "hist" => Some(Self::Histogram),
            _ => None,
        }
    }

    /// What suits a result.
    pub(super) fn for_rows(rows: usize) -> Self {
        if rows > MANY_ROWS { Self::Line } else { Self::Bar }
    }
}

/// A chart of at most this width and about this height, in columns and lines of a terminal. Bars take
/// as many lines as there are rows.
pub(super) fn draw(kind: Kind, series: &Series, width: usize, height: usize) -> String {
    match kind {
        Kind::Bar => bars::draw(&series.value_name, &series.points, width),
        Kind::Line => line::draw(series, width, height),
        Kind::Histogram => {
            let bins = histogram::bins(series);
            bars::draw(&format!("rows by {}", series.value_name), &bins, width)
        }
    }
}

/// A number for people: whole ones as they are, others with three places at the most.
fn number(value: f64) -> String {
    const WHOLE: f64 = 1e15;
    if value.abs() >= WHOLE || (value != 0.0 && value.abs() < 0.001) {
        return format!("{value:.3e}");
    }
    let shown = format!("{value:.3}");
    shown.trim_end_matches('0').trim_end_matches('.').to_owned()
}
