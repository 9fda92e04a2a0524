//! One prompt with its answer.

use super::skill::Skill;

/// One prompt with its one right answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// The skill that the prompt asks for.
    pub skill: Skill,
    /// What the model reads; never empty.
    pub prompt: String,
    /// What the model must write, without the end mark.
    pub answer: String,
}
