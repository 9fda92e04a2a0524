//! What can go wrong with skills.

use super::skill::Skill;
use crate::setting::SettingError;

/// What can go wrong when naming, mixing or encoding skills.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SkillError {
    /// A character that the alphabet has no id for.
    #[error(
        "encoding {text:?}: character {character:?} at position {position} is not in the alphabet"
    )]
    UnknownCharacter {
        /// The character.
        character: char,
        /// Its position in the text, counted in characters from 0.
        position: usize,
        /// The text.
        text: String,
    },
    /// A token id that stands for no character.
    #[error("decoding: token {token} at position {position} is not the id of a character")]
    UnknownToken {
        /// The token id.
        token: u32,
        /// Its position in the tokens, from 0.
        position: usize,
    },
    /// A prompt without characters: there is no position to predict the answer from.
    #[error("encoding: the prompt of answer {answer:?} is empty, expected at least one character")]
    EmptyPrompt {
        /// The answer of the item.
        answer: String,
    },
    /// Prompt and answer together are longer than the context.
    #[error("encoding {text:?}: {length} characters, expected at most {context}")]
    TooLong {
        /// Prompt and answer.
        text: String,
        /// Their length in characters.
        length: usize,
        /// The longest length that fits.
        context: usize,
    },
    /// No skill has this name.
    #[error("no skill is named {name:?}, expected one of {}", Skill::ALL.map(Skill::name).join(", "))]
    UnknownSkill {
        /// The name.
        name: String,
    },
    /// A mixture over no skill.
    #[error("mixture: no skill given, expected at least one")]
    EmptyMixture,
    /// A mixture that names a skill twice.
    #[error("mixture: skill {} is named twice", skill.name())]
    RepeatedSkill {
        /// The skill.
        skill: Skill,
    },
    /// A composed skill among the ranks of a mixture.
    #[error("mixture: {} is composed and has no rank; set its share instead", skill.name())]
    ComposedRank {
        /// The skill.
        skill: Skill,
    },
    /// A Zipf exponent that is negative or not a number.
    #[error("mixture: exponent {exponent}, expected a finite number of at least 0")]
    Exponent {
        /// The exponent.
        exponent: f64,
    },
    /// A share of the composed skill outside of [0, 1].
    #[error("mixture: share {share} of the composed skill, expected a number from 0 to 1")]
    Share {
        /// The share.
        share: f64,
    },
    /// A setting of the task makes no sense.
    #[error("skills: {0}")]
    Setting(#[from] SettingError),
}
