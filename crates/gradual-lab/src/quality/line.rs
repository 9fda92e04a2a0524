//! The lines of `quality.jsonl`.

use gradual::runs::Record;
use serde::{Deserialize, Serialize};

/// What was found at one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) schema: u32,
    /// Optimizer steps taken before.
    pub(super) step: u64,
    /// Examples that were grouped.
    pub(super) examples: u64,
    /// Number of tasks (or skills) and of codes that announce them.
    pub(super) tasks: u64,
    pub(super) codes: u64,
    /// Held-out accuracy, mean over tasks.
    pub(super) mean_accuracy: f64,
    /// Tasks that are past half of their rise.
    pub(super) learned: u64,
    /// Names of the capabilities where rows say which of them share a group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) names: Vec<String>,
    pub(super) rows: Vec<RowLine>,
    pub(super) how_many: Vec<Answer>,
    /// Empty where each task has one code.
    pub(super) aliases: Vec<AliasLine>,
}

impl Record for Line {
    const NAME: &'static str = "quality";

    fn schema(&self) -> u32 {
        self.schema
    }
}

/// How well one grouping did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RowLine {
    pub(super) grouping: String,
    pub(super) metric: String,
    pub(super) part: String,
    pub(super) layers: String,
    /// What groups were compared with: `tasks`, `codes` or `skills`.
    pub(super) against: String,
    /// Whether the number of groups was told; in old lines it always was.
    #[serde(default = "always")]
    pub(super) told: bool,
    /// Number of groups asked for or, where none was told, found; and of those that are not empty.
    pub(super) groups: u64,
    pub(super) found: u64,
    pub(super) adjusted_rand: Option<f64>,
    pub(super) mutual_information: Option<f64>,
    pub(super) purity: Option<f64>,
    pub(super) purity_by_chance: Option<f64>,
    pub(super) homogeneity: Option<f64>,
    /// Of the tasks' coefficient mass under the sum of squares.
    pub(super) weight_mass_slope: Option<f64>,
    /// Examples of each capability (inner) in each group (outer), where capabilities have names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) contingency: Vec<Vec<u64>>,
}

fn always() -> bool {
    true
}

/// What one rule says of the number of groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// What it looked at; empty in old lines, where there is but one answer of each rule.
    #[serde(default)]
    pub(super) seen: String,
    pub(super) rule: String,
    pub(super) groups: u64,
}

/// Whether the aliases of a task are alike, in one metric and part of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct AliasLine {
    pub(super) metric: String,
    pub(super) part: String,
    pub(super) layers: String,
    /// Over all tasks.
    pub(super) all: Joined,
    /// Over the learned tasks alone, where there are two or more.
    pub(super) learned: Option<Joined>,
}

/// How far aliases are joined, 0 to 1 by expectation; see [`super::aliases`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Joined {
    pub(super) squared: Option<f64>,
    pub(super) squared_partners: Option<f64>,
    pub(super) signed: Option<f64>,
    pub(super) signed_partners: Option<f64>,
}
