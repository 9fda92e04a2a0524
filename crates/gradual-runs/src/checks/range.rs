use std::fmt::Display;

use crate::error::RunsError;
use crate::message::cut;

/// The largest number, either way, that a loss, a time or a count of operations can be: squares of such numbers, and
/// sums over many, are finite.
const LARGEST: f64 = 1e150;

/// The largest count: 2^53.
const MOST: u64 = 1 << 53;

/// How far a mean or a sum of rounded numbers may be beyond its range.
const ROUNDING: f64 = 1e-6;

/// The checks of one kind of record.
#[derive(Clone, Copy)]
pub(super) struct Checks(pub(super) &'static str);

impl Checks {
    pub(super) fn fault(
        self,
        entry: impl Into<String>,
        got: impl Display,
        expected: impl Into<String>,
    ) -> RunsError {
        RunsError::Value {
            record: self.0,
            entry: cut(&entry.into()),
            got: cut(&got.to_string()),
            expected: cut(&expected.into()),
        }
    }

    /// A share, a probability or an accuracy.
    pub(super) fn share(self, entry: &str, got: f64) -> Result<(), RunsError> {
        self.within(entry, got, 0.0, 1.0)
    }

    /// From `least` to `most`, but for rounding.
    pub(super) fn within(
        self,
        entry: &str,
        got: f64,
        least: f64,
        most: f64,
    ) -> Result<(), RunsError> {
        match (least - ROUNDING..=most + ROUNDING).contains(&got) {
            true => Ok(()),
            false => Err(self.fault(entry, got, format!("{least} to {most}"))),
        }
    }

    /// Of a size that can be computed with.
    pub(super) fn sized(self, entry: &str, got: f64) -> Result<(), RunsError> {
        match got.abs() <= LARGEST {
            true => Ok(()),
            false => Err(self.fault(entry, got, format!("-{LARGEST:e} to {LARGEST:e}"))),
        }
    }

    /// The same from 0 on.
    pub(super) fn positive(self, entry: &str, got: f64) -> Result<(), RunsError> {
        match (0.0..=LARGEST).contains(&got) {
            true => Ok(()),
            false => Err(self.fault(entry, got, format!("0 to {LARGEST:e}"))),
        }
    }

    /// A number of steps or examples, which the numbers of curves hold exactly.
    pub(super) fn count(self, entry: &str, got: u64) -> Result<(), RunsError> {
        match got <= MOST {
            true => Ok(()),
            false => Err(self.fault(entry, got, format!("at most {MOST}"))),
        }
    }

    /// What grows from record to record: steps.
    pub(super) fn later(self, entry: &str, before: u64, got: u64) -> Result<(), RunsError> {
        match got > before {
            true => Ok(()),
            false => Err(self.fault(entry, got, format!("more than the {before} before it"))),
        }
    }

    /// What never falls from record to record: counts and times.
    pub(super) fn not_fewer<N: PartialOrd + Display>(
        self,
        entry: &str,
        before: N,
        got: N,
    ) -> Result<(), RunsError> {
        match got >= before {
            true => Ok(()),
            false => Err(self.fault(entry, got, format!("at least the {before} before it"))),
        }
    }
}
