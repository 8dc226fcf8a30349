//! How results are shown, and what is told below them.

use std::fs::File;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::execute_stream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;
use gleam_sql_parser::Statement;
use gleam_sql_planner::{Planned, with_metrics};

use crate::attempt::{Reader, Shown};
use crate::measure::{self, Scanned};
use crate::output::{self, Format, OutputError, OutputOptions};
use crate::progress::Progress;
use crate::{explain, paint, report};

use super::limited::{self, Kept, Rest};
use super::pager::PagedOut;

/// Rows that are shown where nothing else is said.
const DEFAULT_LIMIT: NonZeroUsize = NonZeroUsize::new(40).expect("40 is not 0");

/// What the user has chosen, and the last result.
pub(super) struct Display {
    pub(super) format: Format,
    /// How NULL looks; `None` for the usual mark.
    pub(super) null: Option<Arc<str>>,
    /// Rows that are shown of a query; `None` for all.
    pub(super) limit: Option<NonZeroUsize>,
    /// Tables are shown record by record.
    pub(super) is_expanded: bool,
    pub(super) tells_time: bool,
    pub(super) is_paged: bool,
    /// Where results go instead of the terminal.
    pub(super) file: Option<(PathBuf, File)>,
    pub(super) has_colours: bool,
    pub(super) last: Option<Kept>,
}

/// What has been written of a result.
struct Written {
    count: u64,
    /// How long a person read what was there.
    reading: Duration,
}

/// What is told of a result.
struct Told {
    count: u64,
    time: Duration,
    rest: Rest,
    scanned_bytes: u64,
}

impl Display {
    pub(super) fn new(format: Option<Format>, has_colours: bool) -> Self {
        Self {
            format: format.unwrap_or(Format::Table),
            null: None,
            limit: Some(DEFAULT_LIMIT),
            is_expanded: false,
            tells_time: true,
            is_paged: true,
            file: None,
            has_colours,
            last: None,
        }
    }

    /// Says something on the terminal, beside the rows.
    pub(super) fn say(&self, message: &str) {
        report::say(&paint::message(message, self.has_colours));
    }

    /// Shows text of ours that may be longer than the screen.
    pub(super) fn show_text(&self, text: &str) -> Result<(), OutputError> {
        let mut out = PagedOut::new(self.is_paged);
        let written = out.write_all(text.as_bytes());
        written.and_then(|()| out.finish().map(drop)).map_err(OutputError::from_io)
    }

    /// Shows rows that are there, all of them; they are not the last result.
    pub(super) async fn show_batch(&mut self, batch: RecordBatch) -> Result<(), OutputError> {
        let schema = batch.schema();
        let rows = stream::iter([Ok(batch)]);
        let rows = Box::pin(RecordBatchStreamAdapter::new(schema, rows));
        self.write(rows, false, &Progress::none()).await.map(drop)
    }

    async fn write(
        &mut self,
        rows: SendableRecordBatchStream,
        is_plan: bool,
        progress: &Progress,
    ) -> Result<Written, OutputError> {
        let format = self.shown_format();
        let null = self.null.clone();
        if let Some((_, file)) = &mut self.file {
            let options = OutputOptions { null, ..OutputOptions::default() };
            let count = match is_plan {
                true => explain::write_plans(rows, file).await,
                false => output::write_stream(rows, format, file, options).await,
            };
            return Ok(Written { count: count?, reading: Duration::ZERO });
        }
        let options = OutputOptions { null, ..OutputOptions::for_stdout() };
        let mut out = PagedOut::new(self.is_paged);
        let clearing = progress.clear_before(&mut out, true);
        let count = if is_plan {
            explain::write_plans(rows, clearing).await
        } else {
            output::write_stream(rows, format, clearing, options).await
        };
        let finished = out.finish().map_err(OutputError::from_io);
        let count = count?;
        finished.map(|reading| Written { count, reading })
    }

    fn shown_format(&self) -> Format {
        match self.format {
            // Bytes for programs do not go to a terminal.
            format if format.is_binary() && self.file.is_none() => Format::Table,
            Format::Table if self.is_expanded => Format::Vertical,
            format => format,
        }
    }

    /// Whether rows are read by a person, who sees the first ones.
    fn is_for_reading(&self) -> bool {
        self.file.is_none()
    }

    fn tell(&self, told: &Told) {
        let Told { count, time, rest, scanned_bytes } = told;
        match rest {
            Rest::Nothing => {}
            Rest::Rows(1) => self.say("… 1 more row\n"),
            Rest::Rows(more) => self.say(&format!("… {more} more rows\n")),
            Rest::Unknown => self.say("… more rows; \\pset limit 0 shows all\n"),
        }
        let rows = if *count == 1 { "row" } else { "rows" };
        let cut = if *rest == Rest::Nothing { "" } else { " shown" };
        let time =
            if self.tells_time { format!(", {}", measure::duration(*time)) } else { String::new() };
        let scanned = measure::scanned(*scanned_bytes);
        self.say(&format!("({count} {rows}{cut}{time}{scanned})\n"));
    }

    fn tell_done(&self, time: Duration) {
        let time =
            if self.tells_time { format!(" ({})", measure::duration(time)) } else { String::new() };
        self.say(&format!("done{time}\n"));
    }
}

impl Reader for Display {
    async fn execute(
        &mut self,
        planned: &Planned,
        statement: &Statement,
        shown: &Shown,
    ) -> Result<(), OutputError> {
        let started = Instant::now();
        let progress = Progress::start(&planned.plan);
        let rows = execute_stream(planned.plan.clone(), planned.context.clone())?;
        let rows = shown.watch(rows);
        let has_columns = !rows.schema().fields().is_empty();
        let is_text = matches!(self.format, Format::Table | Format::Vertical);
        let is_plan = is_text && explain::is_explain(&statement.body);
        let limit = self.limit.filter(|_| self.is_for_reading() && !is_plan);
        let limited = limited::limit(rows, limit.map(NonZeroUsize::get));
        let written = self.write(limited.rows, is_plan, &progress).await;
        drop(progress);
        let Written { count, reading } = match written {
            // The user has left the pager, and what follows in the entry still runs.
            Err(OutputError::ReaderClosed) => return Ok(()),
            written => written?,
        };
        let kept = limited.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (time, rest) = (started.elapsed().saturating_sub(reading), kept.rest);
        // Agents tell what they have counted when a task ends, which one that is not read to its end
        // may not do.
        let plan = match rest {
            Rest::Nothing => with_metrics(&planned.plan).await,
            Rest::Rows(_) | Rest::Unknown => Arc::clone(&planned.plan),
        };
        match (has_columns, is_plan) {
            (false, _) => self.tell_done(time),
            (true, true) => {}
            (true, false) => {
                self.last = Some(kept);
                let scanned_bytes = Scanned::of(&plan).bytes;
                self.tell(&Told { count, time, rest, scanned_bytes });
            }
        }
        for warning in report::warnings(&plan) {
            self.say(&format!("{warning}\n"));
        }
        Ok(())
    }
}
