//! The nine skills: their names, ranks and groups.

use std::fmt;
use std::str::FromStr;

use rand::Rng;

use super::error::SkillError;
use super::item::Item;
use super::{arithmetic, lookup, number_words, strings};

/// A generator of prompts with exact answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skill {
    /// Write the letters again: `c:hag>` → `hag`.
    Copy,
    /// Number word to numeral: `forty-two=` → `42`.
    ToNumber,
    /// Add numerals of one or two digits: `12+7=` → `19`.
    Add,
    /// The value of a key in a small JSON object: `{"a":3,"d":7}d` → `7`.
    Lookup,
    /// Write the letters backwards: `r:hag>` → `gah`.
    Reverse,
    /// Numeral to number word: `42=` → `forty-two`.
    ToWords,
    /// Multiply a digit by a numeral of one or two digits: `7*38=` → `266`.
    Multiply,
    /// Write the letters in order: `s:hag>` → `agh`.
    Sort,
    /// Composed, in no group: add numbers written as words: `three+twenty=` → `twenty-three`.
    AddWords,
}

impl Skill {
    /// Every skill: the trained ones by rank, then the composed one.
    pub const ALL: [Self; 9] = [
        Self::Copy,
        Self::ToNumber,
        Self::Add,
        Self::Lookup,
        Self::Reverse,
        Self::ToWords,
        Self::Multiply,
        Self::Sort,
        Self::AddWords,
    ];

    /// The trained skills, the most frequent first.
    pub const TRAINED: [Self; 8] = [
        Self::Copy,
        Self::ToNumber,
        Self::Add,
        Self::Lookup,
        Self::Reverse,
        Self::ToWords,
        Self::Multiply,
        Self::Sort,
    ];

    /// The name in run folders, reports and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::ToNumber => "to-number",
            Self::Add => "add",
            Self::Lookup => "lookup",
            Self::Reverse => "reverse",
            Self::ToWords => "to-words",
            Self::Multiply => "multiply",
            Self::Sort => "sort",
            Self::AddWords => "add-words",
        }
    }

    /// The place in [`ALL`](Self::ALL), which is fixed and so can be stored.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether the skill is composed of others and so is not one of [`TRAINED`](Self::TRAINED).
    pub const fn is_composed(self) -> bool {
        matches!(self, Self::AddWords)
    }

    /// The default frequency rank, 0 the most frequent; none for the composed skill.
    pub const fn rank(self) -> Option<usize> {
        if self.is_composed() {
            None
        } else {
            Some(self.index())
        }
    }

    /// The label of the skill's group, 0 to 7; none for the composed skill, which is never
    /// labelled.
    pub const fn group(self) -> Option<usize> {
        self.rank()
    }

    /// Draws an item, over all prompts: held-out ones too.
    ///
    /// For training use [`sample_training`](super::sample_training) or a
    /// [`Mixture`](super::Mixture).
    pub fn sample<R: Rng + ?Sized>(self, rng: &mut R) -> Item {
        let (prompt, answer) = match self {
            Self::Copy => strings::copy(rng),
            Self::ToNumber => number_words::to_number(rng),
            Self::Add => arithmetic::add(rng),
            Self::Lookup => lookup::lookup(rng),
            Self::Reverse => strings::reverse(rng),
            Self::ToWords => number_words::to_words(rng),
            Self::Multiply => arithmetic::multiply(rng),
            Self::Sort => strings::sort(rng),
            Self::AddWords => number_words::add_words(rng),
        };
        Item {
            skill: self,
            prompt,
            answer,
        }
    }
}

impl fmt::Display for Skill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Skill {
    type Err = SkillError;

    fn from_str(name: &str) -> Result<Self, SkillError> {
        Self::ALL
            .into_iter()
            .find(|skill| skill.name() == name)
            .ok_or_else(|| SkillError::UnknownSkill {
                name: name.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn order_is_consistent() {
        for (i, skill) in Skill::ALL.into_iter().enumerate() {
            assert_eq!(skill.index(), i);
            assert_eq!(
                skill.rank(),
                Skill::TRAINED.iter().position(|&s| s == skill)
            );
            assert_eq!(skill.group(), skill.rank());
            assert_eq!(skill.is_composed(), skill.rank().is_none());
        }
    }

    #[test]
    fn names_round_trip() {
        for skill in Skill::ALL {
            assert_eq!(skill.name().parse::<Skill>(), Ok(skill));
            assert_eq!(skill.to_string(), skill.name());
        }
    }

    #[test]
    fn unknown_name_lists_the_known_ones() {
        let message = "divide".parse::<Skill>().unwrap_err().to_string();
        assert!(
            message.contains("divide") && message.contains("copy, to-number, add"),
            "{message}"
        );
        assert!("Copy".parse::<Skill>().is_err());
        assert!("".parse::<Skill>().is_err());
    }

    #[test]
    fn equal_seeds_draw_equal_items() {
        for skill in Skill::ALL {
            let draw = |seed| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                (0..50).map(|_| skill.sample(&mut rng)).collect::<Vec<_>>()
            };
            assert_eq!(draw(3), draw(3));
            assert_ne!(draw(3), draw(4));
        }
    }
}
