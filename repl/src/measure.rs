//! What a query has read and how long it took, in numbers for people.

use std::sync::Arc;
use std::time::Duration;

use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use gleam_sql_executor::text::{BYTES_SCANNED, StdinExec, TextSource};

/// What the scans of a plan have read so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// Bytes as they are stored, where the scans count them.
    pub(crate) bytes: u64,
    /// All bytes that there are to read; `None` where a scan does not know, or skips some.
    pub(crate) total_bytes: Option<u64>,
    /// Rows that the scans have given.
    pub(crate) rows: u64,
}

impl Scanned {
    /// Of a plan that runs, or has run.
    pub(crate) fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut scanned = Self { total_bytes: Some(0), ..Self::default() };
        scanned.add(plan);
        scanned.total_bytes = scanned.total_bytes.filter(|total| *total > 0);
        scanned
    }

    fn add(&mut self, plan: &Arc<dyn ExecutionPlan>) {
        let children = plan.children();
        if children.is_empty() {
            let metrics = plan.metrics();
            let bytes = metrics.as_ref().and_then(|metrics| metrics.sum_by_name(BYTES_SCANNED));
            let rows = metrics.and_then(|metrics| metrics.output_rows());
            self.bytes += bytes.map_or(0, |bytes| bytes.as_usize() as u64);
            self.rows += rows.unwrap_or(0) as u64;
            self.add_total(plan);
        }
        children.into_iter().for_each(|child| self.add(child));
    }

    fn add_total(&mut self, leaf: &Arc<dyn ExecutionPlan>) {
        let Some(scan) = leaf.downcast_ref::<DataSourceExec>() else {
            if leaf.is::<StdinExec>() {
                self.total_bytes = None;
            }
            return;
        };
        // Values are there without a file.
        let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>() else { return };
        // Formats with columns skip what a query does not use.
        let is_text = config.file_source().is::<TextSource>();
        let files = config.file_groups.iter().flat_map(|group| group.iter());
        let bytes = files.map(|file| match &file.range {
            Some(range) => u64::try_from(range.end - range.start).unwrap_or(0),
            None => file.object_meta.size,
        });
        let bytes: u64 = bytes.sum();
        self.total_bytes = self.total_bytes.filter(|_| is_text).map(|total| total + bytes);
    }
}

/// `(3 rows, 0.12 s, 1.2 MiB scanned)`: the last line of a query.
pub(crate) fn last_line(rows: u64, time: Duration, scanned_bytes: u64) -> String {
    let noun = if rows == 1 { "row" } else { "rows" };
    format!("({} {noun}, {}{})\n", grouped(rows), duration(time), scanned(scanned_bytes))
}

/// `, 1.2 MiB scanned`: the end of the last line; nothing where no file was read.
pub(crate) fn scanned(count: u64) -> String {
    match count {
        0 => String::new(),
        count => format!(", {} scanned", bytes(count)),
    }
}

/// A number of bytes in the unit that suits it.
pub(crate) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{count} B"),
        _ => format!("{value:.1} {}", UNITS[unit]),
    }
}

/// A time with the digits that matter.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match time.as_secs() {
        0 if time.as_millis() < 100 => format!("{:.1} ms", seconds * 1000.0),
        0..10 => format!("{seconds:.2} s"),
        10..60 => format!("{seconds:.1} s"),
        whole @ 60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

/// A number with a comma between thousands.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() * 4 / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_numbers_for_people() {
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(3 << 40), "3.0 TiB");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        let check = |milliseconds, expected: &str| {
            assert_eq!(duration(Duration::from_millis(milliseconds)), expected);
        };
        check(0, "0.0 ms");
        check(12, "12.0 ms");
        check(1234, "1.23 s");
        check(12_345, "12.3 s");
        check(61_000, "1 min 1 s");
        check(3_660_000, "1 h 1 min");
    }

    #[test]
    fn the_last_line() {
        let time = Duration::from_millis(120);
        assert_eq!(last_line(1, time, 0), "(1 row, 0.12 s)\n");
        assert_eq!(last_line(1200, time, 2048), "(1,200 rows, 0.12 s, 2.0 KiB scanned)\n");
    }
}
