//! Claims as data.

use serde::{Deserialize, Serialize};

use crate::metric::{Direction, Metric};

/// One measurable claim: an arm changes a metric against the baseline by at least a ratio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The claim in words.
    pub statement: String,
    /// Where it comes from: post, paper or conjecture.
    pub source: String,
    /// The arm that is compared with the baseline.
    pub arm: String,
    /// What is compared.
    pub metric: Metric,
    /// Whether the arm should have less or more of it.
    pub direction: Direction,
    /// The ratio arm / baseline that counts as an effect, for instance 0.8 for a fifth less.
    pub smallest_effect: f64,
}
