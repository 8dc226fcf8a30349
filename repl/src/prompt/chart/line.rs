//! A line over the rows in their order, in dots of Braille: two across and four down a character.

use crate::output::visible::{shorten, width};

use super::Series;

/// Lines of text that a chart has at the most.
const TALLEST: usize = 20;
/// Names below the line are not wider than this.
const WIDEST_NAME: usize = 24;
/// The bits of the dots of a character, by column and by row.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

struct Canvas {
    columns: usize,
    cells: Vec<Vec<u8>>,
}

/// Draws the values between their least and their most; gaps are where a value is missing.
pub(super) fn draw(series: &Series, width_limit: usize, height_limit: usize) -> String {
    let values = || series.points.iter().filter_map(|(_, value)| *value);
    let least = values().fold(f64::INFINITY, f64::min).min(0.0);
    let most = values().fold(f64::NEG_INFINITY, f64::max).max(least);
    let (top, bottom) = (super::number(most), super::number(least));
    let axis = width(&top).max(width(&bottom));
    let columns = width_limit.saturating_sub(axis + 3).max(2);
    let lines = height_limit.clamp(4, TALLEST);
    let mut canvas = Canvas { columns, cells: vec![vec![0; columns]; lines] };
    canvas.plot(&series.points, least, most);
    let mut chart = format!("{}\n", series.value_name);
    for (at, cells) in canvas.cells.iter().enumerate() {
        let label = match at {
            0 => &top,
            at if at + 1 == lines => &bottom,
            _ => "",
        };
        let dots: String = cells.iter().map(|bits| braille(*bits)).collect();
        chart.push_str(&format!("{label:>axis$} ┤{}\n", dots.trim_end()));
    }
    chart.push_str(&names(series, axis + 2, columns));
    chart
}

/// What the first and the last row are called.
fn names(series: &Series, indent: usize, columns: usize) -> String {
    let name = |point: Option<&(String, Option<f64>)>| {
        point.map(|(name, _)| shorten(name, WIDEST_NAME).into_owned()).unwrap_or_default()
    };
    let (first, last) = (name(series.points.first()), name(series.points.last()));
    let between = columns.saturating_sub(width(&first) + width(&last)).max(1);
    format!("{:indent$}{first}{:between$}{last}\n", "", "")
}

impl Canvas {
    fn plot(&mut self, points: &[(String, Option<f64>)], least: f64, most: f64) {
        let (right, bottom) = (self.columns * 2 - 1, self.cells.len() * 4 - 1);
        let span = if most > least { most - least } else { 1.0 };
        let place = |index: usize, value: f64| {
            let across = index as f64 / points.len().saturating_sub(1).max(1) as f64;
            let down = (most - value) / span;
            ((across * right as f64).round() as i64, (down * bottom as f64).round() as i64)
        };
        let mut before = None;
        for (index, (_, value)) in points.iter().enumerate() {
            let here = value.map(|value| place(index, value));
            if let Some(here) = here {
                self.segment(before.unwrap_or(here), here);
            }
            before = here;
        }
    }

    /// Bresenham's line, with both ends.
    fn segment(&mut self, from: (i64, i64), to: (i64, i64)) {
        let (mut x, mut y) = from;
        let (dx, dy) = ((to.0 - x).abs(), -(to.1 - y).abs());
        let (step_x, step_y) = ((to.0 - x).signum(), (to.1 - y).signum());
        let mut error = dx + dy;
        loop {
            self.dot(x, y);
            if (x, y) == to {
                return;
            }
            let doubled = 2 * error;
            if doubled >= dy {
                error += dy;
                x += step_x;
            }
            if doubled <= dx {
                error += dx;
                y += step_y;
            }
        }
    }

    fn dot(&mut self, x: i64, y: i64) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        if let Some(cell) = self.cells.get_mut(y / 4).and_then(|line| line.get_mut(x / 2)) {
            *cell |= DOTS[x % 2][y % 4];
        }
    }
}

/// A blank where there is no dot: not every font has the empty character.
fn braille(bits: u8) -> char {
    if bits == 0 {
        return ' ';
    }
    char::from_u32(0x2800 + u32::from(bits)).unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_from_corner_to_corner() {
        let points = (0..8).map(|n| (format!("row {n}"), Some(f64::from(n)))).collect();
        let series = Series { value_name: "n".to_owned(), points };
        let expected = "n\n\
                        7 ┤      ⡠⠊\n\
                        \x20 ┤    ⡠⠊\n\
                        \x20 ┤  ⡠⠊\n\
                        0 ┤⡠⠊\n\
                        \x20  row 0 row 7\n";
        assert_eq!(draw(&series, 12, 4), expected);
    }

    #[test]
    fn gaps_and_single_values_are_drawn() {
        for points in [vec![Some(3.0)], vec![None, Some(1.0), None, Some(2.0)], vec![None], vec![]]
        {
            let points = points.into_iter().map(|value| (String::new(), value)).collect();
            let drawn = draw(&Series { value_name: String::new(), points }, 20, 5);
            assert_eq!(drawn.lines().count(), 7, "{drawn}");
        }
    }
}
