//! A bar for each row, to the right of its name.

use crate::output::visible::{NULL, shorten, width};

/// Bars that are drawn; a person reads no more.
const MOST_BARS: usize = 200;
/// Names are not wider than this.
const WIDEST_NAME: usize = 40;
/// Eighths of a block.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Draws bars from zero; those of negative values are shaded.
pub(super) fn draw(title: &str, points: &[(String, Option<f64>)], columns: usize) -> String {
    let shown = &points[..points.len().min(MOST_BARS)];
    let name_width = shown.iter().map(|(name, _)| width(name)).max().unwrap_or(0).min(WIDEST_NAME);
    let numbers: Vec<String> = shown
        .iter()
        .map(|(_, value)| value.map_or_else(|| NULL.to_owned(), super::number))
        .collect();
    let number_width = numbers.iter().map(|number| width(number)).max().unwrap_or(0);
    let room = columns.saturating_sub(name_width + number_width + 4).max(1);
    let most = shown.iter().filter_map(|(_, value)| *value).map(f64::abs).fold(0.0, f64::max);
    let mut chart = format!("{title}\n");
    for ((name, value), number) in shown.iter().zip(&numbers) {
        let name = shorten(name, name_width);
        let padding = " ".repeat(name_width.saturating_sub(width(&name)));
        let bar = value.map(|value| bar(value, most, room)).unwrap_or_default();
        chart.push_str(&format!("{name}{padding} │{bar} {number}\n"));
    }
    if points.len() > shown.len() {
        chart.push_str(&format!("… {} more\n", points.len() - shown.len()));
    }
    chart
}

fn bar(value: f64, most: f64, room: usize) -> String {
    if most == 0.0 {
        return String::new();
    }
    let eighths = (value.abs() / most * (room * 8) as f64).round() as usize;
    let eighths = if value == 0.0 { 0 } else { eighths.clamp(1, room * 8) };
    if value < 0.0 {
        return "░".repeat(eighths.div_ceil(8));
    }
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion() {
        let points = [
            ("one".to_owned(), Some(1.0)),
            ("日本".to_owned(), Some(2.0)),
            ("none".to_owned(), None),
            ("zero".to_owned(), Some(0.0)),
            ("less".to_owned(), Some(-1.0)),
            ("tiny".to_owned(), Some(0.001)),
        ];
        let expected = "n\n\
                        one  │███▌ 1\n\
                        日本 │███████ 2\n\
                        none │ ∅\n\
                        zero │ 0\n\
                        less │░░░░ -1\n\
                        tiny │▏ 0.001\n";
        assert_eq!(draw("n", &points, 20), expected);
    }
}
