use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the grouping did: the groups of one step, and the coefficients since the evaluation before. A line of
/// `groups.jsonl`.
///
/// Empty fields are left out of the line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupingRecord {
    /// Format version, [`SCHEMA`](crate::SCHEMA).
    pub schema: u32,
    /// Optimizer steps taken, that of these groups included.
    pub step: u64,
    /// Number of groups.
    pub groups: u64,
    /// Examples per group; empty for soft groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<u64>,
    /// Which capabilities the examples of each group belong to: for each group, in the order of `sizes`, examples
    /// by name of the capability. Empty for soft groups, and in records from before this field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<BTreeMap<String, u64>>,
    /// Number of each group that it keeps over time, in the order of `sizes`, where groups are followed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<u64>,
    /// Fraction of the coefficient mass Σ|c|, over all examples of the steps since the evaluation before, that falls
    /// on each capability's examples. What is missing to one falls on examples of no capability.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shares: BTreeMap<String, f64>,
    /// Share of the draw's coefficients below zero, 0 to 1, where groups are signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub negative: Option<f64>,
    /// Leading singular values of the gradients, largest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spectrum: Vec<f64>,
    /// Adjusted Rand index of the hard groups against the capabilities (1 the same, 0 as by chance).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<f64>,
    /// What each estimator of the number of groups said of the spectrum, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub estimates: BTreeMap<String, u64>,
    /// What changed since the previous grouping, where groups are followed over time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub churn: Option<ChurnRecord>,
}

/// What became of the groups since the previous grouping.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChurnRecord {
    /// New groups that continue no old one.
    pub births: u64,
    /// Old groups that no new one continues.
    pub deaths: u64,
    /// Share of the examples whose group is another now, 0 to 1.
    pub changed: f64,
    /// Adjusted Rand index against the old groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted_rand: Option<f64>,
}
