use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the found groups of a run hold at one evaluation, of examples that stay the same over the run. A line of
/// `members.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MembersRecord {
    /// Format version, [`SCHEMA`](crate::SCHEMA).
    pub schema: u32,
    /// Optimizer steps taken.
    pub step: u64,
    /// Number of examples that were grouped.
    pub examples: u64,
    /// Number of groups that hold any of them; `found` has at most [`MembersRecord::MOST_GROUPS`].
    pub groups: u64,
    /// The groups, the largest first.
    pub found: Vec<GroupMembers>,
}

/// One found group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupMembers {
    /// Its number, which it keeps as long as it lives, and which no other group of the run gets.
    pub group: u64,
    /// Share of the examples that it holds, 0 to 1.
    pub share: f64,
    /// Mean loss of these, which are training examples.
    pub loss: f64,
    /// How many of these are of each capability, by name. Empty where there is one capability alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capabilities: BTreeMap<String, u64>,
    /// Its most typical examples in words, the most typical first.
    pub nearest: Vec<String>,
}

impl MembersRecord {
    /// Most groups of a record.
    pub const MOST_GROUPS: usize = 64;
    /// Most examples of a group in words.
    pub const MOST_NEAREST: usize = 8;
    /// Most characters of an example in words.
    pub const MOST_CHARACTERS: usize = 200;
}
