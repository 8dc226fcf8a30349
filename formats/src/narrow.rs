//! The narrowest type that fits all values of a column that were seen.

use arrow_schema::DataType;

use crate::column::ColumnSpec;
use crate::json::is_number;
use crate::timestamp;

/// Integers up to here are exact as DOUBLE.
const MAX_EXACT: u64 = 1 << 53;

/// Kinds of values that were seen. NULL and empty text are none: they fit every type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    boolean: bool,
    integer: bool,
    /// An integer that DOUBLE would round.
    wide: bool,
    double: bool,
    moment: bool,
    local_time: bool,
    text: bool,
}

impl Seen {
    /// Whether there was a value at all.
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }

    pub(crate) fn boolean(&mut self) {
        self.boolean = true;
    }

    /// A number in the grammar of JSON.
    pub(crate) fn number(&mut self, text: &str) {
        if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
            match text.parse::<i64>() {
                Ok(number) => {
                    self.integer = true;
                    self.wide |= number.unsigned_abs() > MAX_EXACT;
                }
                // Another type would round it.
                Err(_) => self.text = true,
            }
        } else if text.parse::<f64>().is_ok_and(f64::is_finite) {
            self.double = true;
        } else {
            self.text = true;
        }
    }

    /// Text in quotes, which is a time or nothing else.
    pub(crate) fn string(&mut self, text: &str) {
        match timestamp::iso(text) {
            Some((_, true)) => self.moment = true,
            Some((_, false)) => self.local_time = true,
            None => self.text = true,
        }
    }

    /// A word that may be of any type. Numbers are those of JSON: with 0 in front it is an identifier.
    pub(crate) fn word(&mut self, text: &str) {
        match text {
            "" => {}
            "true" | "false" => self.boolean = true,
            text if is_number(text) => self.number(text),
            text => self.string(text),
        }
    }

    /// What no other type has.
    pub(crate) fn text(&mut self) {
        self.text = true;
    }

    /// A column for all that was seen.
    pub(crate) fn column(self, name: &str) -> ColumnSpec {
        let kinds = usize::from(self.boolean)
            + usize::from(self.integer || self.double)
            + usize::from(self.moment)
            + usize::from(self.local_time);
        if self.text || kinds != 1 || (self.double && self.wide) {
            ColumnSpec::text(name)
        } else if self.boolean {
            ColumnSpec::new(name, DataType::Boolean)
        } else if self.double {
            ColumnSpec::new(name, DataType::Float64)
        } else if self.integer {
            ColumnSpec::new(name, DataType::Int64)
        } else if self.moment {
            ColumnSpec::moment(name)
        } else {
            ColumnSpec::local_time(name)
        }
    }
}
