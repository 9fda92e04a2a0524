use gradual_measure::Claim;
use serde::{Deserialize, Serialize};

use crate::record::record;

/// What an experiment tests: `experiment.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExperimentRecord {
    /// Format version, [`SCHEMA`](crate::SCHEMA).
    pub schema: u32,
    /// Name of the experiment, as on the command line.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// The claim in the words of the post.
    pub claim: String,
    /// Name of the arm that the others are compared with.
    pub baseline: String,
    /// The arms in the order in which reports show them.
    pub arms: Vec<ArmRecord>,
    /// The measurable claims.
    pub claims: Vec<Claim>,
    /// The command that reruns the experiment.
    pub command: String,
}

record!(ExperimentRecord: "experiment");

/// One arm of an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmRecord {
    /// Name, equal to the folder's.
    pub name: String,
    /// One sentence on what the arm does.
    pub about: String,
    /// What the arm is a control for, in a few words, when it is one: "groups without meaning", "a lower
    /// learning rate".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
}
