use serde::{Deserialize, Serialize};

/// What a search for a lens saw at one step: how stable groups are under each look at the model. A line of `looks.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LooksRecord {
    /// Format version, [`SCHEMA`](crate::SCHEMA).
    pub schema: u32,
    /// Optimizer steps taken.
    pub step: u64,
    /// Number of examples in each of the two standing sets, and of those that both group.
    pub examples: u64,
    /// The looks, in the order in which they were taken.
    pub looks: Vec<LookRecord>,
    /// Which of them the rule chooses, counted from 0; none where none is stable enough and explains anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<u64>,
    /// What the look of an earlier step that is held explains of the same, as [`LookRecord::explained`]; none where none is
    /// held, or nothing was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<f64>,
    /// Whether the lens of the run is the chosen look from here on.
    #[serde(default)]
    pub taken: bool,
}

/// One look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LookRecord {
    /// Path of the parameter that is looked at.
    pub layer: String,
    /// The metric in which its gradients are compared.
    pub metric: String,
    /// Number of groups.
    pub groups: u64,
    /// Adjusted Rand index between the groups that the two standing sets make of the same examples; none where these can't
    /// be grouped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stability: Option<f64>,
    /// Mean share of the variance between examples that both explain, in what these have learned since fresh weights:
    /// the fall of their losses. None at the start, where nothing has been learned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub explained: Option<f64>,
    /// Mean adjusted Rand index of both with the capabilities, where examples carry these. Nothing is chosen by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<f64>,
}

impl LooksRecord {
    /// Most looks of a record.
    pub const MOST_LOOKS: usize = 10_000;
}
