//! Formats of well-known systems.
//!
//! The same thing has the same name in all of them: `ts`, `level`, `logger`, `thread`, `pid`,
//! `host`, `message`.

mod reader;

mod apache_error;
mod cri;
mod glog;
mod journald;
mod log4j;
mod logback;
mod nginx_error;
mod postgres;
mod python;

mod balancer;
mod cloudfront;
mod haproxy;
mod s3;

use std::sync::Arc;

use crate::column::ColumnSpec;
use crate::scan::{Fields, Mismatch, Scanner};
use crate::spec::FormatError;
use reader::{Missing, Reader};

/// A format, as help and completion show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// The word behind PARSE.
    pub name: &'static str,
    /// Whose lines they are.
    pub about: &'static str,
    /// The columns that it fills.
    pub columns: Vec<ColumnSpec>,
}

/// All formats, in the order of their names.
pub fn list() -> Vec<About> {
    let about = |format: &&'static Builtin| About {
        name: format.name,
        about: format.about,
        columns: columns(format.name),
    };
    FORMATS.iter().map(about).collect()
}

const FORMATS: [&Builtin; 15] = [
    &balancer::ALB,
    &apache_error::FORMAT,
    &cloudfront::FORMAT,
    &cri::FORMAT,
    &balancer::ELB,
    &glog::GLOG,
    &haproxy::FORMAT,
    &journald::FORMAT,
    &glog::KLOG,
    &log4j::FORMAT,
    &logback::FORMAT,
    &nginx_error::FORMAT,
    &postgres::FORMAT,
    &python::FORMAT,
    &s3::FORMAT,
];

/// A format.
#[derive(Debug)]
struct Builtin {
    name: &'static str,
    about: &'static str,
    columns: &'static [(&'static str, Kind)],
    scan: Scan,
}

/// How lines are scanned.
#[derive(Debug, Clone, Copy)]
enum Scan {
    /// Reads a line from its start; columns are named by their index.
    Read(fn(&mut Reader<'_>) -> Result<(), Missing>),
    /// Lines are objects of JSON.
    Journald,
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Double,
    /// A time with a zone, or one that is in UTC.
    Moment,
    /// A time without a zone.
    LocalTime,
}

fn find(name: &str) -> Option<&'static Builtin> {
    FORMATS.into_iter().find(|format| format.name == name)
}

/// The name as it is kept, of a format that is there.
pub(crate) fn name(name: &str) -> Option<&'static str> {
    find(name).map(|format| format.name)
}

/// The names of all formats.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FORMATS.into_iter().map(|format| format.name)
}

/// The columns of the format.
pub(crate) fn columns(name: &str) -> Vec<ColumnSpec> {
    let column = |(name, kind): &(&str, Kind)| match kind {
        Kind::Text => ColumnSpec::text(*name),
        Kind::Integer => ColumnSpec::new(*name, arrow_schema::DataType::Int64),
        Kind::Double => ColumnSpec::new(*name, arrow_schema::DataType::Float64),
        Kind::Moment => ColumnSpec::moment(*name),
        Kind::LocalTime => ColumnSpec::local_time(*name),
    };
    find(name).map_or_else(Vec::new, |format| format.columns.iter().map(column).collect())
}

/// A scanner that fills `columns`.
pub(crate) fn scanner(name: &str, columns: &[ColumnSpec]) -> Result<Arc<dyn Scanner>, FormatError> {
    let format =
        find(name).ok_or_else(|| FormatError::new(format!("there is no format `{name}`")))?;
    let names: Vec<&str> = format.columns.iter().map(|(name, _)| *name).collect();
    let is_field = |column: &&ColumnSpec| {
        names.contains(&column.name.as_str())
            || (matches!(format.scan, Scan::Journald) && journald::is_key(&column.name))
    };
    if let Some(column) = columns.iter().find(|column| !is_field(column)) {
        return Err(FormatError::no_field(&column.name, &names));
    }
    match format.scan {
        Scan::Journald => journald::scanner(columns),
        Scan::Read(read) => {
            let slot = |name: &str| columns.iter().position(|column| column.name == name);
            let slots = names.into_iter().map(slot).collect();
            Ok(Arc::new(BuiltinScanner { name: format.name, read, slots }))
        }
    }
}

/// Runs a format's function over lines.
#[derive(Debug)]
struct BuiltinScanner {
    name: &'static str,
    read: fn(&mut Reader<'_>) -> Result<(), Missing>,
    /// Where each column of the format goes.
    slots: Vec<Option<usize>>,
}

impl Scanner for BuiltinScanner {
    fn scan(&self, line: &str, fields: &mut Fields) -> Result<(), Mismatch> {
        let read = (self.read)(&mut Reader::new(line, &self.slots, fields));
        read.map_err(|missing| Mismatch { offset: missing.offset, part: 0 })
    }

    fn describe(&self, line: &str, mismatch: Mismatch) -> String {
        let slots = vec![None; self.slots.len()];
        let mut fields = Fields::new(Vec::new());
        match (self.read)(&mut Reader::new(line, &slots, &mut fields)) {
            Err(missing) => missing.to_string(),
            Ok(()) => format!("it is no line of {} at byte {}", self.name, mismatch.offset + 1),
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::SAMPLES;
