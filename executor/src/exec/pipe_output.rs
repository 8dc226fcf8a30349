//! The rows that a program wrote, under ON ERROR.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringViewArray};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::physical_plan::metrics::Count;

use super::pipe_spec::PipeSpec;
use super::row_errors::SHOWN_ROW_ERRORS;
use crate::error::OperatorFault;
use crate::operator::OnError;
use crate::wire::{
    BadRecord, FieldReader, Fields, Records, Typed, WireFormat, clipped, type_name, typed,
};

/// How to get from `uniq -c` and the like to fields.
const TABS_HINT: &str = "the fields of RAW and TSV are separated by tabs; make them with \
     awk -v OFS='\\t' '{ print $1, $2 }', or after `uniq -c` with sed -E 's/^ *([0-9]+) /\\1\\t/'";

/// Reads the output of one child.
#[derive(Debug)]
pub(super) struct OutputReader {
    fields: FieldReader,
    schema: SchemaRef,
    format: WireFormat,
    on_error: OnError,
    invalid_utf8: Count,
    /// Records before the next.
    records: usize,
}

/// Rows of the output.
#[derive(Debug)]
pub(super) struct OutputRows {
    pub batch: RecordBatch,
    /// The records that were read for them.
    pub records: usize,
    /// Those that were dropped, or have a NULL for what did not fit.
    pub errors: usize,
    /// What is wrong with the first few of these.
    pub reasons: Vec<String>,
}

impl OutputReader {
    /// Counts records that are not UTF-8 in `invalid_utf8`.
    pub(super) fn new(spec: &PipeSpec, schema: &SchemaRef, invalid_utf8: Count) -> Self {
        let names = schema.fields().iter().map(|field| field.name().as_str());
        Self {
            fields: FieldReader::new(spec.output_format, names),
            schema: Arc::clone(schema),
            format: spec.output_format,
            on_error: spec.on_error,
            invalid_utf8,
            records: 0,
        }
    }

    /// The rows of the next `records`.
    ///
    /// # Errors
    /// The first record that does not fit, with ON ERROR FAIL.
    pub(super) fn read(&mut self, records: &Records) -> Result<OutputRows, OperatorFault> {
        let Fields { columns, bad, invalid_utf8 } = self.fields.read(records);
        self.invalid_utf8.add(invalid_utf8);
        let mut misfits: BTreeMap<usize, Misfit> =
            bad.iter().map(|bad| (bad.row, Misfit::Record(bad))).collect();
        let mut values: Vec<ArrayRef> = Vec::with_capacity(columns.len());
        for (column, (text, field)) in columns.iter().zip(self.schema.fields()).enumerate() {
            let Typed { values: of_column, misfits: rows } = typed(text, field.data_type())
                .map_err(|error| OperatorFault::Output(error.to_string()))?;
            values.push(of_column);
            for row in rows {
                misfits.entry(row).or_insert(Misfit::Value { column, text: &columns[column] });
            }
        }
        if let (OnError::Fail, Some((row, misfit))) = (self.on_error, misfits.first_key_value()) {
            let reason = self.reason(*row, misfit);
            return Err(OperatorFault::OutputRow { reason, hint: self.hint(misfit) });
        }
        let shown = misfits.iter().take(SHOWN_ROW_ERRORS);
        let reasons = shown.map(|(row, misfit)| self.reason(*row, misfit)).collect();
        let broken = |error| OperatorFault::Output(format!("its output makes no rows: {error}"));
        let mut batch = RecordBatch::try_new(Arc::clone(&self.schema), values).map_err(broken)?;
        if self.on_error == OnError::Skip && !misfits.is_empty() {
            let is_kept: BooleanArray =
                (0..batch.num_rows()).map(|row| Some(!misfits.contains_key(&row))).collect();
            batch = filter_record_batch(&batch, &is_kept).map_err(broken)?;
        }
        self.records += records.rows();
        Ok(OutputRows { batch, records: records.rows(), errors: misfits.len(), reasons })
    }

    fn reason(&self, row: usize, misfit: &Misfit<'_>) -> String {
        let record = self.format.record_name();
        let number = self.records + row + 1;
        match misfit {
            Misfit::Record(bad) => format!("output {record} {number}: {}", bad.reason),
            Misfit::Value { column, text } => {
                let field = self.schema.field(*column);
                let (name, data_type) = (field.name(), type_name(field.data_type()));
                let value = clipped(text.value(row));
                format!("output {record} {number}: {value} does not fit column {name} {data_type}")
            }
        }
    }

    fn hint(&self, misfit: &Misfit<'_>) -> &'static str {
        let has_tabs = matches!(self.format, WireFormat::Raw | WireFormat::Tsv);
        match misfit {
            Misfit::Record(BadRecord { fields: Some(1), .. }) if has_tabs => TABS_HINT,
            _ => "with ON ERROR NULL or ON ERROR SKIP such rows pass, and are counted",
        }
    }
}

/// Why a record does not fit the columns.
enum Misfit<'a> {
    Record(&'a BadRecord),
    Value { column: usize, text: &'a StringViewArray },
}
