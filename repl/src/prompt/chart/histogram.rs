//! How often values are in which range.

use super::Series;

const FEWEST_BINS: usize = 5;
const MOST_BINS: usize = 20;

/// Ranges of equal width over the values, and the number of rows in each. The last one has its end.
pub(super) fn bins(series: &Series) -> Vec<(String, Option<f64>)> {
    let values: Vec<f64> = series.points.iter().filter_map(|(_, value)| *value).collect();
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.is_empty() || least == most {
        let count = values.len() as f64;
        return vec![(
            values.first().map_or_else(|| "none".to_owned(), |&v| super::number(v)),
            Some(count),
        )];
    }
    let count = ((values.len() as f64).sqrt().ceil() as usize).clamp(FEWEST_BINS, MOST_BINS);
    let step = (most - least) / count as f64;
    let mut counts = vec![0_u64; count];
    for value in values {
        let bin = ((value - least) / step) as usize;
        counts[bin.min(count - 1)] += 1;
    }
    let start = |bin: usize| super::number(least + step * bin as f64);
    let range = |bin: usize| format!("{} … {}", start(bin), start(bin + 1));
    counts.iter().enumerate().map(|(bin, &count)| (range(bin), Some(count as f64))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_in_one_bin() {
        let check = |values: &[f64], expected: &[(&str, f64)]| {
            let points = values.iter().map(|&value| (String::new(), Some(value))).collect();
            let series = Series { value_name: "n".to_owned(), points };
            let bins = bins(&series);
            let bins: Vec<(&str, f64)> =
                bins.iter().map(|(name, count)| (name.as_str(), count.unwrap())).collect();
            assert_eq!(bins, expected);
        };
        check(
            &[0.0, 1.0, 2.0, 9.0, 10.0],
            &[("0 … 2", 2.0), ("2 … 4", 1.0), ("4 … 6", 0.0), ("6 … 8", 0.0), ("8 … 10", 2.0)],
        );
        check(&[7.0, 7.0], &[("7", 2.0)]);
        check(&[], &[("none", 0.0)]);
    }
}
