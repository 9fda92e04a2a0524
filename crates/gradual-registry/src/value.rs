//! The value of a parameter.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The value of a parameter, as it stands in a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A whole number that is not negative.
    Count(u64),
    /// A finite real number.
    Number(f64),
    /// One word of a list.
    Word(String),
    /// Finite real numbers.
    Numbers(Vec<f64>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Count(count) => write!(f, "{count}"),
            // With a point or an exponent, so that it is read as a number again.
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Word(word) => f.write_str(word),
            Self::Numbers(numbers) => {
                let numbers = numbers.iter().map(|number| format!("{number:?}"));
                write!(f, "[{}]", numbers.collect::<Vec<_>>().join(", "))
            }
        }
    }
}
