//! The lines of a batch that failed.

/// Lines that do not have the format, or hold a value that does not fit its type.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// Their rows, ascending. The first kind has NULL in all columns, the second one where the
    /// value does not fit.
    pub rows: Vec<usize>,
    /// Of the first of these rows, why.
    pub reasons: Vec<String>,
}

impl Failures {
    /// Adds a row behind all others, and why it failed if that is still of interest.
    pub(super) fn push(&mut self, row: usize, max_reasons: usize, reason: impl FnOnce() -> String) {
        if self.reasons.len() < max_reasons {
            self.reasons.push(reason());
        }
        self.rows.push(row);
    }

    /// Adds ascending rows that are found late, in a column that is converted as a whole.
    pub(super) fn merge(
        &mut self,
        late: &[usize],
        max_reasons: usize,
        reason: impl Fn(usize) -> String,
    ) {
        let early = std::mem::take(self);
        let mut reasons = early.reasons.into_iter();
        let mut late = late.iter().copied().peekable();
        for row in early.rows {
            while let Some(other) = late.next_if(|other| *other < row) {
                self.push(other, max_reasons, || reason(other));
            }
            late.next_if_eq(&row);
            // A row without a reason has at least `max_reasons` rows in front of it.
            self.push(row, max_reasons, || reasons.next().unwrap_or_default());
        }
        for row in late {
            self.push(row, max_reasons, || reason(row));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(early: &[usize], late: &[usize], rows: &[usize], reasons: &[&str]) {
        let mut failures = Failures::default();
        for row in early {
            failures.push(*row, 2, || format!("early {row}"));
        }
        failures.merge(late, 2, |row| format!("late {row}"));
        assert_eq!(failures.rows, rows);
        assert_eq!(failures.reasons, reasons);
    }

    #[test]
    fn merges_in_the_order_of_rows() {
        check(&[], &[], &[], &[]);
        check(&[3, 5, 7], &[], &[3, 5, 7], &["early 3", "early 5"]);
        check(&[], &[3, 5, 7], &[3, 5, 7], &["late 3", "late 5"]);
        check(&[3, 5, 7], &[1, 2], &[1, 2, 3, 5, 7], &["late 1", "late 2"]);
        check(&[3, 5, 7], &[4, 7, 9], &[3, 4, 5, 7, 9], &["early 3", "late 4"]);
        check(&[3], &[3], &[3], &["early 3"]);
    }
}
