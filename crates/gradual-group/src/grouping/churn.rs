//! What became of groups from one draw to the next.

use serde::{Deserialize, Serialize};

/// What became of the groups between two groupings of the same examples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Churn {
    /// New groups that continue no old one.
    pub births: usize,
    /// Old groups that no new one continues.
    pub deaths: usize,
    /// Share of the examples, of those in a group both times, whose group is now another, 0 to 1; 0
    /// where there are none.
    pub changed: f64,
    /// Adjusted Rand index of the new grouping against the old one; see [`adjusted_rand`](crate::adjusted_rand).
    pub adjusted_rand: Option<f64>,
}
