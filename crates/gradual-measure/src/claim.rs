//! Claims as data.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::metric::{Direction, Metric};

/// One measurable claim: an arm changes a metric against the baseline, another arm or a number by at least a ratio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The claim in words.
    pub statement: String,
    /// Where it comes from: post, paper or conjecture.
    pub source: String,
    /// The arm that the claim is about.
    pub arm: String,
    /// What it is compared with; the baseline where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    /// What is compared.
    pub metric: Metric,
    /// The capability that alone is looked at; all that count where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// Whether the arm should have less or more of it.
    pub direction: Direction,
    /// The ratio to the baseline (or to what the arm is compared with) that counts as an effect, for instance 0.8 for a
    /// fifth less.
    pub smallest_effect: f64,
}

impl Claim {
    /// What is compared, for people.
    #[must_use]
    pub fn label(&self) -> String {
        match &self.capability {
            None => self.metric.label().to_owned(),
            Some(name) => format!("{} ({name})", self.metric.label()),
        }
    }
}

/// What an arm is compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected the name of an arm or a number")]
pub enum Against {
    /// Another arm, seed by seed.
    Arm(String),
    /// One number for all seeds, above 0: what a theory says, or a goal.
    Number(f64),
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arm(name) => f.write_str(name),
            Self::Number(number) => number.fmt(f),
        }
    }
}
