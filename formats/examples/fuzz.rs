//! Runs every format over lines that look like its own, and over what becomes of them at random.
//!
//! `cargo run --release -p gleam-sql-formats --example fuzz -- SECONDS [FORMAT [SEED]]`: so many
//! seconds for each format, or for those whose name holds the word. A line for each of them: lines
//! parsed, how many matched, and batches whose columns were validated in full. Ends with status 1 and
//! the lines at hand when a format panics or its columns are not sound.

#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "fuzz/samples.rs"]
mod samples;

use std::error::Error;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use arrow_array::{Array, StringViewArray};
use gleam_sql_formats::{LineParser, Parsed};
use mutate::Random;
use samples::Subject;

const BATCH_ROWS: usize = 256;
/// Every so many batches are validated in full and compared with all columns wanted.
const BATCHES_PER_VALIDATION: u64 = 16;

#[derive(Default)]
struct Counts {
    lines: u64,
    failed: u64,
    batches: u64,
    validated: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let seconds = words.next().ok_or("say for how many seconds each format runs")?.parse()?;
    let filter = words.next().unwrap_or_default().to_uppercase();
    let seed = words.next().map_or(Ok(1), |word| word.parse())?;
    let mut output = std::io::stdout();
    for subject in samples::all().into_iter().filter(|subject| subject.name.contains(&filter)) {
        let counts = run(&subject, Duration::from_secs(seconds), seed)?;
        writeln!(
            output,
            "{:<12} {:>12} lines, {} matched, {} of {} batches validated",
            subject.name,
            counts.lines,
            counts.lines - counts.failed,
            counts.validated,
            counts.batches,
        )?;
    }
    Ok(())
}

fn run(subject: &Subject, time: Duration, seed: u64) -> Result<Counts, Box<dyn Error>> {
    let parser = LineParser::try_new(&subject.format, &subject.columns)?;
    let mut random = Random::new(seed);
    let mut counts = Counts::default();
    let end = Instant::now() + time;
    while Instant::now() < end {
        let lines: Vec<Option<String>> = (0..BATCH_ROWS)
            .map(|_| (random.below(64) > 0).then(|| mutate::line(&subject.samples, &mut random)))
            .collect();
        let batch: StringViewArray = lines.iter().map(Option::as_deref).collect();
        let validates = counts.batches.is_multiple_of(BATCHES_PER_VALIDATION);
        let subset = random.next();
        let tried = catch_unwind(AssertUnwindSafe(|| {
            check(&parser, &batch, subject.columns.len(), subset, validates)
        }));
        let Ok(Ok(failed)) = tried else {
            let end = tried.err().map_or("unsound columns", |_| "a panic");
            return Err(format!("{}: {end} in these lines: {lines:#?}", subject.name).into());
        };
        counts.failed += failed as u64;
        counts.lines += BATCH_ROWS as u64;
        counts.batches += 1;
        counts.validated += u64::from(validates);
    }
    Ok(counts)
}

/// Parses the lines with some columns wanted, and gives how many failed.
fn check(
    parser: &LineParser,
    lines: &StringViewArray,
    columns: usize,
    subset: u64,
    validates: bool,
) -> Result<usize, Box<dyn Error>> {
    let wanted: Vec<usize> =
        (0..columns).filter(|slot| subset.rotate_right(*slot as u32) & 1 == 1).collect();
    let parsed = parser.parse(lines, &wanted, 3)?;
    if validates {
        validate(&parsed, lines.len())?;
        let all: Vec<usize> = (0..columns).collect();
        let whole = parser.parse(lines, &all, 3)?;
        validate(&whole, lines.len())?;
        let is_same = wanted
            .iter()
            .zip(&parsed.columns)
            .all(|(slot, column)| whole.columns[*slot].to_data() == column.to_data());
        if !is_same || parsed.failures != whole.failures {
            return Err("other columns change the result".into());
        }
    }
    Ok(parsed.failures.rows.len())
}

fn validate(parsed: &Parsed, rows: usize) -> Result<(), Box<dyn Error>> {
    for column in &parsed.columns {
        column.to_data().validate_full()?;
        if column.len() != rows {
            return Err("a column has another length than the lines".into());
        }
    }
    Ok(())
}
