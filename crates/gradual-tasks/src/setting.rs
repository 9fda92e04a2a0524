//! What settings of tasks may be.

use std::ops::RangeInclusive;

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer};
use thiserror::Error;

/// Most parameters of a model that settings ask for: with their gradients and the optimizer's moments about 1 GiB.
pub(crate) const PARAMETERS: u128 = 50_000_000;
/// Most numbers of one array of an evaluation: 800 MB.
pub(crate) const NUMBERS: u128 = 200_000_000;
/// Size of a one-hot code beside bits of ±1.
pub(crate) const CODE: RangeInclusive<f64> = 0.0..=1e6;
/// Largest Zipf exponent. The frequency of the last of ten thousand tasks is still above zero.
pub(crate) const EXPONENT: RangeInclusive<f64> = 0.0..=50.0;

/// A setting of a task that makes no sense, alone or with the others.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SettingError {
    /// A whole number is out of its range.
    #[error("{name} = {got}, but it is a whole number from {least} to {most}")]
    Count {
        /// The setting.
        name: &'static str,
        /// Its least value.
        least: usize,
        /// Its greatest value.
        most: usize,
        /// What was given.
        got: usize,
    },
    /// A number is out of its range, or is none.
    #[error("{name} = {}, but it is a number from {least} to {most}", shown(*.got))]
    Number {
        /// The setting.
        name: &'static str,
        /// Its least value.
        least: f64,
        /// Its greatest value.
        most: f64,
        /// What was given.
        got: f64,
    },
    /// A list is empty, or too long.
    #[error("{name} lists {got}, but it is a list of {least} to {most}")]
    List {
        /// The setting.
        name: &'static str,
        /// Its least length.
        least: usize,
        /// Its greatest length.
        most: usize,
        /// The length of what was given.
        got: usize,
    },
    /// The settings do not go together.
    #[error("{name} = {got}, but {problem}")]
    Together {
        /// One of them.
        name: &'static str,
        /// What was given.
        got: usize,
        /// What does not fit.
        problem: String,
    },
}

/// A number as a person would write it: large ones by their power of ten.
fn shown(number: f64) -> String {
    match number.abs() < 1e9 || !number.is_finite() {
        true => number.to_string(),
        false => format!("{number:e}"),
    }
}

/// Reads the size of a code, which single precision holds.
pub(crate) fn code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    let got = f64::deserialize(deserializer)?;
    if got.is_finite() && (got as f32).is_infinite() {
        number("code", CODE, got).map_err(D::Error::custom)?;
    }
    Ok(got as f32)
}

/// Checks a whole number.
pub(crate) fn count(
    name: &'static str,
    range: RangeInclusive<usize>,
    got: usize,
) -> Result<(), SettingError> {
    match range.contains(&got) {
        true => Ok(()),
        false => Err(SettingError::Count {
            name,
            least: *range.start(),
            most: *range.end(),
            got,
        }),
    }
}

/// Checks the length of a list.
pub(crate) fn list(
    name: &'static str,
    range: RangeInclusive<usize>,
    got: usize,
) -> Result<(), SettingError> {
    count(name, range.clone(), got).map_err(|_| SettingError::List {
        name,
        least: *range.start(),
        most: *range.end(),
        got,
    })
}

/// Checks a number.
pub(crate) fn number(
    name: &'static str,
    range: RangeInclusive<f64>,
    got: f64,
) -> Result<(), SettingError> {
    match range.contains(&got) {
        true => Ok(()),
        false => Err(SettingError::Number {
            name,
            least: *range.start(),
            most: *range.end(),
            got,
        }),
    }
}

/// Checks how many parameters the model has, which the setting `name` has a part in, and `others` have.
pub(crate) fn parameters(
    name: &'static str,
    got: usize,
    others: &str,
    parameters: u128,
) -> Result<(), SettingError> {
    match parameters <= PARAMETERS {
        true => Ok(()),
        false => Err(SettingError::Together {
            name,
            got,
            problem: format!(
                "with {others} the model then has {parameters} parameters; {PARAMETERS} is the most"
            ),
        }),
    }
}

/// Checks how large an evaluation is, which the setting `name` has a part in, and `others` have.
pub(crate) fn evaluation(
    name: &'static str,
    got: usize,
    others: &str,
    numbers: u128,
) -> Result<(), SettingError> {
    match numbers <= NUMBERS {
        true => Ok(()),
        false => Err(SettingError::Together {
            name,
            got,
            problem: format!(
                "with {others} a layer then has {numbers} numbers in an evaluation; {NUMBERS} is the most"
            ),
        }),
    }
}
